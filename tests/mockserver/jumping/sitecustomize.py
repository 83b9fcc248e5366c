"""Make the wall clock of a process jump an hour ahead, and back, each second."""

import time

_real = time.time
_began = time.monotonic()


def _jumping() -> float:
    return _real() + 3600.0 * (int(time.monotonic() - _began) % 2)


time.time = _jumping
