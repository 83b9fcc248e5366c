"""One suite on one site: its crawlers in turn, round by round, each one's pages checked."""

import math
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.contestants import BARE, Crawler
from benchmarks.laps import Cost, Lap, measure
from benchmarks.pagesets import Item, by_url, differences, file_differences, items_in
from benchmarks.sites import serve
from benchmarks.suites import SITES, Entry, Suite, cores_for

# In memory where that can be: a disk that others use would be measured with the crawlers.
_FOLDER = "/dev/shm" if Path("/dev/shm").is_dir() else None


def race(
    suite: Suite, site: str, *, rounds: int, addresses: int, seconds: float = math.inf
) -> list[Lap]:
    """Crawl a site with every crawler of a suite, as often as its rounds say.

    After so many seconds no further round begins. Raises `SystemExit` when one of them got other
    pages than the bare loop.
    """
    root = SITES[site]
    if not root.is_dir():
        raise SystemExit(f"{root} is missing: apt-get install {site}")
    laps = []
    with _certificate(suite.tls) as tls:
        for cores, entries in _by_server(suite.entries).items():
            with serve(root, addresses=addresses, cpu=cores, tls=tls) as urls:
                course = _Course(site, root, urls)
                ends = time.monotonic() + seconds
                for number in range(rounds):
                    if number and time.monotonic() > ends:
                        break
                    laps += [course.lap(e, number) for e in entries if e.runs_in(number)]
    return laps


def _by_server(entries: Sequence[Entry]) -> Mapping[int, Sequence[Entry]]:
    """Return the entries by the core that the server is on while they run."""
    groups: dict[int, list[Entry]] = {}
    for entry in entries:
        groups.setdefault(cores_for(entry.cores)[1], []).append(entry)
    return groups


class _Course:
    """Served sites, and the pages that the bare loop finds there."""

    def __init__(self, site: str, root: Path, urls: Sequence[str]) -> None:
        self._site = site
        self._root = root
        self._urls = urls
        with _folder() as folder:
            self._run(Entry(BARE), folder)
            self._reference = by_url(items_in(BARE.items(folder)))

    def lap(self, entry: Entry, number: int) -> Lap:
        with _folder() as folder:
            cost = self._run(entry, folder)
            found = _problems(entry.crawler, folder, reference=self._reference, root=self._root)
            if found:
                raise SystemExit(f"{entry.label}, {self._site}: {'; '.join(found)}")
        lap = Lap(entry.label, self._site, number, len(self._reference), cost)
        print(
            f"{self._site} round {number + 1}: {entry.label} {lap.pages_per_second:,.0f} pages/s, "
            f"{lap.cpu_ms_per_page:.2f} ms CPU a page, {cost.peak_bytes / 1e6:.0f} MB",
            file=sys.stderr,
            flush=True,
        )
        return lap

    def _run(self, entry: Entry, folder: Path) -> Cost:
        command = entry.crawler.started(folder, self._urls)
        cores, _ = cores_for(entry.cores)
        return measure(command, cores=cores, folder=folder, statuses=entry.crawler.statuses)


def _problems(
    crawler: Crawler, folder: Path, *, reference: Mapping[str, Item], root: Path
) -> list[str]:
    """Return how what a crawler left differs from what it should have left."""
    if crawler.leaves == "mirror":
        return file_differences(crawler.mirror(folder), reference=reference, root=root)
    found = differences(items_in(crawler.items(folder)), reference=reference)
    if crawler.leaves == "items and pages":
        stored = sum(file.is_file() for file in folder.glob("runs/*/*/pages/**/*"))
        if stored != len(reference):
            found.append(f"{stored} pages stored, expected {len(reference)}")
    return found


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="bench-", dir=_FOLDER) as name:
        yield Path(name)


@contextmanager
def _certificate(wanted: bool) -> Iterator[tuple[Path, Path] | None]:
    """Give a certificate that nobody vouches for, and its key."""
    if not wanted:
        yield None
        return
    openssl = shutil.which("openssl")
    if openssl is None:
        raise SystemExit("openssl is missing: apt-get install openssl")
    with _folder() as folder:
        folder.chmod(0o755)
        paths = folder / "certificate.pem", folder / "key.pem"
        kind = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
        name = ["-subj", "/CN=bench", "-out", str(paths[0]), "-keyout", str(paths[1])]
        subprocess.run([openssl, *kind.split(), *name], check=True, capture_output=True)
        yield paths
