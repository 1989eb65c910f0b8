"""A sync in parts: many Lambdas that copy one moment of production, each a part of its rows."""
