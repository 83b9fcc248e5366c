"""How much one host gets of what is leased at once."""

_LEAST = 4
"""Requests; a host that is leased for less costs more than what it brings."""


def portion(limit: int, *, hosts: int) -> int:
    """Return the most that each of so many hosts may get of `limit` requests.

    All have something, rather than the first ones much: where hosts differ in how fast they answer,
    the slow ones would come last otherwise.
    """
    return max(_LEAST, limit // max(1, hosts))
