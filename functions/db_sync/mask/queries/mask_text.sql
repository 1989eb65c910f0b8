-- A text with other letters and digits, which depend on the whole text. A letter that is not ASCII
-- becomes a small one; blanks and ASCII punctuation stay. An empty text has no letters to join. They
-- are joined in the order in which they are split off; sorting them would take as long again.
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
            ''
        )
    FROM (SELECT {digest} AS digest OFFSET 0) staging_sync_digest
    CROSS JOIN LATERAL (
        SELECT
            letter,
            -- ascii() fails on a letter of several bytes in most encodings.
            CASE WHEN pg_catalog.octet_length(letter) > 1 THEN 128 ELSE pg_catalog.ascii(letter) END AS code,
            (number & 31)::integer AS place
        FROM pg_catalog.string_to_table({text}, NULL) WITH ORDINALITY letters (letter, number)
        OFFSET 0
    ) staging_sync_letters
), {text})
