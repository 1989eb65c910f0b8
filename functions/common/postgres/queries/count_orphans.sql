-- Rows of a foreign key's child without a parent.
SELECT count(*) FROM {child} c WHERE ({has_value}) AND {lacks_parent}
