"""Serves every misbehaviour, each theme on a loopback address of its own."""

from asyncio import StreamReader, StreamWriter
from collections import Counter

from tests.loopback import Loopback, Streams
from tests.mockserver import (  # noqa: F401  # each registers its misbehaviours
    codings,
    cookies,
    documents,
    feeds,
    files,
    framing,
    good,
    heads,
    links,
    redirects,
    robots,
    slow,
    statuses,
    traps,
)
from tests.mockserver.table import Misbehaviour, Theme, linked
from tests.mockserver.wire import Hit, Wire, read_request

FRONT = "127.0.0.1"
INNER = ("127.0.0.249", "127.0.0.250")
"""Where links and redirects of every spelling lead that nobody may follow."""


class MockServer(Loopback):
    """All hosts, one port; `log` is what was heard. Its front page links to what is asserted."""

    def __init__(self) -> None:
        hosts = dict.fromkeys([FRONT, *INNER, *(host for host, _ in Theme.known)])
        super().__init__(Streams(self._converse, limit=8_000_000), hosts=tuple(hosts))
        self.log: list[Hit] = []
        self._hits: Counter[tuple[str, str]] = Counter()

    def hits(self, host: str, path: str) -> int:
        """Return how often a path was asked for."""
        return self._hits[host, path]

    async def _converse(self, reader: StreamReader, writer: StreamWriter) -> None:
        host = writer.get_extra_info("sockname")[0]
        keep, served = True, 0
        while keep and (hit := await read_request(reader, host)) is not None:
            self.log.append(hit)
            path = hit.target.partition("?")[0]
            self._hits[host, path] += 1
            wire = Wire(
                hit,
                writer=writer,
                closing=self.closing,
                hits=self._hits[host, path],
                served=served,
                port=self.port,
            )
            await self._answer(host, path, wire)
            keep, served = wire.keep, served + 1

    async def _answer(self, host: str, path: str, wire: Wire) -> None:
        entry = Theme.known.get((host, path)) or _of_folder(host, path)
        if host == FRONT and path == "/":
            urls = [self.url(entry.path, host=entry.host) for entry in linked()]
            anchors = "".join(f'<a href="{url}">x</a>\n' for url in urls)
            await wire.page(anchors)
        elif entry is not None:
            await entry.answer(wire)
        else:
            await wire.answer(b"no such page", status="404 Not Found")


def _of_folder(host: str, path: str) -> Misbehaviour | None:
    """Return what serves everything below a path that ends in a slash."""
    while len(path) > 1:
        path = path.rpartition("/")[0]
        if (entry := Theme.known.get((host, path + "/"))) is not None:
            return entry
    return None
