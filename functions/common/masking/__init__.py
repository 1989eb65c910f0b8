"""Masked values: the key that they depend on, and the one kind that two Lambdas compute."""
