"""A site of a thousand pages on a network that loses a part of them."""

import socket
import struct
from asyncio import StreamReader, StreamWriter
from collections import Counter
from random import Random
from typing import Literal

from tests.loopback import Loopback, Streams
from tests.mockserver.wire import read_request

Fault = Literal["reset", "stall", "cut", ""]
HOSTS = ("127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4")
_SHARE = 0.05
_MOST_TRIES = 50


class Unsteady(Loopback):
    """Pages on four hosts: of every twenty answers one is reset, one never comes, one is cut.

    Which, is settled by page, try and `seed`. The front page is safe, and links to all and `more`.
    """

    def __init__(self, pages: int, *, seed: int, more: tuple[str, ...] = ()) -> None:
        super().__init__(Streams(self._converse), hosts=HOSTS)
        self.pages = [f"/{number}" for number in range(pages)]
        self.faults: Counter[str] = Counter()
        self._more = more
        draw = Random(seed)
        self._plan = {page: [_fault(draw) for _ in range(_MOST_TRIES)] for page in self.pages}
        self._tries: Counter[str] = Counter()

    def url(self, path: str = "/", *, host: str | None = None) -> str:
        """Return a page's URL; each is on one of the hosts."""
        number = int(path[1:] or 0)
        return super().url(path, host=host or HOSTS[number % len(HOSTS)])

    def answering(self, *, tries: int) -> list[str]:
        """Return the pages that answer within so many tries."""
        return [page for page in self.pages if "" in self._plan[page][:tries]]

    async def _converse(self, reader: StreamReader, writer: StreamWriter) -> None:
        while (hit := await read_request(reader, "")) is not None:
            if not await self._answer(hit.target, writer):
                break

    async def _answer(self, page: str, writer: StreamWriter) -> bool:
        """Answer, or not; return whether the connection stays."""
        body = self._front() if page == "/" else f"<title>{page}</title>".encode() + b"x" * 2_000
        status = b"200 OK" if page == "/" or page in self._plan else b"404 None"
        head = b"HTTP/1.1 %s\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n"
        fault: Fault = ""
        if page in self._plan:
            fault = self._plan[page][min(self._tries[page], _MOST_TRIES - 1)]
            self._tries[page] += 1
            self.faults[fault] += 1
        if fault == "stall":
            await self.rest(3600.0)
        elif fault == "reset":
            connection = writer.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
        else:
            writer.write(head % (status, len(body)) + (body if not fault else body[:1_000]))
            await writer.drain()
        return not fault

    def _front(self) -> bytes:
        urls = [*map(self.url, self.pages), *self._more]
        return "".join(f'<a href="{url}">x</a>\n' for url in urls).encode()


def _fault(draw: Random) -> Fault:
    number = draw.random()
    names: tuple[Fault, ...] = ("reset", "stall", "cut")
    return names[int(number / _SHARE)] if number < 3 * _SHARE else ""
