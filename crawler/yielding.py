"""What a callback gives, taken piece by piece."""

import inspect
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from crawler.parse.nodes import Element


async def drive(result: Any, take: Callable[[object], Awaitable[None] | None]) -> None:
    """Hand over what a callback gives: a generator of either kind, or a value returned."""
    if inspect.isasyncgen(result):
        try:
            async for value in result:
                if (more := take(value)) is not None:
                    await more
        finally:
            await result.aclose()
        return
    for value in result if isinstance(result, Iterator) else [await _value(result)]:
        if (more := take(value)) is not None:
            await more


async def _value(result: Any) -> object:
    return await result if inspect.isawaitable(result) else result


def nonsense(value: object) -> str:
    """Say what was expected instead of a value that means nothing."""
    hints = {
        "coroutine": "; an await is missing",
        "async_generator": "; loop over it with `async for`",
        "Form": "; form.submit() makes it a request",
        "Link": "; page.follow(link) makes it a request",
        "Node": "; page.follow(node) makes it a request",
        "str": "; page.follow(url) makes it a request",
    }
    name = "Node" if isinstance(value, Element) else type(value).__name__
    return f"expected an item, a Request, a list of these, or None; got {name}{hints.get(name, '')}"
