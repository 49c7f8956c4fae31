"""Sources of results."""
