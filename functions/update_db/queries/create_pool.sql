-- The user pool's listing, as ListCognitoUsers wrote it. Its texts have the collation "C": they are
-- only compared for equality, and the database's own may take ten times as long to sort them.
CREATE TEMPORARY TABLE staging_sync_pool (
    email text COLLATE "C",
    sub text COLLATE "C" NOT NULL,
    username text,
    status text COLLATE "C",
    enabled text COLLATE "C",
    email_verified text COLLATE "C",
    last_modified timestamptz
) ON COMMIT DROP
