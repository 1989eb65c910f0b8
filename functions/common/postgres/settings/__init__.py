"""What a transaction of ours sets, so that roles and databases cannot change what it reads."""
