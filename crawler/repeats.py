"""Which items have a key that was there before."""

from collections.abc import Awaitable, Callable, Collection, Sequence

from crawler.items import ItemLine
from crawler.outcome import Outcome


def have_keys(outcomes: Sequence[Outcome]) -> bool:
    """True if an item of these has a key that may be there already."""
    return any(line.key is not None for outcome in outcomes for line in outcome.items)


async def leave_out_repeats(
    outcomes: Sequence[Outcome], *, known: Callable[[Collection[int]], Awaitable[set[int]]]
) -> None:
    """Leave out, and count, the items whose key is `known`, or that of an item before them."""
    seen = await known(
        {line.key for outcome in outcomes for line in outcome.items if line.key is not None}
    )
    for outcome in outcomes:
        outcome.items = [line for line in outcome.items if _is_new(line, outcome, seen)]


def _is_new(line: ItemLine, outcome: Outcome, seen: set[int]) -> bool:
    if line.key is None:
        return True
    if line.key in seen:
        name = f"duplicate_items.{line.stream}"
        outcome.counts[name] = outcome.counts.get(name, 0) + 1
        return False
    seen.add(line.key)
    return True
