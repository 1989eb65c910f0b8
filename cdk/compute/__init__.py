"""The Lambdas, and what they need to run: layers, network, permissions to log in."""
