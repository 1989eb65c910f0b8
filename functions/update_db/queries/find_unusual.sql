-- Addresses without a match that are not plain ASCII, or have a domain in punycode.
SELECT DISTINCT email
FROM staging_sync_decisions
WHERE status IN ('no_cognito_user', 'no_db_user') AND email ~ '[^ -~]|[@.]xn--'
