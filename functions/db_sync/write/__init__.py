"""The target made equal: rows, and what stands in the way of writing them."""
