-- The staged rows that the target lacks or has otherwise (compared as bytes: 1.0 is not 1.00),
-- each with the values that it is to have: the target's own columns keep theirs.
CREATE TEMPORARY TABLE {changes} ON COMMIT DROP AS
SELECT t.ctid IS NOT NULL AS staging_sync_existed, {values}
FROM {stage} s
LEFT JOIN {rows} t ON {same_key}
WHERE t.ctid IS NULL OR {differs}
