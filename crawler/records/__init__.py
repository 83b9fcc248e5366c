"""The lines of a run: items, pages, failures."""
