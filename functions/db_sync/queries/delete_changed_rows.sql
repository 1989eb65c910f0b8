-- Rows of the target that are inserted anew, with the values that they are to have.
DELETE FROM {rows} t
USING {changes} s
WHERE s.staging_sync_existed AND {same_key}
