"""The Lambdas, and what they need to run: layers, network, rights to log in."""
