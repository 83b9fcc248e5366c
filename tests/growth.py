"""Does a thing that costs CPU time cost no more than it may?"""

from collections.abc import Callable
from math import inf
from time import monotonic, process_time, sleep

Measure = Callable[[], float]
"""Does something once and returns the CPU seconds it took, without those of its set-up."""

_ROUNDS = 10
_LONGEST = 20.0
"""No round begins after so many seconds."""
_REST = 0.2
"""How long what else the machine does has to pass, between two rounds."""


def assert_costs(
    many: Measure,
    *,
    at_most: float,
    times: Measure,
    slack: float = 0.0,
    clock: Callable[[], float] = monotonic,
    rest: Callable[[float], None] = sleep,
) -> None:
    """Fail unless `many` costs `at_most` times what `times` costs, and `slack` seconds, at most.

    Other work on the machine makes things slower, never faster: so the least of all rounds counts,
    and what is within its bound in any round is. What is quadratic never is.
    """
    __tracebackhide__ = True
    begun, rounds, least, few = clock(), 0, inf, inf
    while rounds < _ROUNDS and clock() - begun < _LONGEST:
        if rounds:
            rest(_REST)
        # On both sides: a slow moment at the beginning must not let what is quadratic pass.
        few = min(few, times(), times())
        least = min(least, many())
        few = min(few, times())
        if least <= at_most * few + slack:
            return
        rounds += 1
    raise AssertionError(
        f"{least:.6f} s are {least / (few or 1e-9):.1f} times {few:.6f} s, the least in {rounds} "
        f"rounds; expected: at most {at_most:g} times that and {slack:g} s"
    )


def cpu_seconds(work: Callable[[], object]) -> float:
    """Return how many CPU seconds `work` takes, once."""
    begun = process_time()
    work()
    return process_time() - begun
