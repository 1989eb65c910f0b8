-- People whose sub in staging, when the sync is done, is another one than in production. Texts compare
-- bytewise. `unlinked` is what a row has that loses its sub.
CREATE TEMPORARY TABLE {people} (
    source_sub text COLLATE "C",
    target_sub text COLLATE "C",
    unlinked text COLLATE "C"
) ON COMMIT DROP
