"""How many connections may a process hold?"""

import resource
import sys

# The run's files, SQLite's, the log, standard streams, eight threads that resolve names.
_OTHERS = 32
_LEAST = 4


def most_connections() -> int:
    """Return how many connections leave enough file descriptors for everything else."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sys.maxsize if soft == resource.RLIM_INFINITY else max(_LEAST, soft - _OTHERS)
