"""The house keeps its floors: a file imports only from below."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "crawler"

# From the ground up; a folder is a room, whose files may know each other.
FLOORS: list[set[str]] = [
    {"errors"},
    {"settings", "urls", "usercode"},
    {"parse"},
    {"items"},
    {"request"},
    {"response"},
    {"outcome"},
    {"events", "records"},
    {"spider"},
    {"rules", "fitness"},
    {"protocols", "stats"},
    {"frontier", "fetch", "export", "pipeline", "callbacks", "turns"},
    {"visits"},
    {"committer", "errands"},
    {"engine"},
    {"app"},
    {"library", "demo"},
    {"cli"},
    {"__main__"},
]
RANKS = {name: rank for rank, names in enumerate(FLOORS) for name in names}
FILES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports_of(path: Path) -> list[str]:
    """Every crawler.* module a file imports, type-only and late ones included."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found += [
                f"crawler.{alias.name}" if node.module == "crawler" else node.module
                for alias in node.names
            ]
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_file_imports_only_from_floors_below(path: Path) -> None:
    here = room_of(path)
    for name in imports_of(path):
        if name.startswith("crawler."):
            there = name.split(".")[1]
            assert there == here or RANKS[there] < RANKS[here], f"{here} imports {there}"


@pytest.mark.parametrize("name", ["engine", "committer", "visits", "errands", "turns", "callbacks"])
def test_the_engine_knows_no_concrete_part(name: str) -> None:
    banned = ("aiohttp", "sqlite3", "redis", "crawler.frontier", "crawler.fetch")
    assert not [n for n in imports_of(PACKAGE / f"{name}.py") if n.startswith(banned)]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_file_is_short_and_says_its_job(path: Path) -> None:
    text = path.read_text()
    first = (ast.get_docstring(ast.parse(text)) or "").partition("\n")[0]
    assert 0 < len(first.split()) <= 12
    assert text.count("\n") <= 320


def test_no_test_patches_our_own_code() -> None:
    for path in Path(__file__).parent.rglob("*.py"):
        if path != Path(__file__):
            text = path.read_text()
            assert "monkeypatch.setattr" not in text, path
            assert "unittest.mock" not in text, path
