-- Deletes a user and all of the user's rows.

DELETE FROM order_items USING orders, users
 WHERE order_id = orders.id AND user_id = users.id AND email = %(email)s;
DELETE FROM orders USING users WHERE user_id = users.id AND email = %(email)s;
DELETE FROM wishlists USING users WHERE owner_sub = cognito_sub AND email = %(email)s;
DELETE FROM cards USING users WHERE holder_sub = cognito_sub AND email = %(email)s;
DELETE FROM reviews USING users WHERE user_id = users.id AND email = %(email)s;
UPDATE users AS referred SET referred_by = NULL FROM users
 WHERE referred.referred_by = users.id AND users.email = %(email)s;
DELETE FROM users WHERE email = %(email)s;
