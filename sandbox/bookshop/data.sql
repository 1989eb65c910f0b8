-- About 20,000 rows, the same in every run; the people of sandbox/bookshop/people.py are in users already.

INSERT INTO users (email, name, phone, cognito_sub, referred_by, joined_on)
SELECT 'customer' || i || '@mail.example',
       'Customer ' || i,
       '+1 555 ' || 7000000 + i,
       md5('production customer ' || i)::uuid::text,
       CASE WHEN i % 9 = 0 THEN 1 + i % 20 END,
       date '2021-01-01' + i % 1500
  FROM generate_series(1, 2000) AS i;

INSERT INTO authors (name)
SELECT 'Author ' || i FROM generate_series(1, 150) AS i;

INSERT INTO books (author_id, title, price, tags, details)
SELECT 1 + i * 7 % 150,
       'Book ' || i,
       (499 + i * 37 % 2500) / 100.0,
       ARRAY['shelf ' || i % 12, CASE WHEN i % 2 = 0 THEN 'paperback' ELSE 'hard, "bound"' END],
       jsonb_build_object('pages', 90 + i * 13 % 700, 'languages', jsonb_build_array('en', 'de'))
  FROM generate_series(1, 800) AS i;

UPDATE books SET sequel_of = id - 1 WHERE id % 10 = 0;
UPDATE authors SET best_book_id = (SELECT min(id) FROM books WHERE author_id = authors.id);

INSERT INTO orders (user_id, status, placed_at, touched_at)
SELECT 1 + i * 11 % 2020,
       (enum_range(NULL::order_status))[1 + i % 4],
       timestamptz '2024-01-01 08:00+00' + i * interval '37 minutes',
       timestamptz '2024-01-01 09:00+00' + i * interval '37 minutes'
  FROM generate_series(1, 6000) AS i;

INSERT INTO order_items (order_id, line, book_id, quantity, unit_price)
SELECT i, line, 1 + (i * 5 + line) % 800, 1 + i % 3, (499 + i * 37 % 2500) / 100.0
  FROM generate_series(1, 6000) AS i, generate_series(1, 1 + i % 2) AS line;

INSERT INTO reviews (book_id, user_id, stars, body)
SELECT 1 + i % 800,
       1 + i * 3 % 2020,
       1 + i % 5,
       CASE WHEN i % 4 > 0 THEN E'Line one\n\\N and a tab\t, said customer ' || i END
  FROM generate_series(1, 2400) AS i;

-- All the people have a wishlist and a card; of the customers, some.
INSERT INTO wishlists (owner_sub, books)
SELECT cognito_sub, ARRAY[1 + id % 800, 1 + id * 7 % 800]
  FROM users
 WHERE cognito_sub IS NOT NULL AND (email NOT LIKE 'customer%' OR id % 8 = 0)
 ORDER BY id;
-- Its owner's account is gone, and nobody has deleted the list.
INSERT INTO wishlists (owner_sub, books) VALUES (md5('somebody who has left')::uuid::text, '{1}');

INSERT INTO cards (holder_sub, points)
SELECT cognito_sub, id * 10 % 700
  FROM users, generate_series(1, 1 + id % 2) AS card
 WHERE cognito_sub IS NOT NULL AND (email NOT LIKE 'customer%' OR id % 6 = 0)
 ORDER BY id, card;

INSERT INTO page_views (book_id, seen_on)
SELECT 1 + i % 40, date '2024-05-01' + i % 7 FROM generate_series(1, 600) AS i;

-- Created last, since it would change the rows that are loaded: copying data must not fire it.
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.touched_at = clock_timestamp();
    RETURN NEW;
END $$;

CREATE TRIGGER touch BEFORE INSERT OR UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch();
