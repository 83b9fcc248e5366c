"""What the documentation shows is true: every example runs, against sites served here."""

import ast
import inspect
import re
import subprocess
import sys
import textwrap
import tomllib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import click
import pytest
from aiohttp import web

from crawler import Spider, crawl
from crawler.cli import COMMANDS, run
from crawler.errors import SettingError
from crawler.settings import Layer, merge
from tests import settings_table
from tests.export.test_images import picture
from tests.site import Site

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
HOSTS = {
    "quotes.toscrape.com": "127.0.0.1",
    "shop.example": "127.0.0.2",
    "example.org": "127.0.0.3",
    "example.net": "127.0.0.4",
}


def blocks(page: Path, language: str) -> list[str]:
    return [text for name, text in BLOCK.findall(page.read_text()) if name == language]


WITH_PYTHON = [page for page in PAGES if blocks(page, "python")]


def named(page: Path) -> str:
    return page.name


@pytest.fixture
async def web_of_the_docs() -> AsyncIterator[Site]:
    """The sites that the examples name, on loopback addresses."""
    async with Site(list(HOSTS.values())) as site:
        _quotes(site, HOSTS["quotes.toscrape.com"])
        _shop(site, HOSTS["shop.example"])
        for name in ("example.org", "example.net"):
            site.page("/", title=f"At {name}", host=HOSTS[name])
        yield site


def _quotes(site: Site, host: str) -> None:
    quote = '<div class="quote"><span class="text">“{0}”</span><b class="author">{1}</b></div>'
    more = '<li class="next"><a href="/page/2/">Next</a></li>'
    site.page("/", body=quote.format("Go.", "Ann") + more, host=host)
    site.page("/page/2/", body=quote.format("Stay.", "Bob"), host=host)
    fields = '<input type="hidden" name="csrf_token" value="t1"><input name="username">'
    form = f'<form action="/login" method="post">{fields}<input type="password" name="password">'
    site.page("/home", body="<h1>Hello</h1><a href='/logout'>Logout</a>", host=host)

    async def login(request: web.BaseRequest) -> web.StreamResponse:
        if request.method == "GET":
            return web.Response(text=form, content_type="text/html")
        sent = site.log[-1].body
        good = sent == b"csrf_token=t1&username=me&password=secret"
        return web.Response(status=302, headers={"Location": "/home" if good else "/login"})

    site.handle("/login", login, host=host)


_BOOK = """
<h1>The Sea</h1><p class="price">1.234,50 €</p><p>ISBN 978-3-16</p>
<time datetime="2024-05-06">May</time>
<p class="subjects"><a href="/subjects/sea">Sea</a> <a href="/subjects/art">Art</a></p>
<div class="review" data-stars="4"><b class="author">Ann</b></div>
<div class="review" data-stars="5"><b class="author">Bob</b></div>
<table class="facts"><tr><th>Pages</th><td>120</td></tr><tr><th>Size</th><td>A4</td></tr></table>
<table class="shops"><tr><th>Shop</th><th>Town</th></tr><tr><td>Quay</td><td>Hull</td></tr></table>
<script>window.stock = {"pieces": 3};</script>
"""


def _shop(site: Site, host: str) -> None:
    base = site.url("", host=host)
    lamps = '<h1>Lamps</h1><a class="lamp" href="/p/1">1</a><a class="lamp" href="/p/2">2</a>'
    site.page("/lamps", body=f'{lamps}<a class="next" href="/lamps?page=2">more</a>', host=host)
    site.page("/lamps?page=2", body='<h1>Lamps</h1><a class="lamp" href="/p/gone">3</a>', host=host)
    site.page("/bulbs", body="<h1>Bulbs</h1>", host=host)
    site.page("/p/1", body='<title>One</title><h1>One</h1><p class="price">€ 12.50</p>', host=host)
    site.page("/p/gone", status=410, host=host)
    asked: list[str] = []

    async def late(request: web.BaseRequest) -> web.StreamResponse:
        asked.append(request.path)
        price = "€ 1200.00" if len(asked) > 1 else "…"
        text = f'<title>Two</title><h1>Two</h1><p class="price">{price}</p>'
        return web.Response(text=text, content_type="text/html")

    site.handle("/p/2", late, host=host)
    site.page("/books/1", body=_BOOK, host=host)
    offer = '<div class="offer"><h2>Lamp</h2><p class="price">{0}</p></div>'
    site.page("/offers", body=offer.format("£5") + offer.format("ask us"), host=host)
    shown = '<img class="lamp" src="/lamp.png" alt="Lamp"><a class="manual" href="/m.pdf">How</a>'
    site.page("/pictures", body=shown, host=host)
    site.page("/lamp.png", body=picture("PNG"), type="image/png", host=host)
    site.page("/m.pdf", body=b"%PDF-1.7\n", type="application/pdf", host=host)
    site.page("/api/stock/1", body='{"pieces": 3}', type="application/json", host=host)
    site.robots(f"User-agent: *\nDisallow: /cart\nSitemap: {base}/sitemap.xml", host=host)
    urlset = f"<urlset><url><loc>{base}/p/1</loc></url></urlset>"
    site.page("/sitemap.xml", body=urlset, type="application/xml", host=host)
    for letter in "ab":
        site.page(f"/search?q={letter}", title=letter, host=host)


def local(text: str, site: Site) -> str:
    """Return an example with loopback addresses for the hosts it crawls."""
    for name, address in HOSTS.items():
        url = site.url("", host=address)
        text = re.sub(rf'(?<=["\'])https://{re.escape(name)}(?=/)', url, text)
    return text


def compiled(text: str, page: Path) -> CodeType:
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    code = compile(text, page.name, "exec", flags=flags, dont_inherit=True)
    assert isinstance(code, CodeType)
    return code


async def run_blocks(page: Path, site: Site, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Run a page's examples one after the other, as in a notebook; return what they defined."""
    module = ModuleType(f"docs_{page.stem}")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    for text in blocks(page, "python"):
        running = eval(compiled(local(text, site), page), vars(module))
        if inspect.isawaitable(running):
            await running
    return vars(module)


def spiders_in(names: dict[str, Any]) -> list[Callable[..., Spider[Any]]]:
    """Return the spiders that an example defined and that need no arguments."""
    own = [
        kind
        for kind in names.values()
        if isinstance(kind, type) and issubclass(kind, Spider) and kind is not Spider
    ]
    return [kind for kind in own if not _needs_arguments(kind)]


def _needs_arguments(kind: type[Spider[Any]]) -> bool:
    given = list(inspect.signature(kind.__init__).parameters.values())[1:]
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return any(p.default is p.empty and p.kind in named for p in given)


@pytest.mark.parametrize("page", WITH_PYTHON, ids=named)
async def test_every_example_runs_and_every_spider_finds_something(
    page: Path, web_of_the_docs: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    defined = await run_blocks(page, web_of_the_docs, monkeypatch)
    for spider in spiders_in(defined):
        report = await crawl(spider(), delay=0.0, min_free_bytes=0)
        assert report.exit_status == 0, report.reason
        assert report.item_count > 0
        assert set(report.failures) <= {"status"}, report.examples


def test_every_example_is_typed_strictly(tmp_path: Path) -> None:
    files = []
    for page in WITH_PYTHON:
        texts = [_checkable(text, number) for number, text in enumerate(blocks(page, "python"))]
        files.append(tmp_path / f"docs_{page.stem.replace('-', '_')}.py")
        files[-1].write_text("\n".join(texts))
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", *map(str, files)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout


def _checkable(text: str, number: int) -> str:
    """Return an example as a module has it: what awaits goes into a function."""
    if not re.search(r"^(?:\w+ = |[\w, ]+ = )?await |^async (?:with|for) ", text, re.MULTILINE):
        return text
    imports = [line for line in text.splitlines() if re.match(r"import |from ", line)]
    return "\n".join(
        [*imports, f"async def example_{number}() -> None:", textwrap.indent(text, "    ")]
    )


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_a_link_leads_to_a_file_or_a_heading(page: Path) -> None:
    text = BLOCK.sub("", page.read_text())
    for target in re.findall(r"\]\((?!https?://)([^)\s]+)\)", text):
        name, _, heading = target.partition("#")
        file = page.parent / name if name else page
        assert file.is_file(), target
        headings = re.findall(r"^#+ (.*)$", file.read_text(), re.MULTILINE)
        assert not heading or heading in [h.lower().replace(" ", "-") for h in headings], target


def test_the_table_of_settings_is_what_the_code_says() -> None:
    text = settings_table.PAGE.read_text()
    assert settings_table.page_with_table(text) == text, "run python -m tests.settings_table"


def test_the_commands_and_options_in_the_book_are_those_there_are() -> None:
    text = (ROOT / "docs" / "index.md").read_text()
    assert set(re.findall(r"`crawl ([a-z]+)\b(?!/)", text)) == set(COMMANDS)
    options = {
        option
        for option in run.command.params
        if isinstance(option, click.Option) and not option.hidden
    }
    shown = set(re.findall(r"(?<!-)--?[a-z][a-z-]*", " ".join(re.findall(r"`(-[^`]+)`", text))))
    assert all(shown & set(option.opts) for option in options)
    assert shown <= {name for option in options for name in option.opts} | {"-vv"}


def test_the_settings_in_the_book_are_taken_and_its_mistakes_refused_in_its_words() -> None:
    page = ROOT / "docs" / "settings.md"
    for text in blocks(page, "toml"):
        merge([Layer("crawler.toml", tomllib.loads(text))])
    for layer, name, value in (
        ("crawler.toml", "dealy", 1.0),
        ("command line", "delay", "-1"),
    ):
        with pytest.raises(SettingError) as caught:
            merge([Layer(layer, {name: value})])
        assert f"crawl: {caught.value}\n" in page.read_text()
