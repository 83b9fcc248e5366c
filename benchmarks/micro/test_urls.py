"""URLs: 100 of a kind, joined to the URL of a page, or made canonical."""

from itertools import count

import pytest

from benchmarks.micro.conftest import Measure
from crawler.urls import canonicalize, join

_numbers = count()

HREFS = {
    "plain": "topic-{n}.html",
    "folders": "library/asyncio/topic-{n}.html",
    "rooted": "/guide/topic-{n}.html",
    "absolute": "https://www.example.org/guide/topic-{n}.html",
    "dots": "../reference/./topic-{n}.html",
    "fragment": "topic-{n}.html#part-{n}",
    "fragment alone": "#part-{n}",
    "query": "?page={n}&sort=name",
    "not ASCII": "Über uns-{n}.html",
}
URLS = {
    "canonical": "https://www.example.org/guide/topic-{n}.html",
    "canonical query": "https://www.example.org/guide/?page={n}&sort=name",
    "fragment": "https://www.example.org/guide/topic-{n}.html#part-{n}",
    "upper case": "HTTPS://WWW.Example.org:443/guide/topic-{n}.html",
    "dots": "https://www.example.org/guide/../topic-{n}.html",
    "not ASCII": "https://www.example.org/Über uns-{n}.html",
}


def hundred(form: str) -> list[str]:
    return [form.format(n=next(_numbers)) for _ in range(100)]


@pytest.mark.benchmark(group="join: 100 hrefs")
@pytest.mark.parametrize("kind", HREFS)
def test_join(measure: Measure, kind: str) -> None:
    def fresh() -> tuple[str, list[str]]:
        return f"https://docs.example.org/guide/page-{next(_numbers)}.html", hundred(HREFS[kind])

    def work(page: tuple[str, list[str]]) -> list[str]:
        base, hrefs = page
        return [join(base, href) for href in hrefs]

    joined = measure(work, fresh=fresh)
    assert len(set(joined)) == (1 if kind == "fragment alone" else 100)


@pytest.mark.benchmark(group="canonicalize: 100 URLs")
@pytest.mark.parametrize("kind", URLS)
def test_canonicalize(measure: Measure, kind: str) -> None:
    def work(urls: list[str]) -> list[str]:
        return [canonicalize(url) for url in urls]

    made = measure(work, fresh=lambda: hundred(URLS[kind]))
    assert all(url.startswith("https://www.example.org/") and "#" not in url for url in made)
