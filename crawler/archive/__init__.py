"""Stored pages, found again: those of runs, and of WARC files."""
