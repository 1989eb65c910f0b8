"""The ListCognitoUsers Lambda: writes a user pool's emails and subs to S3."""
