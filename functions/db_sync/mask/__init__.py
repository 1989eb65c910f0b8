"""Masks: which columns change on their way from production, and into what."""
