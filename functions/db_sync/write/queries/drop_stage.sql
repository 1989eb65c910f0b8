-- What a merge needed, and needs no longer.
DROP TABLE {stage}, {changes}, {gone}
