"""Finds the rows that differ, by fingerprints of key ranges on both sides."""
