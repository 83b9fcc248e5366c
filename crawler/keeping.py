"""What the parts of a crawl keep by name."""

import logging
import struct
from collections.abc import Iterable, Mapping

import msgspec

from crawler.errors import RunError, TargetError
from crawler.outcome import Batch
from crawler.protocols import Frontier, Memory

log = logging.getLogger(__name__)


def kept_by(memories: Iterable[Memory]) -> dict[str, bytes]:
    """Return what is new, by name; it is not told again."""
    return {name: value for memory in memories for name, value in memory.changes().items()}


def tell(memories: Iterable[Memory], kept: Mapping[str, bytes]) -> None:
    """Let memories learn what was kept by name. Raises `RunError` for what none of them wrote."""
    for name, value in kept.items():
        try:
            for memory in memories:
                memory.learn(name, value)
        except (ValueError, msgspec.DecodeError, struct.error) as error:
            what = name.partition(" ")[0]
            raise RunError(
                f"the run's frontier.db is broken: what it keeps of {what} cannot be read ({error})"
            ) from None


async def keep(frontier: Frontier, memories: Iterable[Memory]) -> None:
    """Commit what became new after the last outcome; a disk that is full by now is logged."""
    if not (kept := kept_by(memories)):
        return
    try:
        await frontier.commit(Batch(kept=kept))
    except TargetError as error:
        log.error("%s; the last of what was written may be written once more", error)
