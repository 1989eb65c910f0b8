"""What is to be synced, and how: both catalogs read, compared and found to fit."""
