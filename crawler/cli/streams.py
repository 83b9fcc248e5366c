"""Standard output, standard error."""

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any, cast

import click

from crawler.errors import OutputError
from crawler.oserrors import refused
from crawler.words import harmless


class _Lasting:
    """A text stream that may be lost: what would have been shown is dropped, the crawl goes on."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        try:
            return self._stream.write(text)
        except OSError:
            _silence(self._stream)
            return len(text)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except OSError:
            _silence(self._stream)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def reopen_missing() -> None:
    """Give closed standard streams (`>&-`) a null device: no file of ours may take their number."""
    for fd in range(3):
        try:
            os.fstat(fd)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest free number: this one
    if sys.stderr is None:  # else print(file=sys.stderr) would go to standard output
        sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115  # open as long as the process


def check_stdout() -> None:
    """Raise `OutputError` if there is no standard output to write items to."""
    if sys.stdout is None:
        raise OutputError("-o -: standard output is closed")


def stderr() -> IO[str]:
    """Return standard error; losing the terminal (or a full disk behind it) ends nothing."""
    return cast(IO[str], _Lasting(sys.stderr))


def warn(words: str) -> None:
    """Say one line on standard error."""
    print(f"crawl: {_said(words)}", file=stderr(), flush=True)


def _said(words: str) -> str:
    return harmless(" ".join(words.splitlines()))


def tell(lines: Iterable[str]) -> None:
    """Write lines to standard output. Raises `TargetError` if it takes none."""
    with _to_stdout():
        for line in lines:
            click.echo(harmless(line))


def write(data: bytes) -> None:
    """Write bytes to standard output as they are. Raises `TargetError` if it takes none."""
    with _to_stdout():
        click.echo(data, nl=False)


@contextmanager
def _to_stdout() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:  # click's own: whoever closed the pipe has seen enough
        raise
    except OSError as error:
        with suppress(AttributeError):
            _silence(sys.stdout)
        raise refused("standard output", error) from None


def _silence(stream: IO[str]) -> None:
    """Let what is still buffered go nowhere, so that the exit status does not tell of it."""
    with suppress(OSError, ValueError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)
