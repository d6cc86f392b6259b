"""Loads the bundled data, kind by kind. What is there already stays as it is; ``correlations.catalogue`` is the entry."""
