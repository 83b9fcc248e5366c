"""What a page costs as a file: `python benchmarks/pages.py [FOLDER]`.

Prints microseconds a page of 10 KB for `FilePages.save`, by pages in a batch, and for writing the
same files in place, without the part file and its renaming. Best of five rounds of 2,000 new files.
"""

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from crawler.export.pages import FilePages, path_for
from crawler.request import Request
from crawler.response import Response

_PAGES = 2000
_BODY = b"x" * 10_000
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC


def _pages() -> list[Response]:
    urls = (f"http://127.0.0.1/part{n % 20}/{n}.html" for n in range(_PAGES))
    return [Response(url, request=Request(url), body=_BODY) for url in urls]


async def _saved(pages: Sequence[Response], folder: Path, *, batch: int) -> float:
    async with FilePages(folder / "pages") as store:
        start = time.perf_counter()
        for n in range(0, _PAGES, batch):
            await store.save(pages[n : n + batch])
        return time.perf_counter() - start


def _in_place(pages: Sequence[Response], folder: Path) -> float:
    start = time.perf_counter()
    for page in pages:
        path = os.path.join(folder, path_for(page.url))
        try:
            fd = os.open(path, _NEW_FILE, 0o666)
        except FileNotFoundError:
            os.makedirs(os.path.dirname(path))
            fd = os.open(path, _NEW_FILE, 0o666)
        os.write(fd, page.body)
        os.close(fd)
    return time.perf_counter() - start


def main() -> None:
    """Measure and print."""
    pages, best = _pages(), dict.fromkeys(("batches of 1", "batches of 100", "in place"), 1e9)
    for _ in range(5):
        for name in best:
            with tempfile.TemporaryDirectory(dir=sys.argv[1] if sys.argv[1:] else None) as folder:
                if name == "in place":
                    seconds = _in_place(pages, Path(folder))
                else:
                    batch = int(name.split()[-1])
                    seconds = asyncio.run(_saved(pages, Path(folder), batch=batch))
            best[name] = min(best[name], seconds)
    for name, seconds in best.items():
        print(f"{name:15} {seconds / _PAGES * 1e6:6.0f} µs a page")


if __name__ == "__main__":
    main()
