"""The house keeps its floors: a file imports only from below."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "crawler"

# From the ground up. A folder is a room: its files may know each other, rooms of one floor do not.
FLOORS: list[set[str]] = [
    {"words"},
    {"errors"},
    {"setting_values"},
    {
        "clock",
        "ceiling",
        "descriptors",
        "extras",
        "file_thread",
        "oserrors",
        "owned",
        "plain",
        "settings",
        "syncing",
        "urls",
        "usercode",
    },
    {"media"},
    {"exchange", "fields", "item_keys", "request"},
    {"parse"},
    {"items", "downloads"},
    {"response"},
    {"outcome"},
    {"events", "records"},
    {"spider"},
    {"archive", "rules", "fitness", "meaning", "yielding", "fills", "promises"},
    {"protocols", "stats", "seeding", "hooks", "state", "outbox"},
    {
        "keeping",
        "poison",
        "allowance",
        "ready",
        "places",
        "page_fetch",
        "manners",
        "tickets",
        "lookups",
        "sieve",
        "repeats",
    },
    {"frontier", "fetch", "export", "pipeline", "callbacks", "turns"},
    {"patience", "sitemaps"},
    {"visits", "batches"},
    {"committer", "errands"},
    {"engine"},
    {"shared_outputs"},
    {"run", "jobs", "listening", "conduct"},
    {"files"},
    {"pruning", "exporting"},
    {"differing"},
    {"app"},
    {"library", "demo", "fleet"},
    {"cli"},
    {"__main__"},
]
RANKS = {name: rank for rank, names in enumerate(FLOORS) for name in names}
EVERY = sorted(PACKAGE.rglob("*.py"))
FILES = [path for path in EVERY if path != PACKAGE / "__init__.py"]
LONGEST = 300

each_file = pytest.mark.parametrize(
    "path", FILES, ids=[str(path.relative_to(PACKAGE)) for path in FILES]
)


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports_of(text: str) -> Iterator[str]:
    """Every module a file imports, type-only and late ones included; `.name` is relative."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module == "crawler":
            yield from (f"crawler.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")


def breaches(text: str, *, here: str) -> list[str]:
    """Imports that a file of the room `here` may not have."""
    return [name for name in imports_of(text) if not _allowed(name, here=here)]


def _allowed(name: str, *, here: str) -> bool:
    if name.startswith("."):
        return False  # absolute imports only, so that this test and a reader see the floor
    root, _, rest = name.partition(".")
    if root != "crawler":
        return True
    there = rest.partition(".")[0]
    return there == here or (there in RANKS and RANKS[there] < RANKS[here])


def test_every_file_has_a_floor_and_every_floor_is_lived_on() -> None:
    assert {room_of(path) for path in FILES} == set(RANKS)


@each_file
def test_a_file_imports_only_from_floors_below(path: Path) -> None:
    assert breaches(path.read_text(), here=room_of(path)) == []


@pytest.mark.parametrize(
    "line",
    [
        "from crawler.engine import Engine",
        "from crawler import engine",
        "from crawler import Spider",
        "import crawler",
        "import crawler.engine",
        "from crawler.export.spool import FileSpool",
        "from .memory import MemoryFrontier",
        "if TYPE_CHECKING:\n    from crawler.engine import Engine",
        "def late():\n    from crawler.engine import Engine",
    ],
)
def test_an_import_from_above_or_beside_is_seen(line: str) -> None:
    assert len(breaches(line, here="frontier")) == 1


@each_file
def test_only_faces_import_by_a_computed_name(path: Path) -> None:
    if room_of(path) != "cli":
        assert "import_module" not in path.read_text()


@pytest.mark.parametrize("name", ["engine", "committer", "visits", "errands", "turns", "callbacks"])
def test_the_engine_knows_no_concrete_part(name: str) -> None:
    banned = ("aiohttp", "sqlite3", "redis", "crawler.frontier", "crawler.fetch")
    text = (PACKAGE / f"{name}.py").read_text()
    assert not [found for found in imports_of(text) if found.startswith(banned)]


@each_file
def test_a_file_says_its_job_in_one_short_line(path: Path) -> None:
    docstring = ast.get_docstring(ast.parse(path.read_text())) or ""
    assert 0 < len(docstring.partition("\n")[0].split()) <= 12


def test_no_file_is_longer_than_300_lines() -> None:
    lengths = {str(path.relative_to(PACKAGE)): len(path.read_text().splitlines()) for path in EVERY}
    assert not {name for name, lines in lengths.items() if lines > LONGEST}


def test_no_test_patches_our_own_code() -> None:
    for path in Path(__file__).parent.rglob("*.py"):
        text = path.read_text()
        assert not {"mock", "unittest.mock", "pytest_mock"} & _modules(text), path
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Attribute) and node.attr == "setattr":
                pytest.fail(f"{path}:{node.lineno} patches something")


def _modules(text: str) -> set[str]:
    """What a test imports, `from package import module` in both readings."""
    found = set(imports_of(text))
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found
