import os
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict, CIMultiDictProxy

from crawler.export.markdown_pages import MARK
from crawler.export.paths import marked, path_for
from crawler.export.stores import Ground, open_store
from crawler.request import Request
from crawler.response import Response
from crawler.settings import Settings
from crawler.urls import canonicalize

SETTINGS = Settings(pages="markdown", min_free_bytes=0)


def page(url: str, body: bytes, mime: str = "text/html; charset=utf-8") -> Response:
    headers = CIMultiDictProxy(CIMultiDict({"Content-Type": mime}))
    return Response(url, request=Request(url), body=body, headers=headers)


HELLO = b"<title>A &amp; \xe2\x80\xaeB:\n 'c' \"d\"</title><h1>Hello</h1><a href=x>x</a>"


async def test_html_pages_are_markdown_files_with_their_url_and_title(tmp_path: Path) -> None:
    async with open_store(Ground(tmp_path, SETTINGS)) as store:
        (place,) = await store.save([page("https://a.example/b/c.html", HELLO)])
    assert place.file == "pages/a.example/b/c.html+.md"
    assert (tmp_path / place.file).read_text("utf-8") == (
        '---\nurl: "https://a.example/b/c.html"\ntitle: "A & �B: \'c\' \\"d\\""\n---\n\n'
        "# Hello\n\n[x](https://a.example/b/x)\n"
    )


async def test_a_page_saved_again_is_the_same_file(tmp_path: Path) -> None:
    one = page("https://a.example/", HELLO)
    async with open_store(Ground(tmp_path, SETTINGS)) as store:
        first = await store.save([one, one])
        before = (tmp_path / first[0].file).read_bytes()
        assert await store.save([one]) == first[:1]
    assert (tmp_path / first[0].file).read_bytes() == before
    assert [name for _, _, files in os.walk(tmp_path) for name in files] == ["+index.html+.md"]


BOMB = b"<blockquote>" * 100 + b"<pre>" + b"x\n" * 400_000


@pytest.mark.parametrize(
    ("mime", "body"),
    [
        ("application/json", b'{"a": 1}'),
        ("text/plain; charset=windows-1251", "Привет".encode("cp1251")),
        ("text/markdown", b"# hello"),
        ("text/html", b""),
        ("text/html", b"\0\0binary"),
        ("text/html", BOMB),
    ],
)
async def test_what_cannot_be_markdown_is_kept_as_it_came(
    tmp_path: Path, mime: str, body: bytes
) -> None:
    async with open_store(Ground(tmp_path, SETTINGS)) as store:
        (place,) = await store.save([page("https://a.example/x.html", body, mime)])
    assert place.file == "pages/a.example/x.html"
    assert (tmp_path / place.file).read_bytes() == body


async def test_files_of_a_batch_keep_their_order_over_folders(tmp_path: Path) -> None:
    urls = [f"https://a.example/{folder}/{n}" for n in range(3) for folder in "ba"]
    pages = [page(url, f"<p>{url}".encode()) for url in urls]
    async with open_store(Ground(tmp_path, SETTINGS)) as store:
        names = [place.file for place in await store.save(pages)]
    assert [f"/{url[-3:]}+.md" in name for url, name in zip(urls, names, strict=True)]
    for url, name in zip(urls, names, strict=True):
        assert f"url: {msgspec.json.encode(url).decode()}" in (tmp_path / name).read_text()


SEGMENT = st.text("aA.+", max_size=3) | st.sampled_from(["x", "x.md", "x.html", "x+.md", "x+.html"])


@given(st.sets(st.tuples(SEGMENT, st.booleans()), max_size=6))
def test_no_two_pages_share_a_file(pages: set[tuple[str, bool]]) -> None:
    owners: dict[str, str] = {}
    for leaf, is_markdown in pages:
        url = canonicalize(f"https://a.example/{leaf}")
        name = marked(str(path_for(url)), MARK if is_markdown else "").lower()
        assert owners.setdefault(name, url) == url
