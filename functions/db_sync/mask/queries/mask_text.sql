-- A text with other letters and digits, which depend on the whole text. A letter that is not ASCII
-- becomes a small one; blanks and ASCII punctuation stay. An empty text has no letters to join.
coalesce((
    SELECT
        pg_catalog.string_agg(
            CASE
                WHEN code > 127 OR code BETWEEN 97 AND 122
                    THEN pg_catalog.chr(97 + pg_catalog.mod(pg_catalog.get_byte(digest, place), 26))
                WHEN code BETWEEN 65 AND 90
                    THEN pg_catalog.chr(65 + pg_catalog.mod(pg_catalog.get_byte(digest, place), 26))
                WHEN code BETWEEN 48 AND 57
                    THEN pg_catalog.chr(48 + pg_catalog.mod(pg_catalog.get_byte(digest, place), 10))
                ELSE letter
            END,
            '' ORDER BY number
        )
    FROM (SELECT {digest} AS digest OFFSET 0) staging_sync_digest
    CROSS JOIN LATERAL (
        SELECT
            letter, number, pg_catalog.ascii(letter) AS code, pg_catalog.mod(number, 32)::integer AS place
        FROM pg_catalog.string_to_table({text}, NULL) WITH ORDINALITY letters (letter, number)
    ) staging_sync_letters
), {text})
