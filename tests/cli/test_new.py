"""`crawl new NAME URL`."""

import ast
from pathlib import Path

import pytest

from crawler.urls import canonicalize
from tests.cli.command import crawl
from tests.site import Site

QUICK = ["-s", "delay=0", "-s", "min_free_bytes=0", "-s", "obey_robots=false"]


@pytest.mark.parametrize("name", ["my-site", "page", "x_1", "none", "list"])
async def test_the_spider_that_is_written_runs(tmp_path: Path, small: Site, name: str) -> None:
    made = await crawl(tmp_path, "new", name, small.url("/1"))
    assert made.status == 0
    (command,) = [word for word in made.out.split("`") if word.startswith("crawl ")]
    done = await crawl(tmp_path, *command.split()[1:], *QUICK)
    assert done.status == 0, done.err
    assert done.lines("items.jsonl") == [{"url": small.url("/1"), "title": "/1"}]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["site", "http://a/"], "spiders/site.py: exists already"),
        (["1a", "http://a/"], "a spider's name must be letters, digits and _"),
        (["../a", "http://a/"], "a spider's name must be letters, digits and _"),
        (["a", "http://["], "not a valid http(s) URL: 'http://['"),
        (["a", "ftp://a/"], "only http and https are crawled: 'ftp://a/'"),
        (["a"], "Missing argument 'URL'"),
    ],
)
async def test_what_cannot_be_written_is_refused(
    folder: Path, words: list[str], message: str
) -> None:
    before = (folder / "spiders" / "site.py").read_text()
    assert (await crawl(folder, "new", *words)).refuses(message)
    assert [path.name for path in (folder / "spiders").glob("*.py")] == ["site.py"]
    assert (folder / "spiders" / "site.py").read_text() == before


async def test_a_password_is_not_written_down(tmp_path: Path) -> None:
    assert (await crawl(tmp_path, "new", "a", "me:hunter2@a.example/x")).status == 0
    text = (tmp_path / "spiders" / "a.py").read_text()
    assert '"https://a.example/x"' in text
    assert "hunter2" not in text


async def test_a_url_may_leave_out_its_scheme(tmp_path: Path) -> None:
    assert (await crawl(tmp_path, "new", "a", "example.org/docs/")).status == 0
    assert 'start_urls = ["https://example.org/docs/"]' in (tmp_path / "spiders/a.py").read_text()


@pytest.mark.parametrize("rest", ["?\\\"];x='{y}\\", '"];1/0#\n?"]\\', '\u2028"""'])
async def test_a_url_breaks_out_of_no_quotes(tmp_path: Path, rest: str) -> None:
    url = f"https://a.example/{rest}"
    assert (await crawl(tmp_path, "new", "site", url)).status == 0
    tree = ast.parse((tmp_path / "spiders" / "site.py").read_text())
    (found,) = [node for node in ast.walk(tree) if isinstance(node, ast.List)]
    assert ast.literal_eval(found) == [canonicalize(url)]
