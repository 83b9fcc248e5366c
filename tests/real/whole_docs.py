"""All of Python's documentation as WARC: killed, gone on with, checked, and parsed again.

`python -m tests.real.whole_docs` exits with 1, and says why, if it is not as it should be.
"""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from random import Random
from urllib.parse import unquote

from benchmarks.sites import serve
from tests.cli.command import lines
from tests.export.archives import archives, is_sound, records
from tests.real.test_python_docs import DOCS

ROOT = Path(__file__).parents[2]
KILLS = 3
_CRAWL = ("-q", "-s", "delay=0", "-s", "per_host=8", "-s", "warc_bytes=2000000")
_LONGEST = 300.0
_TICK = 0.02


def main() -> int:
    """Archive the documentation, by one process and by two; return the exit status."""
    wrong: list[str] = []
    for processes in (1, 2):
        with tempfile.TemporaryDirectory(prefix="archive-") as folder:
            wrong += [f"{processes} processes: {text}" for text in _wrong(Path(folder), processes)]
    print("\n".join(wrong) or "all is as it should be")
    return int(bool(wrong))


def _wrong(folder: Path, processes: int) -> Iterator[str]:
    """Give what is not as it should be."""
    live, stored, again = (folder / name for name in ("live", "stored", "again"))
    with serve(DOCS.resolve(), addresses=1, gzip=True) as (start,):
        _finish(live, start, "--pages", "none")
        killed = _suffer(stored, start, "--pages", "warc", "--processes", str(processes))
    if killed < KILLS:
        yield f"it was over after {killed} of {KILLS} kills"
    # The server is gone: whatever is asked of it now fails.
    _finish(again, start, "--from", str(stored))
    pages, seen = lines(stored / "pages.jsonl"), Counter[str]()
    files = archives(stored)
    print(f"{len(pages)} pages in {len(files)} files, {killed} kills, {processes} processes")
    if not is_sound(*files):
        yield "warcio check finds faults"
    for record in records(*files):
        if record.type in ("response", "revisit") and " 200 OK\r\n" in record.head:
            seen[record.url] += 1
            if record.type == "response" and record.payload != _on_disk(record.url, start):
                yield f"{record.url} is not as the file is"
    crawled = Counter(page["url"] for page in pages)
    for name, some in {"captures": seen, "lines of pages.jsonl": crawled}.items():
        wanted = Counter(item["url"] for item in lines(live / "items.jsonl"))
        if some != wanted:
            yield f"{name}: {_difference(some, wanted)}"
    for run in (stored, again):
        items, wanted = (Counter(map(str, lines(one / "items.jsonl"))) for one in (run, live))
        if items != wanted or len(items) < 500:
            yield f"items of {run.name}, {items.total()}: {_difference(items, wanted)}"


def _difference(some: Counter[str], wanted: Counter[str]) -> str:
    lost, more = list((wanted - some).elements()), list((some - wanted).elements())
    return f"{len(lost)} lost {lost[:3]}, {len(more)} too many {more[:3]}"


def _on_disk(url: str, start: str) -> bytes:
    path = unquote(re.sub("[?#].*", "", url.removeprefix(start)))
    return (
        DOCS / path / "index.html" if path.endswith("/") or not path else DOCS / path
    ).read_bytes()


def _command(job: Path, start: str, words: Sequence[str]) -> list[str]:
    crawl = [sys.executable, "-m", "crawler", "docs_site", "-a", f"start={start}"]
    return [*crawl, "--job", str(job), *_CRAWL, *words]


def _finish(job: Path, start: str, *words: str) -> None:
    subprocess.run(_command(job, start, words), cwd=ROOT, check=True, timeout=_LONGEST)


def _suffer(job: Path, start: str, *words: str) -> int:
    """Crawl to the end, killed in the middle again and again; return how often."""
    draw, killed = Random(1), 0
    for number in range(KILLS):
        enough = (number + 0.5 + draw.uniform(-0.3, 0.3)) * 500 / KILLS
        with subprocess.Popen(_command(job, start, words), cwd=ROOT, process_group=0) as life:
            ends = time.monotonic() + _LONGEST
            while life.poll() is None and _stored(job) < enough and time.monotonic() < ends:
                time.sleep(_TICK)
            if life.poll() is None:
                killed += 1
            with suppress(ProcessLookupError):
                os.killpg(life.pid, signal.SIGKILL)
    _finish(job, start, *words)
    return killed


def _stored(job: Path) -> int:
    """Return how many pages a crawl has stored so far, by all its processes."""
    files = [job / "pages.jsonl", *job.glob("parts/*/pages.jsonl")]
    return sum(file.read_bytes().count(b"\n") for file in files if file.exists())


if __name__ == "__main__":
    sys.exit(main())
