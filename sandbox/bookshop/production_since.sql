-- What happened in production since staging was last copied from it.

INSERT INTO users (email, name, phone, cognito_sub)
SELECT 'new' || i || '@mail.example', 'New customer ' || i, '+1 555 ' || 8000000 + i, md5('new customer ' || i)::uuid::text
  FROM generate_series(1, 60) AS i;

INSERT INTO authors (name) VALUES ('Newcomer');
INSERT INTO books (author_id, title, price, tags)
SELECT currval('authors_id_seq'), 'New book ' || i, 9.90, '{"new"}' FROM generate_series(1, 15) AS i;
UPDATE authors SET best_book_id = (SELECT max(id) FROM books) WHERE name = 'Newcomer';
UPDATE books SET price = price + 1, details = details || '{"reprint": true}' WHERE id % 20 = 0;
UPDATE books SET price = price::numeric(8, 4) WHERE id = 7; -- equal as a number, other text

INSERT INTO orders (user_id, status, placed_at, touched_at)
SELECT id, 'placed', timestamptz '2025-03-01 10:00+00', timestamptz '2025-03-01 10:00+00'
  FROM users WHERE email LIKE 'new%@mail.example';
INSERT INTO order_items (order_id, line, book_id, quantity, unit_price)
SELECT id, 1, 1 + id % 800, 1, 12.50 FROM orders WHERE id > 6000;
UPDATE orders SET status = 'shipped' WHERE id % 25 = 0;

DELETE FROM order_items WHERE order_id % 100 = 1;
DELETE FROM orders WHERE id % 100 = 1;
INSERT INTO wishlists (owner_sub, books)
SELECT cognito_sub, ARRAY[1 + id % 800]
  FROM users WHERE email LIKE 'new%@mail.example' AND id % 3 = 0 OR email LIKE 'rosa@%' ORDER BY id;
UPDATE wishlists SET books = books || 5 WHERE id % 10 = 0;
DELETE FROM wishlists WHERE id % 50 = 49;
INSERT INTO cards (holder_sub, points)
SELECT cognito_sub, 0
  FROM users WHERE email LIKE 'new%@mail.example' AND id % 2 = 0 OR email LIKE 'rosa@%' ORDER BY id;
UPDATE cards SET points = points + 10 WHERE id % 15 = 0;
-- Passed on to somebody else.
UPDATE cards SET holder_sub = cognito_sub
  FROM users WHERE cards.id % 100 = 60 AND email = 'new' || cards.id / 100 + 1 || '@mail.example';

DELETE FROM reviews WHERE stars = 1 AND id % 10 = 0;
INSERT INTO page_views VALUES (1, '2025-03-01'), (1, '2025-03-01');
