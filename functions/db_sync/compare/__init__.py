"""Which rows differ: fingerprints of ranges, on both sides."""
