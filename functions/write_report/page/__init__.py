"""The page: a model of a run turned into one self-contained HTML file."""
