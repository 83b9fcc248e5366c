"""Where log lines go."""

import logging
import queue
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from logging.handlers import QueueHandler, QueueListener
from pathlib import Path

import msgspec
from rich.console import Console

_LOGGERS = ("crawler", "spiders")


class _Lines(logging.Formatter):
    """One line an event: time, level, logger, words; tracebacks only where they are kept."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        return f"{at} {record.levelname.lower():7} {record.name}: {record.getMessage()}"


class _Json(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        entry = {
            "time": at,
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        return msgspec.json.encode(entry).decode()


class _ToConsole(logging.Handler):
    """Prints above the live display, first line of each event only unless verbose."""

    def __init__(self, console: Console, *, whole: bool) -> None:
        super().__init__()
        self._console = console
        self._whole = whole

    def emit(self, record: logging.LogRecord) -> None:
        text = self.format(record)
        text = text if self._whole else text.partition("\n")[0]
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)


@contextmanager
def logging_to(
    folder: Path, console: Console, *, verbose: int, quiet: bool, as_json: bool
) -> Iterator[None]:
    """Send the crawl's log to `crawl.log` in `folder`, and what matters to the console.

    Lines are written by a thread of their own, so that a slow disk does not hold the loop.
    """
    lines: queue.SimpleQueue[logging.LogRecord] = queue.SimpleQueue()
    formatter: logging.Formatter = _Json() if as_json else _Lines()
    to_file = logging.FileHandler(folder / "crawl.log", encoding="utf-8", errors="replace")
    to_console = _ToConsole(console, whole=verbose > 0)
    to_console.setLevel(_console_level(verbose, quiet))
    for handler in (to_file, to_console):
        handler.setFormatter(formatter)
    listener = QueueListener(lines, to_file, to_console, respect_handler_level=True)
    entrance = QueueHandler(lines)
    for name in _LOGGERS:
        logging.getLogger(name).addHandler(entrance)
        logging.getLogger(name).setLevel(logging.DEBUG if verbose > 1 else logging.INFO)
    listener.start()
    try:
        yield
    finally:
        for name in _LOGGERS:
            logging.getLogger(name).removeHandler(entrance)
        listener.stop()
        to_file.close()


def _console_level(verbose: int, quiet: bool) -> int:
    if quiet:
        return logging.CRITICAL
    return {0: logging.ERROR, 1: logging.INFO}.get(verbose, logging.DEBUG)
