"""The sandbox's sample data: a bookshop's databases, its people and their logins."""
