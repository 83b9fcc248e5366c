"""The main text of a page, found by another process."""

import asyncio
import atexit
import datetime
import os
import select
import subprocess
import sys
import time
from pathlib import Path
from threading import Lock
from typing import Final

import msgspec
from msgspec import Struct

from crawler.errors import MissingExtra
from crawler.parse.threads import Threads

_PROCESS: Final = Path(__file__).with_name("article_process.py")
_LONGEST_START: Final = 60.0
_MISSING: Final = 3
"""The status it exits with if trafilatura is not installed."""


class Article(Struct, frozen=True, kw_only=True):
    """The main text of a page, and what it says of it; JSON, so it may be a field of an item.

    `text` is plain, a line a paragraph; `markdown` is the same with headings, lists, code and
    emphasis. `date` is when it was published, as far as the page tells.
    """

    text: str
    markdown: str
    title: str | None = None
    author: str | None = None
    date: datetime.date | None = None
    description: str | None = None
    site: str | None = None
    language: str | None = None
    image: str | None = None
    tags: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()


class ArticleProcess:
    """Asks a process of its own for main texts, one after the other; safe in threads.

    What finds them is Python: of some pages of 100 kB it takes 20 s, of others minutes and all
    memory, and nobody could end that in this process. The other one is killed, and started anew
    for the next page. It ends by itself when this one does.
    """

    def __init__(self) -> None:
        self._thread = Threads(1, "articles")
        self._lock = Lock()
        self._asked: object = None
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0

    async def find(self, html: str | None, url: str, *, seconds: float) -> Article | None:
        """Return the main text of what `markup_of` gives, None without one.

        `TimeoutError` if that takes longer, or is far too much, `EOFError` if the process died of
        it. Raises `MissingExtra`.
        """
        if html is None:
            raise TimeoutError
        question = object()
        page = msgspec.msgpack.encode((html, url))
        asking = self._thread.submit(self._ask, question, page, seconds)
        try:
            answer = await asyncio.wrap_future(asking)
        finally:
            self._give_up(question)
        return msgspec.msgpack.decode(answer, type=Article) if answer else None

    def _ask(self, question: object, page: bytes, seconds: float) -> bytes:
        answer = None
        try:
            process = self._started()
            with self._lock:
                self._asked = question
            answer = _exchange(process, page, seconds)
        finally:
            with self._lock:
                is_awaited, self._asked = self._asked is question, None
            if answer is None or not is_awaited:  # what it says yet is no answer to the next page
                self.close()
        return answer

    def _give_up(self, question: object) -> None:
        """Kill the process if it is still at that question, for which nobody waits any more."""
        with self._lock:
            if self._asked is question:
                self._asked = None
                if self._process is not None:
                    self._process.kill()

    def close(self) -> None:
        """Kill the process, if it is ours."""
        process, self._process = self._process, None
        if process is None or self._owner != os.getpid():
            return
        process.kill()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
        process.wait()

    def _started(self) -> "subprocess.Popen[bytes]":
        if self._process is None or self._owner != os.getpid():  # a fork would share its pipes
            self._owner = os.getpid()
            self._process = subprocess.Popen(
                # -P: the folder of that file has modules named like others.
                [sys.executable, "-P", str(_PROCESS)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
            )
            self._hear_that_it_is_ready(self._process)
        return self._process

    def _hear_that_it_is_ready(self, process: "subprocess.Popen[bytes]") -> None:
        try:
            _receive(process, time.monotonic() + _LONGEST_START)
        except EOFError:
            if process.wait() == _MISSING:
                raise MissingExtra("page.article()", "text") from None
            raise


def _exchange(process: "subprocess.Popen[bytes]", page: bytes, seconds: float) -> bytes:
    end = time.monotonic() + seconds
    assert process.stdin is not None, "opened with a pipe"
    rest = memoryview(len(page).to_bytes(4, "big") + page)
    try:
        while rest:  # it reads a page at once, whatever comes of it
            rest = rest[os.write(process.stdin.fileno(), rest) :]
    except BrokenPipeError:
        raise EOFError from None
    return _receive(process, end)


def _receive(process: "subprocess.Popen[bytes]", end: float) -> bytes:
    return _read(process, int.from_bytes(_read(process, 4, end), "big"), end)


def _read(process: "subprocess.Popen[bytes]", size: int, end: float) -> bytes:
    assert process.stdout is not None, "opened with a pipe"
    pieces = bytearray()
    waiting = select.poll()
    waiting.register(process.stdout, select.POLLIN)
    while len(pieces) < size:
        left = end - time.monotonic()
        if left <= 0 or not waiting.poll(left * 1000):
            raise TimeoutError
        piece = os.read(process.stdout.fileno(), size - len(pieces))
        if not piece:
            raise EOFError
        pieces += piece
    return bytes(pieces)


ARTICLES: Final = ArticleProcess()
"""A process has one."""
atexit.register(ARTICLES.close)
