"""Whatever a site says, it forges no line and drives no terminal."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.cli.command import Done, crawl, on_terminal
from tests.site import Site

EVIL = (
    "\x1b[2J\x1b]0;owned\x07\x9b31m\x1b]8;;http://evil.example\x1b\\\u202egpj\u2066\u200b\ufeff\x7f"
    "\n2026-01-01T00:00:00.000+00:00 error   crawler: forged\r\nfailed    forged\x85error: forged"
    "\u2028error: forged\x0berror: forged\n{\"level\":\"error\",\"message\":\"forged\"}\n"
)  # fmt: skip
SPIDER = r"""
from crawler import Drop, Item, Out, Response, Retry, Spider, Stop

class Page(Item):
    url: str
    title: str

class Evil(Spider[Page], delay=0, min_free_bytes=0, retries=1, backoff=0.01, accept="*"):
    def __init__(self, start: str) -> None:
        self.start_urls = [start]

    async def parse(self, page: Response) -> Out[Page]:
        # As aiohttp gives bytes of a header that are no UTF-8: text that no encoding has.
        title = page.html + page.headers.get("X-Odd", "\udcff")
        yield page.follow_all()
        if page.depth == 0:
            return
        self.log.info("an info %s", title)
        self.log.error("an error %s", title)
        self.count(title)
        match page.url.rpartition("/")[2]:
            case "drop":
                raise Drop(title)
            case "raise":
                raise ValueError(title)
            case "retry":
                raise Retry(title, after=0)
            case "stop":
                raise Stop(title)
            case "item":
                yield Page(url=page.url, title=page.html)
"""
PATHS = ["/drop", "/raise", "/retry", "/item", "/status", "/line", "/type", "/coding", "/location",
         "/cookie", "/header"]  # fmt: skip


@pytest.fixture
def evil(folder: Path, site: Site) -> Site:
    (folder / "spiders" / "evil.py").write_text(SPIDER)
    bad = EVIL.replace("\r", "").replace("\n", "").encode()
    links = "".join(f'<a href="{path}">' for path in PATHS)
    odd = "".join(f'<a href="/{c}{EVIL}">' for c in "ab") + f'<a href="http://{EVIL}/">'
    site.page("/", body=links + odd, type="text/html; charset=utf-8")
    for path in ("/drop", "/raise", "/retry", "/item", "/stop"):
        site.page(path, body=EVIL, type="text/plain; charset=utf-8")

    def raw(path: str, head: bytes, *more: bytes) -> None:
        lines = [head, *more, b"Content-Length: 1", b"Connection: close", b"", b"x"]
        site.raw(path, b"\r\n".join(lines))

    odd_bytes = b"\xc2\x9b31m\xe2\x80\xae\xff\xfe\xed\xa0\x80"
    raw("/status", b"HTTP/1.1 404 " + odd_bytes)
    raw("/line", b"HTTP/1.1 " + bad)
    raw("/type", b"HTTP/1.1 200 OK", b"Content-Type: text/" + odd_bytes)
    raw("/coding", b"HTTP/1.1 200 OK", b"Content-Encoding: " + odd_bytes)
    raw("/location", b"HTTP/1.1 302 OK", b"Location: http://" + odd_bytes + b"/")
    raw("/cookie", b"HTTP/1.1 200 OK", b"Set-Cookie: " + odd_bytes + b"=" + odd_bytes)
    raw("/header", b"HTTP/1.1 200 OK", b"X-Odd: " + odd_bytes)
    return site


def is_clean(text: str) -> bool:
    """True if there are only printable characters, in lines that nobody forged."""
    lines = text.split("\n")
    forged = [
        line for line in lines if re.match(r"(2026-01-01|\w+:? +forged|\{.*forged\"\}$)", line)
    ]
    return all(line.replace("\t", "").isprintable() for line in lines) and not forged


def files_are_whole(done: Done) -> bool:
    """True if other programs read what the run left."""
    for name in ("items", "pages", "failures"):
        assert done.lines(f"{name}.jsonl")
    for path in [*done.run.glob("*.json"), *done.run.glob("*.jsonl")]:
        subprocess.run(["jq", "-e", ".", path], check=True, capture_output=True)
    return True


async def test_a_hostile_site_forges_nothing_and_drives_no_terminal(
    folder: Path, evil: Site
) -> None:
    done = await crawl(folder, "evil", "-a", f"start={evil.url()}", "-vv")
    assert done.status == 0
    assert {hit.path for hit in evil.log} >= set(PATHS)
    assert "an error" in done.err
    assert is_clean(done.err)
    assert is_clean((done.run / "crawl.log").read_text())
    assert "forged" in (done.run / "crawl.log").read_text()
    assert files_are_whole(done)
    (item,) = done.lines("items.jsonl")
    assert item["title"] == EVIL  # data stays as it is
    shown = await crawl(folder, "runs")
    assert is_clean(shown.out)


async def test_a_url_is_shown_as_it_is(folder: Path, evil: Site) -> None:
    evil.page("/", links=["/:skull:[red]x[/red]"])
    done = await crawl(folder, "evil", "-a", f"start={evil.url()}", "-v")
    assert done.err.count("/:skull:[red]x[/red]") > 1


async def test_short_words_are_clean_too(folder: Path, evil: Site) -> None:
    done = await crawl(folder, "evil", "-a", f"start={evil.url('/stop')}")
    assert is_clean(done.err)
    done = await crawl(folder, "evil", "-a", f"start={evil.url()}", "-s", f"output_dir={folder}/o")
    assert is_clean(done.err)


async def test_a_reason_to_stop_is_clean_wherever_it_is_told(folder: Path, evil: Site) -> None:
    evil.page("/", links=["/stop"])
    done = await crawl(folder, "evil", "-a", f"start={evil.url()}")
    assert "forged" in done.report["reason"]
    assert is_clean(done.err)
    shown = await crawl(folder, "runs")
    assert "forged" in shown.out
    assert is_clean(shown.out)


async def test_a_json_log_is_ascii_where_a_terminal_would_obey(folder: Path, evil: Site) -> None:
    done = await crawl(folder, "evil", "-a", f"start={evil.url()}", "--log-json", "-vv")
    log = (done.run / "crawl.log").read_text()
    for text in (done.err, log):
        assert text.replace("\n", "").isprintable()
        entries = [json.loads(line) for line in text.splitlines()]
        assert all(entry["level"] and entry["time"] and entry["logger"] for entry in entries)
    assert any(EVIL.partition("\n")[0] in entry["message"] for entry in entries)
    subprocess.run(["jq", "-e", "."], input=log.encode(), check=True, capture_output=True)


async def test_a_terminal_gets_only_our_own_sequences(folder: Path, evil: Site) -> None:
    _, text = await on_terminal(folder, "evil", "-a", f"start={evil.url()}", "-v")
    ours = re.sub(r"\x1b\[(\?25[lh]|[\d;]*m|2K|1A)", "", text)
    assert ours.replace("\r", "").replace("\n", "").isprintable()
    assert "an error" in text


async def test_a_spiders_own_words_are_clean_in_a_list(folder: Path) -> None:
    text = f'from crawler import Spider\nclass Odd(Spider):\n    """{EVIL.splitlines()[0]}"""\n'
    (folder / "spiders" / "odd.py").write_text(text)
    done = await crawl(folder, "list")
    assert "odd" in done.out
    assert is_clean(done.out)


@pytest.mark.parametrize("words", [("a\x1b[2J",), ("site", "-s", "\u202edelay=1"), ("site\n\nx",)])
async def test_what_was_typed_is_shown_clean(folder: Path, words: tuple[str, ...]) -> None:
    done = await crawl(folder, *words)
    assert done.refuses("unknown")
    assert is_clean(done.err)


@pytest.mark.parametrize("word", ["top=\udcff", "start=http://\udcff/", "\udcff"])
async def test_bytes_that_are_no_text_begin_nothing(folder: Path, word: str) -> None:
    done = await crawl(folder, "site", "-a", "start=http://127.0.0.1:9/", "-a", word)
    assert done.refuses("is no text in UTF-8")
