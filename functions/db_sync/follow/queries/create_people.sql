-- People whose sub in staging, when the sync is done, is another one than in production. Texts compare
-- bytewise.
CREATE TEMPORARY TABLE {people} (
    source_sub text COLLATE "C",
    target_sub text COLLATE "C"
) ON COMMIT DROP
