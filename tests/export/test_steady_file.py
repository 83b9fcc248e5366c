import os
from pathlib import Path

import pytest

from crawler.errors import TargetError
from crawler.export.steady_file import SteadyFile
from tests.export.conftest import SizeLimit


def test_a_write_that_fails_half_way_leaves_the_file_as_it_was(
    tmp_path: Path, size_limit: SizeLimit
) -> None:
    path = tmp_path / "x.jsonl"
    file = SteadyFile(path)
    file.write(b"whole\n")
    with size_limit(10), pytest.raises(TargetError, match=r"x\.jsonl: the file may not grow"):
        file.write(b"0123456789\n")
    assert path.read_bytes() == b"whole\n"
    file.write(b"again\n")
    assert path.read_bytes() == b"whole\nagain\n"
    file.close()


def test_an_end_that_cannot_be_replaced_stands_again(tmp_path: Path, size_limit: SizeLimit) -> None:
    path = tmp_path / "x.json"
    file = SteadyFile(path)
    file.write(b"[1\n]\n")
    with size_limit(8), pytest.raises(TargetError):
        file.write(b",\n2345678\n]\n", at=2)
    assert path.read_bytes() == b"[1\n]\n"
    file.close()


def test_an_end_may_become_shorter(tmp_path: Path) -> None:
    file = SteadyFile(tmp_path / "x")
    file.write(b"0123456789")
    file.write(b"ab", at=3)
    assert (tmp_path / "x").read_bytes() == b"012ab"
    assert file.length == 5
    file.close()


def test_a_pipe_is_no_target(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jsonl")
    with pytest.raises(TargetError, match="not a regular file"):
        SteadyFile(tmp_path / "pipe.jsonl")


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match=r"no/x\.jsonl: the folder is gone"):
        SteadyFile(tmp_path / "no" / "x.jsonl")


def test_closing_twice_closes_nobody_elses_file(tmp_path: Path) -> None:
    file = SteadyFile(tmp_path / "x")
    file.close()
    other = os.open(tmp_path / "y", os.O_CREAT | os.O_WRONLY)
    file.close()
    assert os.write(other, b"still open") == 10
    os.close(other)
