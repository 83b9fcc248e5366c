"""What the figures were made on and with: cores and versions, nothing that names a machine."""

import os
import platform
import re
import subprocess
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

from benchmarks.contestants import PEERS
from benchmarks.suites import cores_there

_OURS = ("aiohttp", "selectolax", "ada-url", "msgspec")
_PEERS = {
    "scrapy": ("Scrapy", "Twisted", "parsel", "lxml"),
    "crawlee": ("crawlee", "impit", "parsel", "lxml"),
    "scrapling": ("scrapling", "curl_cffi", "lxml"),
}


def description() -> str:
    """Return a Markdown list of the machine and of everything's versions."""
    gigabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    lines = [
        f"{cores_there()} cores, {gigabytes:.0f} GB, {platform.system()} on {platform.machine()}, "
        f"Python {platform.python_version()}",
        f"ours: {version('crawlkeeper')}{_commit()}, with {_here(_OURS)}",
        f"bare loop: {_here(('aiohttp', 'selectolax'))}",
        *(_there(peer, names) for peer, names in _PEERS.items()),
        f"wget2 {_told('wget2', '--version')}; nginx {_told('/usr/sbin/nginx', '-v')}",
    ]
    return "\n".join(f"- {line}" for line in lines if line)


def _here(names: Sequence[str]) -> str:
    return ", ".join(f"{name} {version(name)}" for name in names)


def _there(peer: str, names: Sequence[str]) -> str:
    """Return a peer's versions as its own environment tells them; nothing if it has none."""
    python = PEERS / peer / "bin" / "python"
    if not python.exists():
        return ""
    code = "import sys; from importlib.metadata import version; print(*map(version, sys.argv[1:]))"
    told = subprocess.run([python, "-c", code, *names], capture_output=True, text=True, check=True)
    found: Mapping[str, str] = dict(zip(names, told.stdout.split(), strict=True))
    (first, number), *others = found.items()
    rest = ", ".join(f"{name} {text}" for name, text in others)
    return f"{first} {number}, with {rest}"


def _told(program: str, option: str) -> str:
    try:
        told = subprocess.run([program, option], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return "(not here)"
    found = re.search(r"\d+(?:\.\d+)+", told.stdout + told.stderr)
    return found.group() if found else "(no version)"


def _commit() -> str:
    try:
        asked = ["git", "-C", str(Path(__file__).parent), "rev-parse", "--short", "HEAD"]
        told = subprocess.run(asked, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return f" at {told.stdout.strip()}" if told.returncode == 0 else ""
