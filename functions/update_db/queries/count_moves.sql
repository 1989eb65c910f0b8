-- How many subs move, and how many of them go to somebody else.
SELECT count(new) AS moves, count(meanwhile) AS go_to_others FROM staging_sync_moves
