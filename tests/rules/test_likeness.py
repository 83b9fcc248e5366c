"""Likeness: the same bytes, and nearly the same text."""

import itertools
from random import Random

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from crawler.request import Request
from crawler.response import Response
from crawler.rules.likeness import Likeness, likeness_of, simhash, visible_text


def words(seed: int, number: int = 400) -> list[str]:
    random = Random(seed)
    return [f"word{random.randrange(3_000)}" for _ in range(number)]


def page(body: str, mime: str = "text/html") -> Response:
    headers = CIMultiDictProxy(CIMultiDict({"Content-Type": f"{mime}; charset=utf-8"}))
    url = "http://h/"
    return Response(url, request=Request(url), body=body.encode(), headers=headers)


def likeness(body: str, mime: str = "text/html") -> Likeness:
    found = likeness_of(page(body, mime))
    assert found is not None
    return found


def test_pages_that_differ_in_a_word_and_in_what_nobody_sees_are_nearly_the_same() -> None:
    some = words(1)
    one = f"<title>t</title><script>now=1</script><p>{' '.join(some)}</p>"
    some[200] = "another"
    two = f"<title>t</title><script>now=2; x()</script><!-- 17 --><div>{' '.join(some)}</div>"
    assert likeness(one).is_near(likeness(two))
    assert likeness(one).digest != likeness(two).digest


def test_other_pages_are_not_though_they_have_half_of_their_words_in_common() -> None:
    frame = words(0, 200)
    pages = [likeness(" ".join([*frame, *words(seed, 200)])) for seed in range(1, 60)]
    assert not [1 for one, two in itertools.combinations(pages, 2) if one.is_near(two)]


def test_one_changed_word_of_four_hundred_is_mostly_not_noticed() -> None:
    near = 0
    for seed in range(100):
        some = [word.encode() for word in words(seed)]
        before = simhash(some)
        some[seed] = b"changed"
        near += (before ^ simhash(some)).bit_count() <= 3
    assert near > 75


def test_a_page_with_hardly_any_text_is_like_no_other() -> None:
    assert likeness_of(page("<script>" + "x" * 10_000 + "</script><p>Not found</p>")) is None
    assert likeness_of(page("")) is None


def test_what_is_no_text_is_compared_by_its_bytes_only() -> None:
    data = '{"name": "value"}' * 100
    assert likeness(data, "application/json").simhash is None
    assert likeness(data, "application/json") == likeness(data, "application/json")
    assert likeness(" ".join(words(1)), "text/plain").simhash is not None
    large = " ".join(words(1, 20_000))
    assert (likeness(large, "text/plain").simhash, len(large) > 100_000) == (None, True)
    assert likeness(large, "text/html").simhash is not None


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>one<b>two</b></p>", "one two"),
        ("one<SCRIPT src=x>two</Script >three", "one three"),
        ("one<!-- <p>two --> three", "one three"),
        ("one<style>two", "one"),
        ("one < two > three <p", "one three <p"),
        ("<<<<p>one", "<<< one"),
    ],
)
def test_the_text_is_what_a_reader_sees_or_nearly_so(html: str, text: str) -> None:
    assert " ".join(visible_text(html).split()) == text


@pytest.mark.parametrize(
    "piece", ["<", "<script", "<script>", "<!--", "</script", "<style></style"]
)
def test_hostile_html_takes_no_time(piece: str) -> None:
    # Quadratic, a million of them would take hours.
    visible_text(piece * 1_000_000)


def test_a_simhash_is_the_same_in_every_process() -> None:
    # Made of `hash(str)`, it would be another number each time. CPython 3.11 to 3.13 agree.
    assert simhash([b"w%d" % n for n in range(100)]) == 15984861279918743435
