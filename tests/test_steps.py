"""Steps: what items pass before they are written."""

import asyncio
import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from msgspec import structs

from crawler import Drop, Item, Response, Retry, Spider, Stop
from crawler.errors import SpiderError
from tests.harness import Crawl, crawl, html


class Word(Item):
    text: str


class Words(Spider[Word], delay=0):
    start_urls = ["http://a.example/"]

    def __init__(self, *steps: Callable[[Any], Any]) -> None:
        self.steps: Sequence[Callable[[Any], Any]] = steps

    def parse(self, page: Response) -> Any:
        return [Word(text="a"), Word(text="b"), page.follow("/2", callback="second")]

    def second(self, page: Response) -> Word:
        return Word(text="c")


async def plain(request: Any) -> Response:
    return html(request)


def passed(*steps: Callable[[Any], Any]) -> Crawl:
    return crawl(Words(*steps), plain)


def words(left: Crawl) -> list[str]:
    return [json.loads(line)["text"] for line in left.spool.lines["items"]]


def reasons(left: Crawl) -> list[tuple[str, str]]:
    lines = [json.loads(line) for line in left.spool.lines["failures"]]
    return [(line["kind"], line["reason"]) for line in lines]


def louder(word: Word) -> Word:
    return structs.replace(word, text=word.text + "!")


async def twice(word: Word) -> Word:
    await asyncio.sleep(1.0)
    return structs.replace(word, text=word.text * 2)


def not_b(word: Word) -> Word:
    if "b" in word.text:
        raise Drop("dull")
    return word


class Numbered:
    """A step with a state of its own."""

    def __init__(self) -> None:
        self.seen = 0

    def __call__(self, word: Word) -> Word:
        self.seen += 1
        return Word(text=f"{word.text}{self.seen}")


@pytest.mark.parametrize(
    ("steps", "left"),
    [
        ([louder, twice], ["a!a!", "b!b!", "c!c!"]),
        ([twice, louder], ["aa!", "bb!", "cc!"]),
        ([not_b, Numbered()], ["a1", "c2"]),
        ([Numbered(), not_b], ["a1", "c3"]),
    ],
)
def test_items_pass_the_steps_in_their_order(
    steps: list[Callable[[Any], Any]], left: list[str]
) -> None:
    assert words(passed(*steps)) == left


def test_what_a_step_drops_is_counted_by_its_reason() -> None:
    left = passed(not_b)
    assert (left.stats.counts["dropped.dull"], left.stats.items, reasons(left)) == (1, 2, [])


def forgets(word: Word) -> None:
    """A step without a return."""


def breaks(word: Word) -> Word:
    raise ValueError(f"bad {word.text}")


def again(word: Word) -> Word:
    raise Retry("once more")


@pytest.mark.parametrize(
    ("step", "kind", "words_"),
    [
        (forgets, "step", "step forgets returned None; return the item, or raise Drop"),
        (breaks, "step", "ValueError: bad a (test_steps.py:"),
        (again, "step", "a step cannot ask for a page again"),
        (lambda word: {"text": 1}, "item", "expected an item of type Word, got dict"),
        (lambda word: Word(text=1), "item", "Word: Expected `str`, got `int`"),  # type: ignore[arg-type]  # what is tested
        (lambda word: [word], "item", "expected an item of type Word, got list"),
    ],
)
def test_an_item_that_a_step_spoils_is_a_failure_and_its_page_counts(
    step: Callable[[Any], Any], kind: str, words_: str
) -> None:
    left = passed(step)
    assert (words(left), left.stats.pages) == ([], 2)
    assert [found for found, _ in reasons(left)] == [kind] * 3
    assert words_ in reasons(left)[0][1]


def test_a_step_may_stop_the_crawl() -> None:
    def enough(word: Word) -> Word:
        if word.text == "b":
            raise Stop("enough")
        return word

    left = passed(enough)
    assert (left.reason, words(left)) == ("enough", ["a"])


def test_a_step_may_count() -> None:
    class Counting(Words):
        def __init__(self) -> None:
            super().__init__(self.counted, not_b)

        def counted(self, word: Word) -> Word:
            self.count("words")
            return word

    assert crawl(Counting(), plain).stats.counts["user.words"] == 3


@pytest.mark.parametrize("steps", [louder, "louder", ["louder"], None])
def test_steps_that_are_no_list_of_functions_are_refused(steps: Any) -> None:
    spider = Words()
    spider.steps = steps
    with pytest.raises(SpiderError, match="spider words: steps must be a list of functions, got"):
        crawl(spider, plain)


class Found(Item):
    text: str
    length: int


def measured(word: Word) -> Found:
    return Found(text=word.text, length=len(word.text))


def test_a_step_may_make_an_item_of_another_type_that_is_declared() -> None:
    class Measuring(Spider[Word | Found], delay=0):
        start_urls = ["http://a.example/"]
        steps = [measured]

        def parse(self, page: Response) -> Word:
            return Word(text="abc")

    left = crawl(Measuring(), plain)
    assert [json.loads(line) for line in left.spool.lines["items"]] == [
        {"_type": "found", "text": "abc", "length": 3}
    ]
    assert left.stats.counts["items.found"] == 1
    assert reasons(passed(measured))[0] == ("item", "expected an item of type Word, got Found")


def test_drops_are_counted_by_reason_and_by_the_type_of_the_item() -> None:
    def none(word: Word) -> Word:
        raise Drop(word.text)

    counts = passed(none).stats.counts
    assert {name: n for name, n in counts.items() if name.startswith("dropped")} == {
        "dropped.a": 1,
        "dropped.b": 1,
        "dropped.c": 1,
        "dropped_items.word": 3,
    }
