"""`--pages markdown`."""

import os
from pathlib import Path

from tests.cli.command import crawl
from tests.site import Site

ROOT = Path(__file__).parents[2]


async def test_pages_are_kept_as_markdown_and_the_index_names_them(
    folder: Path, site: Site
) -> None:
    site.page("/", body="<title>Top</title><h1>Hello</h1><a href=/a.txt>a</a>")
    site.page("/a.txt", body="as it is", headers={"Content-Type": "text/plain"})
    words = ["-a", f"start={site.url()}", "--pages", "markdown"]
    done = await crawl(folder, "site", *words)
    assert done.status == 0
    top, text = done.lines("pages.jsonl")
    assert top["file"].endswith("/+index.html+.md")
    assert (done.run / top["file"]).read_text() == (
        f'---\nurl: "{site.url()}"\ntitle: "Top"\n---\n\n# Hello\n\n[a]({site.url("/a.txt")})\n'
    )
    assert (done.run / text["file"]).read_text() == "as it is"


async def test_without_the_extra_the_crawl_does_not_begin(folder: Path, site: Site) -> None:
    broken = folder / "lib"
    broken.mkdir()
    (broken / "html_to_markdown.py").write_text("raise ImportError")
    path = os.pathsep.join([str(broken), str(ROOT)])
    words = ["-a", f"start={site.url()}", "--pages", "markdown"]
    done = await crawl(folder, "site", *words, PYTHONPATH=path)
    assert done.status == 2
    assert "Markdown needs an extra: pip install 'crawlkeeper[text]'" in done.err
    assert "Traceback" not in done.err
    assert not site.log
