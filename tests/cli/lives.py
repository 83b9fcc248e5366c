"""A run of several lives: crawls that are killed, and what they leave."""

import asyncio
from asyncio.subprocess import Process
from collections import Counter
from pathlib import Path
from typing import Any

from tests.cli.command import Done, crawl, lines, start
from tests.site import Site

PAGES = 60


def grow(site: Site) -> None:
    """Serve a tree of `PAGES` pages, most of which are linked twice, with three holes.

    "/lonely" is no part of it, and links to nothing.
    """
    site.page("/lonely")
    for number in range(PAGES):
        if number in (20, 31, 47):
            site.page(f"/{number}", status=404 + number)
        else:
            site.page(f"/{number}" if number else "/", links=links_of(number))


def links_of(number: int) -> list[str]:
    """Return where page `number` leads."""
    below = range(number * 3 + 1, min(number * 3 + 6, PAGES))
    return ["/", *(f"/{page}" for page in below)]


async def begun(folder: Path, site: Site, path: str, *words: str) -> Process:
    """Start a crawl; return when it asks for a page."""
    asked = site.asked(path)
    process = await start(folder, *words)
    tasks = [asyncio.create_task(asked.wait()), asyncio.create_task(process.wait())]
    _, pending = await asyncio.wait(tasks, timeout=30, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    if not asked.is_set():
        process.kill() if process.returncode is None else None
        raise AssertionError(f"{path} was not asked for: {await process.communicate()}")
    return process


async def killed(folder: Path, site: Site, path: str, *words: str) -> None:
    """Start a crawl, and kill it as it asks for a page."""
    process = await begun(folder, site, path, *words)
    process.kill()
    await process.communicate()


async def stopped(folder: Path, site: Site, *words: str, pages: int = 3) -> Done:
    """Crawl a few pages of a site, and stop in good order."""
    limits = ("--max-pages", str(pages))
    done = await crawl(folder, "site", "-a", f"start={site.url()}", *words, *limits)
    assert "stopped at max_pages" in done.err
    return done


def kept(run: Path, items: Path | None = None) -> dict[str, Counter[Any]]:
    """Return what a run has kept, as multisets."""
    return {
        "items": Counter(str(item) for item in lines(items or run / "items.jsonl")),
        "pages": Counter((page["url"], page["status"]) for page in lines(run / "pages.jsonl")),
        "failures": Counter((f["url"], f["kind"]) for f in lines(run / "failures.jsonl")),
        "bodies": Counter(
            str(file.relative_to(run)) for file in (run / "pages").rglob("*") if file.is_file()
        ),
    }


async def said_by(process: Process, words: str) -> str:
    """Return what a crawl said on standard error up to a line that has `words`."""
    assert process.stderr is not None
    said = ""
    async with asyncio.timeout(30):
        while words not in said:
            line = await process.stderr.readline()
            assert line, said
            said += line.decode()
    return said
