from pathlib import Path

from crawler.export.jsonl import JsonLines, lines_kept
from crawler.export.sheet import Sheet


def test_a_copy_has_the_same_lines(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(b"earlier\n")
    copy = JsonLines(Sheet(path))
    copy.write([b"1", b"2"])
    copy.write([b"3"])
    copy.close()
    assert path.read_bytes() == b"1\n2\n3\n"


def test_append_keeps_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(b"old")
    kept = lines_kept(path, Sheet(path))
    for _ in range(2):
        copy = JsonLines(Sheet(path, kept=kept))
        copy.write([b"1"])
        copy.close()
    assert path.read_bytes() == b"old\n1\n"
