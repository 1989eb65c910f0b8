-- The user pool's listing, as ListCognitoUsers wrote it.
CREATE TEMPORARY TABLE staging_sync_pool (
    email text,
    sub text NOT NULL,
    username text,
    status text,
    enabled text,
    email_verified text,
    last_modified timestamptz
) ON COMMIT DROP
