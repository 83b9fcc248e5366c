"""Serves the site under torture; a program of its own.

`python -m tests.torture.site PAGES SEED` prints its port and that of its control, and ends when its
standard input does. The control answers JSON to GET: /wait/N/MS waits until N pages have been
answered whole, /seen is what each URL was asked and answered, /mark begins another life of the
crawl, /drip/1 makes dripping bodies endless, /fresh forgets all.
"""

import asyncio
import json
import socket
import struct
import sys
from collections.abc import Callable
from typing import cast

from tests.torture.web import HOSTS, Answer, Web

_PAUSE = 0.03
_RESET = struct.pack("ii", 1, 0)
_SMALL_BUFFER = 8_192
_WORDS = {200: "OK", 302: "Found", 403: "Forbidden", 404: "Not Found"}


class Site:
    """What the web answers, and what was asked; `drips` while dripping bodies never end."""

    def __init__(self, pages: int, seed: int) -> None:
        self._listeners = _listeners()
        self.port: int = self._listeners[0].getsockname()[1]
        self.web = Web(pages, seed=seed, port=self.port)
        self.drips = False
        self._changed = asyncio.Event()
        self.forget()

    def forget(self) -> None:
        """Begin anew, for another crawl."""
        self._life = 0
        self._asked: dict[str, int] = {}
        self._whole: dict[str, list[int]] = {}

    async def serve(self) -> None:
        loop = asyncio.get_running_loop()
        for listener in self._listeners:
            await loop.create_server(lambda: _Connection(self), sock=listener, backlog=512)

    def answer(self, host: str, path: str) -> Answer:
        """Return what this request gets: the first few of some are put off."""
        url = f"http://{host}:{self.port}{path}"
        asked = self._asked[url] = self._asked.get(url, 0) + 1
        answer = self.web.answer(host, path)
        if asked <= answer.stumbles:
            return Answer(b"not now", status=503, breaks=answer.breaks)
        return answer._replace(breaks=False)

    def answered(self, host: str, path: str) -> None:
        """Hear that a 200 went out whole."""
        self._whole.setdefault(f"http://{host}:{self.port}{path}", []).append(self._life)
        self._changed.set()

    async def control(self, path: str) -> object:
        """Do what a request to the control asks for."""
        match path.strip("/").split("/"):
            case ["wait", number, milliseconds]:
                await self._wait(int(number), int(milliseconds) / 1000)
            case ["seen"]:
                return {url: (n, self._whole.get(url, [])) for url, n in self._asked.items()}
            case ["mark"]:
                await asyncio.sleep(_PAUSE)  # what the dead had asked is answered to nobody first
                self._life += 1
            case ["drip", on]:
                self.drips = on == "1"
            case ["fresh"]:
                self.forget()
        return {"answered": len(self._whole)}

    async def _wait(self, number: int, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                while len(self._whole) < number:
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            pass


class _Connection(asyncio.Protocol):
    """One connection of the crawler's."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._head = b""
        self._blocked = False
        self._then: Callable[[], None] | None = None
        self._slow: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        # So that writing is paused as long as one byte has not gone out.
        self._transport.set_write_buffer_limits(high=0)
        self._host: str = transport.get_extra_info("sockname")[0]

    def connection_lost(self, error: Exception | None) -> None:
        self._then = None
        if self._slow is not None:
            self._slow.cancel()

    def data_received(self, data: bytes) -> None:
        self._head += data
        while (end := self._head.find(b"\r\n\r\n")) >= 0:
            head, self._head = self._head[:end], self._head[end + 4 :]
            self._asked(head.decode("latin-1"))

    def pause_writing(self) -> None:
        self._blocked = True

    def resume_writing(self) -> None:
        self._blocked = False
        then, self._then = self._then, None
        if then is not None:
            then()

    def _asked(self, head: str) -> None:
        path = head.split(" ", 2)[1]
        answer = self._site.answer(self._host, path)
        if answer.breaks:
            self._reset()
        elif answer.wants and answer.wants not in head:
            self._write(Answer(b"who are you?", status=403), path)
        elif answer.rest or answer.pieces > 1:
            self._slow = asyncio.get_running_loop().create_task(self._write_slowly(answer, path))
        else:
            self._write(answer, path)

    def _write(self, answer: Answer, path: str) -> None:
        self._transport.write(_head(answer) + answer.body)
        if answer.status == 200:
            self._when_out(path)

    async def _write_slowly(self, answer: Answer, path: str) -> None:
        await asyncio.sleep(answer.rest)
        if answer.pieces == 1:
            self._write(answer, path)
            return
        self._transport.write(_head(answer))
        size = len(answer.body) // answer.pieces + 1
        for start in range(0, len(answer.body), size):
            await asyncio.sleep(_PAUSE)
            if self._site.drips:
                await self._drip()
                return
            self._transport.write(answer.body[start : start + size])
        self._when_out(path)

    async def _drip(self) -> None:
        """Send a blank now and then, until dripping is over; the body never comes."""
        while self._site.drips:
            self._transport.write(b" ")
            await asyncio.sleep(_PAUSE)
        self._reset()

    def _when_out(self, path: str) -> None:
        """Tell the site once the last byte has gone out."""

        def tell() -> None:
            self._site.answered(self._host, path)

        if self._blocked:
            self._then = tell
        else:
            tell()

    def _reset(self) -> None:
        connection = self._transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self._transport.abort()


def _head(answer: Answer) -> bytes:
    lines = [
        f"HTTP/1.1 {answer.status} {_WORDS.get(answer.status, 'Error')}",
        f"Content-Type: {answer.type}",
        f"Content-Length: {len(answer.body)}",
    ]
    if answer.location:
        lines.append(f"Location: {answer.location}")
    if answer.cookie:
        lines.append(f"Set-Cookie: {answer.cookie}; Path=/")
    return "\r\n".join([*lines, "", ""]).encode()


def _listeners() -> list[socket.socket]:
    """Return a listening socket for each host, all on one port."""
    listeners: list[socket.socket] = []
    for host in HOSTS:
        port = listeners[0].getsockname()[1] if listeners else 0
        listeners.append(socket.create_server((host, port)))
        # So that what has gone out is on the other side, and not in a buffer on this one.
        listeners[-1].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SMALL_BUFFER)
    return listeners


async def main(pages: int, seed: int) -> None:
    """Serve until standard input ends, which it does with whoever started this."""
    site = Site(pages, seed)
    await site.serve()

    async def control(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        except (asyncio.IncompleteReadError, ConnectionError):
            head = ""
        if head:
            body = json.dumps(await site.control(head.split(" ", 2)[1])).encode()
            writer.write(_head(Answer(body, type="application/json")) + body)
        writer.close()

    controls = await asyncio.start_server(control, "127.0.0.1", 0)
    print(site.port, controls.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
