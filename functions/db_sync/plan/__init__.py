"""What is to be synced, and how: both catalogs are read, compared, and found to match."""
