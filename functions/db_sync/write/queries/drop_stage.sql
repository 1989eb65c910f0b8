-- Drops the temporary tables of a merge.
DROP TABLE {stage}, {changes}, {gone}
