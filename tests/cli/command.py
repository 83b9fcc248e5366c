"""`crawl`, as a user starts it: a process of its own, in a folder of its own."""

import asyncio
import fcntl
import json
import os
import pty
import re
import struct
import sys
import termios
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

PROGRAM = (sys.executable, "-m", "crawler")
_OURS = ("CRAWLER_", "COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "TERM")
_LONGEST = 30.0
_ROOT = Path(__file__).parents[2]

SPIDER = """
from crawler import Item, Out, Response, Spider

class Page(Item):
    url: str

class Site(Spider[Page], delay=0, min_free_bytes=0, retries=0, obey_robots=False):
    def __init__(self, start: str, top: int = 0) -> None:
        self.start_urls = [start]

    async def parse(self, page: Response) -> Out[Page]:
        yield Page(url=page.url)
        yield page.follow_all()
"""


class Done(NamedTuple):
    """What a process left: its exit status, what it wrote, and its folder."""

    status: int
    out: str
    err: str
    folder: Path

    @property
    def run(self) -> Path:
        """The folder of its one run."""
        (run,) = (self.folder / "output").glob("*/*")
        return run

    @property
    def report(self) -> dict[str, Any]:
        report: dict[str, Any] = json.loads((self.run / "stats.json").read_text())
        return report

    @property
    def table(self) -> dict[str, str]:
        """The rows of the closing table, each with its first line."""
        rows = [line for line in self.err.splitlines() if line[:1].isalpha()]
        return {row[:10].strip(): row[10:] for row in rows}

    def lines(self, name: str) -> list[dict[str, Any]]:
        """What a line file of the run holds, all of it JSON, the last line ended."""
        return lines(self.run / name)

    def refuses(self, words: str) -> bool:
        """True if it was a mistake of the user's: said in one line, and nothing begun."""
        begun = (self.folder / "output").exists()
        one_line = self.err.startswith("crawl: ") and len(self.err.splitlines()) == 1
        return self.status == 2 and one_line and words in self.err and not begun


def lines(file: Path) -> list[dict[str, Any]]:
    text = file.read_text()
    assert not text or text.endswith("\n")
    return [json.loads(line) for line in text.splitlines()]


async def start(
    folder: Path, *words: str, before: str = "", after: str = "", **env: str
) -> Process:
    """Start `crawl`; `before` and `after` stand around it in a line of the shell's."""
    shell = ("sh", "-c", f'{before} "$@" {after}', "sh") if before or after else ()
    return await asyncio.create_subprocess_exec(
        *shell, *PROGRAM, *words, cwd=folder, env=_environment(env), stdout=PIPE, stderr=PIPE
    )


async def ended(process: Process, folder: Path) -> Done:
    try:
        async with asyncio.timeout(_LONGEST):
            out, err = await process.communicate()
    finally:
        with suppress(ProcessLookupError):
            process.kill()
    assert process.returncode is not None
    assert not re.search(rb"^Traceback", err, re.MULTILINE), err.decode()
    return Done(process.returncode, out.decode(), err.decode(), folder)


async def crawl(folder: Path, *words: str, before: str = "", after: str = "", **env: str) -> Done:
    """Run `crawl` to its end; it never shows a traceback."""
    return await ended(await start(folder, *words, before=before, after=after, **env), folder)


async def on_terminal(folder: Path, *words: str, columns: int = 80, **env: str) -> tuple[int, str]:
    """Run `crawl` on a terminal; return its exit status and all that was written there."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = await asyncio.create_subprocess_exec(
        *PROGRAM, *words, cwd=folder, env=_environment({"TERM": "xterm", **env}),
        stdin=its, stdout=its, stderr=its,
    )  # fmt: skip
    os.close(its)
    async with asyncio.timeout(_LONGEST):
        text = await asyncio.to_thread(_read, ours)
        return await process.wait(), text


def screen(text: str, *, columns: int = 80) -> list[str]:
    """Return the lines that stand on a terminal after all of `text`, as far as we use one."""
    rows, row, column = [""], 0, 0
    for match in re.finditer(r"\x1b\[([?\d;]*)([A-Za-z])|\r|\n|[^\x1b\r\n]", text):
        piece, (number, letter) = match[0], match.groups()
        if letter == "A":
            row -= int(number or 1)
        elif letter == "K":
            rows[row] = ""
        elif piece == "\r":
            column = 0
        elif piece == "\n" or (column == columns and not letter):
            row, column = row + 1, column if piece == "\n" else 0
            rows += [""] * (row + 1 - len(rows))
        if not letter and piece not in "\r\n":
            rows[row] = f"{rows[row]:{column}}"[:column] + piece + rows[row][column + 1 :]
            column += 1
    return [line.rstrip() for line in rows if line.strip()]


def _environment(given: Mapping[str, str]) -> dict[str, str]:
    """Return our own environment without what the command line minds, and this checkout first."""
    own = {name: text for name, text in os.environ.items() if not name.startswith(_OURS)}
    return {**own, "PYTHONPATH": str(_ROOT), **given}


def _read(fd: int) -> str:
    data = b""
    try:
        while piece := os.read(fd, 65536):
            data += piece
    except OSError:  # Linux says so when the other end is closed
        pass
    os.close(fd)
    return data.decode()
