"""What a strict type checker takes, and what it refuses."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]

# A line that must be refused says so, with mypy's code for it.
WRONG = """
from collections.abc import Sequence
from typing import Annotated

from crawler import Item, Out, Request, Response, Spider, crawl, css, stream


class Quote(Item):
    text: str
    stars: int = 0


class Quotes(Spider[Quote], delay=0.5, accept="text/html", max_pages=None):
    async def parse(self, page: Response) -> Out[Quote]:
        yield Quote(text="Go.")
        yield page.follow_all(css="a.next")
        yield None
        yield 3  # refused: misc
        yield Quote(text=3)  # refused: arg-type
        yield Quote(text="Go.", author="Ann")  # refused: call-arg
        yield Quote("Go.")  # refused: call-arg
        yield page.follow("/next", callback=7)  # refused: arg-type
        yield Request("/next", colour="red")  # refused: call-arg
        missing: str = page.attr("href", default=None)  # refused: arg-type


class Book(Item):
    title: Annotated[str, css("h1")]


def read(page: Response) -> None:
    book: Quote = Book.extract(page)  # refused: assignment
    Book.extract("h1")  # refused: arg-type


class Misspelt(Spider[Quote], dealy=0.5):  # refused: call-arg
    pass


class Mistyped(Spider[Quote], delay="slow"):  # refused: arg-type
    pass


class Unknown(Spider[Quote], pages="tape"):  # refused: arg-type
    pass


async def library() -> None:
    await crawl(Quotes, dealy=1)  # refused: call-arg
    async with stream(Quotes) as quotes:
        async for quote in quotes:
            quote.author  # refused: attr-defined
"""


def mypy(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_typed_examples_and_the_example_spiders_pass_strictly() -> None:
    spiders = sorted(str(path) for path in (ROOT / "spiders").glob("*.py"))
    done = mypy("tests/typing_examples.py", *spiders)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


def test_wrong_settings_items_and_requests_are_refused_where_they_stand(tmp_path: Path) -> None:
    file = tmp_path / "wrong.py"
    file.write_text(WRONG)
    refused = {
        int(number): code
        for number, code in re.findall(
            r"wrong\.py:(\d+): error: .*\[([\w-]+)\]$", mypy(str(file)).stdout, re.MULTILINE
        )
    }
    expected = {
        number: match[1]
        for number, line in enumerate(WRONG.splitlines(), start=1)
        if (match := re.search(r"# refused: ([\w-]+)", line))
    }
    assert refused == expected
