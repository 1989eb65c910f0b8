"""AWS: its clients, the bucket, and the secrets of the databases."""
