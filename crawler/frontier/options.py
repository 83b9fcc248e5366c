"""What a SQLite frontier is told."""

from collections.abc import Callable

from msgspec import Struct, field

from crawler.outcome import HostNotes
from crawler.protocols import Clock
from crawler.rules.gate import Gate
from crawler.urls import KeyRules


class Options(Struct, frozen=True):
    """What a frontier is told: see `SqliteFrontier`."""

    clock: Clock
    batch: Callable[[HostNotes], int]
    slots: Callable[[HostNotes], int] = lambda notes: 1  # noqa: ARG005
    rest: Callable[[HostNotes], float] = lambda notes: 0.0  # noqa: ARG005
    rules: KeyRules = KeyRules()  # frozen
    host_pages: int | None = None
    shape_pages: int | None = None
    gate: Gate = field(default_factory=Gate)
    max_pages: int | None = None
    ask_notes: bool = True
    most_keys: int = 100_000
