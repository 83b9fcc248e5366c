"""Scrapy's expectations of sitemaps and links, read from its tests without running them."""

import ast
from collections.abc import Iterator
from typing import Any

from crawler import urls
from crawler.parse.links import extract
from crawler.parse.sitemaps import parse
from tests.conformance.packages import Package

SCRAPY = Package(
    registry="pypi",
    name="scrapy",
    version="2.19.0",
    file="scrapy-2.19.0.tar.gz",
    sha256="34130726582b64c91531162ab277c4053e558876d49ba219cb43679e71d80a87",
    sdist=True,
)


def sitemaps() -> Iterator[tuple[str, bool]]:
    """Each body that a test gives to `Sitemap`, and the `loc`s it expects in this order."""
    for test in _tests("test_utils_sitemap.py"):
        bodies = [
            call.args[0].value
            for call in _calls(test, "Sitemap")
            if call.args and isinstance(call.args[0], ast.Constant)
        ]
        lists = [_literal(node.comparators[0]) for node in _compares(test)]
        expected = [found for found in lists if isinstance(found, list)]
        if len(bodies) == len(expected) == 1 and isinstance(bodies[0], bytes):
            given = [entry.url for entry in parse(bodies[0]).entries]
            yield test.name, given == [urls.canonicalize(entry["loc"]) for entry in expected[0]]


def links() -> Iterator[tuple[str, bool]]:
    """Each page whose links a test takes without a filter, and those URLs, each once."""
    for test in _tests("test_linkextractors.py"):
        names = {
            target.id: _literal(node.value)
            for node in ast.walk(test)
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        pages = [call for call in _calls(test, "HtmlResponse") if call.args]
        plain = not any(c.args or c.keywords for c in _calls(test, "LxmlLinkExtractor"))
        wanted = [[_url_of(link) for link in _calls(node, "Link")] for node in _compares(test)]
        if not plain or len(pages) != 1 or len(wanted) != 1 or not wanted[0]:
            continue
        [page] = pages
        body = next((k.value for k in page.keywords if k.arg == "body"), None)
        html = names.get(body.id) if isinstance(body, ast.Name) else _literal(body)
        url = _literal(page.args[0])
        if isinstance(html, bytes | str) and isinstance(url, str):
            given = [link.url for link in extract(html, url)]
            web = [url for url in wanted[0] if url.startswith(urls.SCHEMES)]
            yield test.name, given == list(dict.fromkeys(map(urls.canonicalize, web)))


def _url_of(link: ast.Call) -> str:
    return next((str(_literal(word.value)) for word in link.keywords if word.arg == "url"), "")


def _tests(file: str) -> Iterator[ast.FunctionDef]:
    tree = ast.parse(SCRAPY.read(f"scrapy-2.19.0/tests/{file}"))
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test"):
            yield node


def _calls(tree: ast.AST, name: str) -> list[ast.Call]:
    found = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    return [
        c for c in found if (getattr(c.func, "id", None) or getattr(c.func, "attr", "")) == name
    ]


def _compares(tree: ast.AST) -> list[ast.Compare]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.Compare)]


def _literal(node: ast.AST | None) -> Any:
    try:
        return ast.literal_eval(node) if isinstance(node, ast.expr) else None
    except ValueError:
        return None
