-- How many masked rows of a sample break each constraint, and a few of the masked values of each column.
SELECT ARRAY[{broken}]::bigint[]{shown}
FROM (SELECT {columns} FROM {rows}) masked
