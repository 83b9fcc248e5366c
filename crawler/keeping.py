"""What the parts of a crawl keep by name."""

import logging
from collections.abc import Iterable

from crawler.errors import TargetError
from crawler.outcome import Batch
from crawler.protocols import Frontier, Memory

log = logging.getLogger(__name__)


def kept_by(memories: Iterable[Memory]) -> dict[str, bytes]:
    """Return what is new, by name; it is not told again."""
    return {name: value for memory in memories for name, value in memory.changes().items()}


async def keep(frontier: Frontier, memories: Iterable[Memory]) -> None:
    """Commit what became new after the last outcome; a disk that is full by now is logged."""
    if not (kept := kept_by(memories)):
        return
    try:
        await frontier.commit(Batch(kept=kept))
    except TargetError as error:
        log.error("%s; the last of what was written may be written once more", error)
