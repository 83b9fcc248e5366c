"""A process that kills itself at a named step, and what it leaves then."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.torture.stepping import armed

COMMIT = """
import os, sqlite3, time
db = sqlite3.connect("x.db", isolation_level=None)
db.execute("create table if not exists t (n)")
db.execute("begin immediate")
db.execute("insert into t values (1)")
db.execute("commit")
db.execute("select 1")
time.sleep(1)
"""
WRITE = """
import os
fd = os.open("x.jsonl", os.O_RDWR | os.O_CREAT)
os.pwrite(fd, b"whole\\n", 0)
"""
BODY = """
import os
fd = os.open(".part-0", os.O_RDWR | os.O_CREAT)
os.write(fd, b"whole\\n")
"""
CUT = """
import os
fd = os.open("long", os.O_RDWR)
os.ftruncate(fd, 2)
"""
MOVE = 'import os; os.replace("long", "short")'
MOVE_BODY = """
import os
os.makedirs("pages/host")
here, there = os.open(".", os.O_RDONLY), os.open("pages/host", os.O_RDONLY)
os.replace("long", "short", src_dir_fd=here, dst_dir_fd=there)
"""
UNLINK = 'import pathlib; pathlib.Path("long").unlink()'
FETCH = 'from tests.torture.mortal import reached; reached("after_fetch")'


@pytest.mark.parametrize(
    ("step", "code", "long_is"),
    [
        ("after_fetch", FETCH, b"long"),
        ("before_commit", COMMIT, b"long"),
        ("in_commit", COMMIT, b"long"),
        ("after_commit", COMMIT, b"long"),
        ("within_write", WRITE, b"long"),
        ("within_body", BODY, b"long"),
        ("before_rename_file", MOVE, b"long"),
        ("after_rename_file", MOVE, None),
        ("before_rename_body", MOVE_BODY, b"long"),
        ("after_rename_body", MOVE_BODY, None),
        ("before_unlink_file", UNLINK, b"long"),
        ("after_unlink_file", UNLINK, None),
        ("before_truncate", CUT, b"long"),
        ("after_truncate", CUT, b"lo"),
    ],
)
def test_a_process_dies_at_its_step_and_leaves_a_mark(
    tmp_path: Path, step: str, code: str, long_is: bytes | None
) -> None:
    long = tmp_path / "long"
    long.write_bytes(b"long")
    assert _run(tmp_path, code, step=step) == -signal.SIGKILL
    assert [mark.name.split("-")[0] for mark in (tmp_path / "marks").iterdir()] == [step]
    assert (long.read_bytes() if long.exists() else None) == long_is


@pytest.mark.parametrize(("step", "rows"), [("before_commit", 0), ("after_commit", 1)])
def test_a_commit_is_undone_before_it_and_true_after_it(
    tmp_path: Path, step: str, rows: int
) -> None:
    assert _run(tmp_path, COMMIT, step=step) == -signal.SIGKILL
    count = "import sqlite3; print(sqlite3.connect('x.db').execute('select * from t').fetchall())"
    shown = subprocess.check_output([sys.executable, "-c", count], cwd=tmp_path)
    assert shown.count(b"1") == rows


def test_a_write_stops_part_of_the_way(tmp_path: Path) -> None:
    assert _run(tmp_path, WRITE, step="within_write") == -signal.SIGKILL
    assert b"whole\n".startswith((tmp_path / "x.jsonl").read_bytes())


def test_a_process_that_does_not_come_to_the_step_lives(tmp_path: Path) -> None:
    assert _run(tmp_path, WRITE, step="before_commit") == 0
    assert not any((tmp_path / "marks").iterdir())


def _run(folder: Path, code: str, *, step: str) -> int:
    marks = folder / "marks"
    marks.mkdir()
    env = armed(marks, **{step: 1.0})
    return subprocess.call([sys.executable, "-c", code], cwd=folder, env=env, timeout=20)
