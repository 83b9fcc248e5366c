"""A page: its tree, its links, the requests for them."""

import pytest

from benchmarks.micro.conftest import Measure
from benchmarks.micro.pages import INSTALLED, answer, body_of
from crawler.response import Response

each_page = pytest.mark.parametrize("name", ["24 links", "300 links", *INSTALLED])
FEWEST = 15  # different URLs of any of them


def parsed(body: bytes) -> Response:
    """Return an answer whose tree is there already."""
    page = answer(body)
    assert page.tree.root is not None
    return page


@each_page
@pytest.mark.benchmark(group="page: bytes to tree")
def test_tree(measure: Measure, name: str) -> None:
    body = body_of(name)
    tree = measure(lambda page: page.tree, fresh=lambda: answer(body))
    assert tree.css_first("a[href]") is not None


@each_page
@pytest.mark.benchmark(group="page: tree to links")
def test_links(measure: Measure, name: str) -> None:
    body = body_of(name)
    links = measure(lambda page: page.links(), fresh=lambda: parsed(body))
    assert len(links) >= FEWEST


@each_page
@pytest.mark.benchmark(group="page: tree to requests")
def test_follow_all(measure: Measure, name: str) -> None:
    body = body_of(name)
    found = measure(lambda page: page.follow_all(), fresh=lambda: parsed(body))
    assert len(found) >= FEWEST


@each_page
@pytest.mark.benchmark(group="page: bytes to requests")
def test_all_of_it(measure: Measure, name: str) -> None:
    body = body_of(name)
    found = measure(lambda page: page.follow_all(), fresh=lambda: answer(body))
    assert len(found) >= FEWEST
