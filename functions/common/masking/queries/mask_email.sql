-- A masked address; a blank one stays. Most addresses are compared as they are written, and their
-- masks need nothing that only others do.
CASE
    WHEN {is_plain}
        THEN CASE WHEN {plain_is_kept} THEN {value} ELSE {of_plain} || {domain} END
    WHEN pg_catalog.btrim({value}, {blanks}) = '' THEN {value}
    ELSE (
        SELECT CASE WHEN {is_kept} THEN {value} ELSE {of_compared} {suffix} || {domain} END
        FROM (SELECT {normalized} AS compared OFFSET 0) staging_sync_email
    )
END
