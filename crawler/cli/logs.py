"""Where log lines go."""

import logging
import queue
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from io import TextIOWrapper
from logging.handlers import QueueHandler, QueueListener
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct
from rich.console import Console

from crawler.cli.units import clipped
from crawler.errors import TargetError
from crawler.oserrors import refused
from crawler.owned import own
from crawler.words import clean_lines

NOTICES = logging.getLogger("crawler.notice")
"""What whoever started the crawl is told even without -v, in one line: `-q` alone silences it."""

_LOGGERS = ("crawler", "spiders")
_MOST_ERRORS = 20
# The log's own rule: a line's URL stands last.
_SURROGATES = re.compile(r"[\ud800-\udfff]")
_LAST_URL = re.compile(r"https?://\S+$")


class Manner(Struct, frozen=True):
    """How a crawl speaks to whoever started it."""

    quiet: bool = False
    verbose: int = 0
    log_json: bool = False

    @property
    def level(self) -> int:
        """The least level that is shown."""
        return {0: logging.ERROR, 1: logging.INFO}.get(self.verbose, logging.DEBUG)


class _Lines(logging.Formatter):
    """One line an event: time, level, logger, words; a traceback, indented, on those after it."""

    def format(self, record: logging.LogRecord) -> str:
        level, text = record.levelname.lower(), clean_lines(record.getMessage())
        return f"{_time(record)} {level:7} {record.name}: {text}"


class _Short(logging.Formatter):
    """One line for a person; without -v only what it is about."""

    def __init__(self, manner: Manner) -> None:
        super().__init__()
        self._verbose = manner.verbose

    def format(self, record: logging.LogRecord) -> str:
        text = clean_lines(record.getMessage())
        if record.name == NOTICES.name:
            return text
        level = record.levelname.lower()
        if self._verbose:
            at = datetime.fromtimestamp(record.created).astimezone()
            return f"{at:%H:%M:%S} {level:7} {record.name}: {text}"
        words, _, url = text.partition("\n")[0].rpartition(" ")
        return f"{level}: {words} {clipped(url)}" if words else f"{level}: {url}"


class _Json(logging.Formatter):
    """One JSON object a line; `url` and `traceback` if there is one, and a notice's `facts`."""

    def format(self, record: logging.LogRecord) -> str:
        text = _SURROGATES.sub("\ufffd", record.getMessage())
        message, _, rest = text.partition("\n")
        entry = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": message,
        }
        if found := _LAST_URL.search(message):
            entry["url"] = found[0]
        if rest:
            entry["traceback"] = rest
        facts: dict[str, Any] = getattr(record, "facts", {})
        return _ascii_where_needed(msgspec.json.encode({**entry, **facts}).decode())


class _ToConsole(logging.Handler):
    """Prints above the live display."""

    def __init__(self, console: Console, manner: Manner) -> None:
        super().__init__()
        self._console = console
        self._manner = manner
        self._errors = 0
        self.setFormatter(_Json() if manner.log_json else _Short(manner))

    def filter(self, record: logging.LogRecord) -> bool:
        """Let notices through, and what is grave enough."""
        if record.name == NOTICES.name:
            return not self._manner.quiet
        return record.levelno >= self._manner.level

    def emit(self, record: logging.LogRecord) -> None:
        text = self.format(record)
        if record.name != NOTICES.name and not self._manner.verbose and not self._manner.log_json:
            self._errors += 1
            if self._errors > _MOST_ERRORS:
                return
            if self._errors == _MOST_ERRORS:
                text += "\nerror: … more errors are in crawl.log only"
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)


class LogFile(logging.FileHandler):
    """Appends to a file; on a full disk lines are lost, and the crawl goes on: `lost` says why."""

    def __init__(self, path: Path) -> None:
        self.lost: TargetError | None = None
        self._path = path
        super().__init__(path)

    def _open(self) -> TextIOWrapper:
        """Open the file, which is ours: no link is followed."""
        return open(self._path, "a", encoding="utf-8", errors="replace", opener=own)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """Note that a record could not be written."""
        error = sys.exception()
        if isinstance(error, OSError):
            self.lost = self.lost or refused(self._path, error)
        else:
            super().handleError(record)


@contextmanager
def logging_to(folder: Path, console: Console, manner: Manner) -> Iterator[LogFile]:
    """Send the crawl's log to `crawl.log` in `folder`, and what matters to the console.

    Lines are written by a thread of their own, so that a slow disk does not hold the loop.
    """
    lines: queue.SimpleQueue[logging.LogRecord] = queue.SimpleQueue()
    to_file = _file(folder / "crawl.log", manner)
    listener = QueueListener(lines, to_file, _ToConsole(console, manner))
    entrance = QueueHandler(lines)
    for name in _LOGGERS:
        logging.getLogger(name).addHandler(entrance)
        logging.getLogger(name).setLevel(logging.DEBUG if manner.verbose > 1 else logging.INFO)
    listener.start()
    try:
        yield to_file
    finally:
        for name in _LOGGERS:
            logging.getLogger(name).removeHandler(entrance)
        listener.stop()
        with suppress(OSError):
            to_file.close()


def _file(path: Path, manner: Manner) -> LogFile:
    try:
        handler = LogFile(path)
    except OSError as error:
        raise refused(path, error) from None
    handler.setFormatter(_Json() if manner.log_json else _Lines())
    return handler


def _ascii_where_needed(line: str) -> str:
    """Return JSON with what a terminal obeys (C1, bidi) escaped: JSON itself only does C0."""
    if line.isprintable():
        return line
    return "".join(c if c.isprintable() else _escape(c) for c in line)


def _escape(char: str) -> str:
    """Return a character as JSON's escapes: one for each of its UTF-16 units."""
    units = char.encode("utf-16-be")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
