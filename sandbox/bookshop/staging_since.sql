-- What people changed in staging since it was last copied from production; a refresh undoes it.

UPDATE books SET title = 'TEST TEST TEST' WHERE id IN (3, 33, 333);
UPDATE authors SET name = name || ' (edited in staging)' WHERE id % 50 = 0;
DELETE FROM reviews WHERE id <= 40;
DELETE FROM wishlists WHERE id % 40 = 0;
UPDATE cards SET points = 9999 WHERE id % 35 = 0;
-- The tester who registered here; production's next rows get the same keys.
INSERT INTO wishlists (owner_sub, books)
SELECT cognito_sub, '{3}' FROM users WHERE email = 'robot@bookshop.example';
INSERT INTO cards (holder_sub, points)
SELECT cognito_sub, 1 FROM users WHERE email = 'robot@bookshop.example';
INSERT INTO orders (user_id, status, placed_at, touched_at)
SELECT 1, 'placed', timestamptz '2025-02-01 10:00+00', timestamptz '2025-02-01 10:00+00'
  FROM generate_series(1, 25);
