"""Items: 100 of a kind, checked and encoded."""

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

from benchmarks.micro.conftest import Measure
from crawler.items import Item, ItemKinds, ItemLine

_numbers = count()


class Book(Item, key="upc"):
    upc: str
    title: str
    price: float
    stars: int
    authors: list[str]
    review: str | None = None


def fields() -> dict[str, Any]:
    n = next(_numbers)
    return {
        "upc": f"upc-{n}",
        "title": f"A book with the number {n}, and a title of usual length",
        "price": n / 4,
        "stars": n % 6,
        "authors": ["One Author", "Another Author"],
        "review": None if n % 2 else "Words, as they are said of books: “good”.",
    }


def model() -> Callable[..., Any]:
    """Return the same item as a pydantic model."""
    pydantic = pytest.importorskip("pydantic")
    made: Callable[..., Any] = pydantic.create_model(
        "Book",
        upc=(str, ...),
        title=(str, ...),
        price=(float, ...),
        stars=(int, ...),
        authors=(list[str], ...),
        review=(str | None, None),
    )
    return made


@pytest.mark.benchmark(group="items: check 100")
@pytest.mark.parametrize("kind", ["Item", "dict", "pydantic"])
def test_check(measure: Measure, kind: str) -> None:
    make: Any = {"Item": lambda: Book, "dict": lambda: dict, "pydantic": model}[kind]()
    kinds = ItemKinds([make])

    def work(items: list[Any]) -> list[ItemLine]:
        return [kinds.check(item) for item in items]

    lines = measure(work, fresh=lambda: [make(**fields()) for _ in range(100)])
    assert lines[-1].line.startswith(b'{"upc":"upc-')
