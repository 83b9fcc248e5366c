"""What a crawl must say of each misbehaviour."""

from collections.abc import Awaitable, Callable, Iterator
from typing import Literal, NamedTuple

from tests.mockserver.wire import Wire

Answer = Callable[[Wire], Awaitable[None]]
End = tuple[Literal["delivered", "failed", "skipped"], str]


class Expected(NamedTuple):
    """How a request for a path may end; most have one end only."""

    ends: frozenset[End]
    attempts: int | None = None
    """How often it is asked for, where that is the point."""

    def __or__(self, other: "Expected") -> "Expected":
        return Expected(self.ends | other.ends, self.attempts)


def failed(kind: str, *, attempts: int | None = None) -> Expected:
    """It is in failures.jsonl with this kind."""
    return Expected(frozenset({("failed", kind)}), attempts)


def skipped(reason: str) -> Expected:
    """It is in neither file, and counted as `reason`."""
    return Expected(frozenset({("skipped", reason)}))


def retried(times: int = 2) -> Expected:
    """It is delivered in the end."""
    return Expected(frozenset({("delivered", "")}), times)


DELIVERED = Expected(frozenset({("delivered", "")}))


class Misbehaviour(NamedTuple):
    """One path of one host; nothing links to it without an expectation."""

    theme: str
    host: str
    path: str
    expected: Expected | None
    answer: Answer

    @property
    def ends(self) -> frozenset[End]:
        """How a request for it may end."""
        return self.expected.ends if self.expected is not None else frozenset()

    def admits(self, end: End) -> bool:
        """True if it may end so; what was skipped has no line of its own, and no reason there."""
        return end in self.ends or (
            end == ("skipped", "") and any(kind == "skipped" for kind, _ in self.ends)
        )


class Theme:
    """Misbehaviours of one kind, on a host of their own; a decorator of what answers."""

    known: dict[tuple[str, str], Misbehaviour] = {}
    _hosts = 1

    def __init__(self, name: str) -> None:
        Theme._hosts += 1
        self.name = name
        self.host = f"127.0.0.{Theme._hosts}"

    def __call__(self, path: str, expected: Expected | None = None) -> Callable[[Answer], Answer]:
        """Serve `/path`; without `expected` nothing links there. A last slash: all below, too."""

        def register(answer: Answer) -> Answer:
            self.add(path, expected, answer)
            return answer

        return register

    def add(self, path: str, expected: Expected | None, answer: Answer) -> None:
        """Serve `/path` with `answer`."""
        place = self.host, f"/{path}"
        assert place not in self.known, place
        self.known[place] = Misbehaviour(self.name, *place, expected, answer)


def linked() -> Iterator[Misbehaviour]:
    """Yield what the front page links to."""
    return (entry for entry in Theme.known.values() if entry.expected is not None)
