"""The disk that power cuts are tried on loses what may be lost, and nothing else."""

from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.torture.disk import Disk
from tests.torture.tracing import Trace

DRAWS = 60


class Worst(Random):
    """Draws that nothing is kept but what has to be."""

    def choice(self, seq: Any) -> Any:
        """Return the smallest odds."""
        return min(seq)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "old").write_bytes(b"old")
    return tmp_path


def found(root: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_what_nobody_synced_is_gone(root: Path) -> None:
    disk = Disk(root)
    disk.write(root / "old", b"er", at=3)
    disk.create(root / "new")
    disk.write(root / "new", b"new")
    disk.fail(Worst())
    assert found(root) == {"old": b"old"}


def test_a_synced_file_whose_name_is_not_synced_is_gone(root: Path) -> None:
    disk = Disk(root)
    disk.create(root / "new")
    disk.write(root / "new", b"new")
    disk.sync(root / "new")()
    disk.fail(Worst())
    assert found(root) == {"old": b"old"}


def test_what_is_synced_stays_whatever_comes_after(root: Path) -> None:
    disk = Disk(root)
    disk.create(root / "new")
    disk.write(root / "new", b"new")
    disk.sync(root / "new")()
    disk.sync(root)()
    disk.resize(root / "new", 1)
    disk.rename(root / "new", root / "old")
    disk.fail(Worst())
    assert found(root) == {"old": b"old", "new": b"new"}


def test_what_came_while_a_sync_was_under_way_is_not_sure(root: Path) -> None:
    disk = Disk(root)
    disk.write(root / "old", b"er", at=3)
    done = disk.sync(root / "old")
    disk.write(root / "old", b"!", at=5)
    done()
    disk.fail(Worst())
    assert found(root) == {"old": b"older"}


def test_a_rename_happens_as_a_whole(root: Path) -> None:
    seen = set()
    for seed in range(DRAWS):
        (root / "old").write_bytes(b"old")
        (root / "part").write_bytes(b"new")
        disk = Disk(root)
        disk.rename(root / "part", root / "old")
        disk.fail(Random(seed))
        seen.add(tuple(sorted(found(root).items())))
        for path in root.iterdir():
            path.unlink()
    assert seen == {(("old", b"new"),), (("old", b"old"), ("part", b"new"))}


def test_writes_may_survive_in_any_order_and_in_part(root: Path) -> None:
    seen = set()
    for seed in range(DRAWS):
        (root / "old").write_bytes(b"")
        disk = Disk(root)
        disk.write(root / "old", b"a" * 1024)
        disk.write(root / "old", b"b", at=1024)
        disk.fail(Random(seed))
        seen.add((root / "old").read_bytes().replace(b"a" * 512, b"A").replace(b"\0" * 512, b"0"))
    assert seen >= {b"", b"AA", b"AAb", b"00b"}


def test_a_trace_is_done_to_the_disk(root: Path) -> None:
    log = root.with_suffix(".trace")

    def text(words: object) -> str:
        return "".join(f"\\x{byte:02x}" for byte in str(words).encode())

    new, old = root / "new", root / "old"
    words = f'AT_FDCWD<{text(root)}>, "{text("new")}", O_RDWR|O_CREAT, 0666'
    log.write_text(
        f"7 openat({words}) = 3<{text(new)}>\n"
        f'7 write(3<{text(new)}>, "{text("abc")}", 3) = 2\n'
        f"8 fsync(3<{text(new)}> <unfinished ...>\n"
        f'7 pwrite64(3<{text(new)}>, "{text("z")}", 1, 0) = 1\n'
        "8 <... fsync resumed>) = 0\n"
        f"7 fsync(4<{text(root)}>) = 0\n"
        f'7 unlink("{text(old)}") = 0\n'
        f"7 fsync(4<{text(root)}>) = -1 EIO (Input/output error)\n"
    )
    disk = Disk(root)
    Trace(disk).replay(log)
    disk.fail(Worst())
    assert found(root) == {"new": b"ab", "old": b"old"}
