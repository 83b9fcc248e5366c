"""Bytes into text, trees, links and sitemaps: pure functions, no I/O."""
