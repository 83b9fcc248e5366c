"""A broad crawl: the server's log proves delay and per_host for each of 1,000 hosts."""

import itertools
import subprocess
import sys
from pathlib import Path

from crawler import Response, Spider, crawl
from tests.real import broad_server

HOSTS = 1_000
PAGES = 3
DELAY = 1.0


class Broad(Spider[dict[str, str]], delay=DELAY, per_host=2, concurrency=64):
    def __init__(self, port: int) -> None:
        self.start_urls = [
            f"http://{broad_server.address(host)}:{port}/{page}"
            for page in range(PAGES)
            for host in range(HOSTS)
        ]

    def parse(self, page: Response) -> None:
        """Take nothing."""


async def test_the_servers_log_shows_delay_and_per_host_for_every_host(tmp_path: Path) -> None:
    server = subprocess.Popen(
        [sys.executable, broad_server.__file__, str(HOSTS)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout is not None
    try:
        port = int(server.stdout.readline())
        report = await crawl(Broad(port), output_dir=str(tmp_path), min_free_bytes=0)
    finally:
        output, _ = server.communicate(timeout=30)
    assert report.pages == HOSTS * PAGES
    visits: dict[str, list[tuple[float, float]]] = {}
    for line in output.splitlines():
        arrived, left, host = line.split()
        visits.setdefault(host, []).append((float(arrived), float(left)))
    assert len(visits) == HOSTS
    assert {len(times) for times in visits.values()} == {PAGES + 1}  # robots.txt first
    gaps = [
        later[0] - earlier[0]
        for times in map(sorted, visits.values())
        for earlier, later in itertools.pairwise(times)
    ]
    # The server sees a request when its process gets to it: some lateness is its own.
    assert sorted(gaps)[len(gaps) // 100] >= DELAY * 0.9
    assert min(gaps) >= DELAY * 0.5
    overlaps = [
        sum(a < arrived < b for a, b in times) for times in visits.values() for arrived, _ in times
    ]
    assert max(overlaps) < 2
    # Had a worker waited for a host's delay, 64 workers would need 1,000 * 3 * 1 s / 64 = 47 s.
    assert report.seconds < 47 / 2
