"""How far each target is, kept."""

from collections.abc import Mapping, Sequence

import msgspec

from crawler.errors import RunError
from crawler.export.following import Following
from crawler.outcome import Mark

_KEPT = "mark "


class Marks:
    """How far the targets of a run are: a `Memory`. What was written goes on from there."""

    def __init__(self, followings: Sequence[Following]) -> None:
        self._followings = tuple(followings)
        # One that is only now opened has a mark that is not kept yet: that tells it was opened.
        self._last: dict[str, Mark | None] = {}

    def changes(self) -> Mapping[str, bytes]:
        """Return the marks that moved."""
        moved = {
            following.key: following.mark
            for following in self._followings
            if following.mark is not None and following.mark != self._last.get(following.key)
        }
        self._last |= moved
        return {_KEPT + key: msgspec.msgpack.encode(mark) for key, mark in moved.items()}

    def learn(self, name: str, value: bytes) -> None:
        """See `mark_of`: a mark is needed when its target is opened, not later."""


def mark_of(kept: Mapping[str, bytes], key: str) -> Mark | None:
    """Return how far a target was in an earlier life of the run. Raises `RunError`."""
    value = kept.get(_KEPT + key)
    if not value:
        return None
    try:
        return msgspec.msgpack.decode(value, type=Mark)
    except msgspec.DecodeError as error:
        raise RunError(
            f"the run's frontier.db is broken: its mark of {key} cannot be read ({error})"
        ) from None
