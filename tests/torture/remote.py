"""The site under torture, from outside: a process, and what it tells."""

import json
import subprocess
import sys
from collections import Counter
from http.client import HTTPConnection
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.torture.web import Web

_ROOT = Path(__file__).parents[2]
_LONGEST = 30.0


class Remote:
    """A site in a process of its own, which ends with this one; a context manager."""

    def __init__(self, pages: int, *, seed: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.torture.site", str(pages), str(seed)],
            cwd=_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            process_group=0,  # Ctrl-C in a terminal is for the driver, which ends this one
        )
        assert self._process.stdout is not None
        port, self._control = map(int, self._process.stdout.readline().split())
        self.web = Web(pages, seed=seed, port=port)
        self.once = self.web.once()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.communicate()

    def wait(self, answered: int, *, seconds: float) -> int:
        """Wait until so many URLs have been answered whole; return how many have been."""
        return self._ask(f"/wait/{answered}/{seconds * 1000:.0f}")

    @property
    def answered(self) -> int:
        """URLs that have been answered whole."""
        return self._ask("/answered")

    def mark(self) -> None:
        """Hear that the crawl was killed: what is answered from here on is of another life."""
        self._ask("/mark")

    def drip(self, on: bool) -> None:
        """Make dripping bodies endless, or end them."""
        self._ask(f"/drip/{on:d}")

    def forget(self) -> None:
        """Begin with another crawl."""
        self._ask("/fresh")

    def repeated(self) -> Counter[int]:
        """Return how many pages were fetched again because of each kill, the first being 0."""
        again: Counter[int] = Counter()
        for url, (_, lives) in self._read("/seen").items():
            if url in self.once:
                again.update(lives[:-1])
        return again

    def _ask(self, path: str) -> int:
        answered: int = self._read(path)["answered"]
        return answered

    def _read(self, path: str) -> dict[str, Any]:
        connection = HTTPConnection("127.0.0.1", self._control, timeout=_LONGEST)
        try:
            connection.request("GET", path)
            read: dict[str, Any] = json.load(connection.getresponse())
        finally:
            connection.close()
        return read
