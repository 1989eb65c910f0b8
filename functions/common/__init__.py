"""What two or more Lambdas use: input, settings, errors, database, S3, logging."""
