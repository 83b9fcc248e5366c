"""How much is tried: a little and always the same, or much with `make fuzz`."""

from collections.abc import Callable
from typing import TypeVar

from hypothesis import HealthCheck, settings

T = TypeVar("T", bound=Callable[..., None])

FUZZING = settings.get_current_profile_name() == "fuzz"


def bounded(*, seldom: int = 1) -> Callable[[T], T]:
    """Return the settings of one test; one in `seldom` of the usual examples is tried."""
    return settings(
        max_examples=settings().max_examples // seldom,
        derandomize=not FUZZING,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
