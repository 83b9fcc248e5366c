"""A crawl listens on nothing while it crawls; the demo shop on loopback alone."""

import asyncio
import os
import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.cli.command import ended, start
from tests.site import Site

pytestmark = pytest.mark.skipif(
    not Path("/proc/net/tcp").exists(), reason="needs Linux's /proc to see who listens"
)

_LISTENS = "0A"
_ACCEPTS = 0x10000


def listening(pid: int) -> list[str]:
    """Return the addresses that a process and its children listen on, as the kernel has them."""
    own = {inode for one in family(pid) for inode in sockets(one)}
    return [address for address, inode in listeners() if inode in own]


def family(pid: int) -> Iterator[int]:
    yield pid
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            yield from family(int(child))


def sockets(pid: int) -> Iterator[str]:
    for fd in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):  # closed meanwhile
            if (target := os.readlink(fd)).startswith("socket:["):
                yield target[8:-1]


def listeners() -> Iterator[tuple[str, str]]:
    for name in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]:
            _, local, _, state, *_, inode = line.split()[:10]
            if state == _LISTENS:
                yield local.partition(":")[0], inode
    for line in Path("/proc/net/unix").read_text().splitlines()[1:]:
        _, _, _, flags, _, _, inode, *path = line.split()
        if int(flags, 16) & _ACCEPTS:
            yield f"unix {path}", inode


def test_who_listens_is_seen() -> None:
    before = Counter(listening(os.getpid()))  # servers that other tests share
    with socket.create_server(("127.0.0.1", 0)):
        assert Counter(listening(os.getpid())) - before == Counter(["0100007F"])
    with socket.socket(socket.AF_UNIX) as unix:
        unix.bind("\0a test of the crawler's")
        unix.listen()
        assert (Counter(listening(os.getpid())) - before).total() == 1


@pytest.mark.parametrize("processes", ["1", "2"])
async def test_nothing_listens_while_it_crawls(folder: Path, site: Site, processes: str) -> None:
    site.page("/", links=["/slow"])
    site.slow("/slow", 30)
    asked = site.asked("/slow")
    words = ["site", "-a", f"start={site.url()}", "--processes", processes]
    words += ["-s", "stop_seconds=0"]
    crawl = await start(folder, *words)
    async with asyncio.timeout(20):
        await asked.wait()
    assert len(list(family(crawl.pid))) >= int(processes)
    assert any(True for one in family(crawl.pid) for _ in sockets(one))  # it does crawl
    assert listening(crawl.pid) == []
    crawl.terminate()
    await ended(crawl, folder)


async def test_the_demo_shop_listens_on_loopback_alone(folder: Path) -> None:
    demo = await start(folder, "demo", "-s", "delay=0.05", "-v")
    assert demo.stderr is not None
    async with asyncio.timeout(20):
        await demo.stderr.readline()  # it has begun
    assert set(listening(demo.pid)) == {"0100007F"}
    demo.kill()
    await demo.communicate()
