-- What people changed in staging since it was last copied from production; a refresh undoes it.

UPDATE books SET title = 'TEST TEST TEST' WHERE id IN (3, 33, 333);
UPDATE authors SET name = name || ' (edited in staging)' WHERE id % 50 = 0;
DELETE FROM reviews WHERE id <= 40;
INSERT INTO orders (user_id, status, placed_at, touched_at)
SELECT 1, 'placed', timestamptz '2025-02-01 10:00+00', timestamptz '2025-02-01 10:00+00'
  FROM generate_series(1, 25);
