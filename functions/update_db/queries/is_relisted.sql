-- Whether a user is listed twice.
SELECT count(*) > count(DISTINCT sub) FROM staging_sync_pool
