-- The user pool's listing, as ListCognitoUsers wrote it. Compared as bytes: equal is equal in any
-- collation, and the database's own may take ten times as long to sort.
CREATE TEMPORARY TABLE staging_sync_pool (
    listed_email text COLLATE "C",
    sub text COLLATE "C" NOT NULL,
    username text,
    status text COLLATE "C",
    enabled text COLLATE "C",
    email_verified text COLLATE "C",
    last_modified timestamptz,
    email text COLLATE "C" GENERATED ALWAYS AS (nullif({pool_email}, '')) STORED
) ON COMMIT DROP
