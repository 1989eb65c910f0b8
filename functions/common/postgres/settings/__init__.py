"""The settings of our transactions, which do not depend on those of roles and databases."""
