"""A server that misbehaves in every way we know of, and what a crawl must say of each.

One function a misbehaviour, in files by theme; `table.py` says what is expected of each, and
`server.py` serves them all on loopback addresses.
"""
