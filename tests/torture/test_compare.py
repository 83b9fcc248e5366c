"""The comparison itself: whatever is lost, doubled or torn is seen."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from crawler.records.page_index import index_line
from tests.export.archives import Frontier, answer, opened
from tests.torture import archived, compare
from tests.torture.compare import Difference, Kept
from tests.torture.web import Web

SITE = "http://127.0.2.1:80"
LEFT: dict[str, list[dict[str, object]]] = {
    "items.jsonl": [
        {"_type": "page", "url": f"{SITE}/p/0", "links": [f"{SITE}/p/8", f"{SITE}/p/16"]},
        {"_type": "page", "url": f"{SITE}/p/8", "links": []},
    ],
    "pages.jsonl": [
        {"url": f"{SITE}/p/0", "status": 200, "bytes": 3, "file": "pages/0.html"},
        {"url": f"{SITE}/p/8", "status": 200, "bytes": 3, "file": "pages/8.html"},
    ],
    "failures.jsonl": [{"url": f"{SITE}/gone/3", "kind": "status"}],
}
COUNTS = {"pages": 2, "status.200": 3, "duplicates": 1, "retries": 4, "user.parsed": 2}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """What a crawl of two pages left."""
    for name, lines in LEFT.items():
        (tmp_path / name).write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "0.html").write_bytes(b"one")
    (tmp_path / "pages" / "8.html").write_bytes(b"two")
    (tmp_path / "items.json").write_text(json.dumps(LEFT["items.jsonl"]))
    _report(tmp_path, **COUNTS)
    return tmp_path


def _report(run: Path, **counts: int) -> None:
    report = {"finished": True, "queued": 0, "counts": counts}
    (run / "stats.json").write_text(json.dumps(report))


def _read(run: Path) -> Kept:
    return compare.read(run, items=run / "items.jsonl", copy=run / "items.json")


def _lose(name: str) -> Callable[[Path], None]:
    def damage(run: Path) -> None:
        lines = (run / name).read_bytes().splitlines(keepends=True)
        (run / name).write_bytes(b"".join(lines[1:]))

    return damage


def _double(name: str) -> Callable[[Path], None]:
    def damage(run: Path) -> None:
        lines = (run / name).read_bytes().splitlines(keepends=True)
        (run / name).write_bytes(b"".join([*lines, lines[0]]))

    return damage


def _tear(name: str, *, rest: bytes) -> Callable[[Path], None]:
    def damage(run: Path) -> None:
        (run / name).write_bytes((run / name).read_bytes()[:-3] + rest)

    return damage


def _remove(name: str) -> Callable[[Path], None]:
    return lambda run: (run / name).unlink()


def _write(name: str, data: bytes) -> Callable[[Path], None]:
    def damage(run: Path) -> None:
        (run / name).write_bytes(data)

    return damage


LINES = ("items.jsonl", "pages.jsonl", "failures.jsonl")
DAMAGES = [
    *(("lost", _lose(name)) for name in LINES),
    *(("doubled", _double(name)) for name in LINES),
    *(("broken", _tear(name, rest=b"")) for name in LINES),
    *(("broken", _tear(name, rest=b"\n")) for name in LINES),
    *(("lost", _remove(name)) for name in LINES),
    ("lost", _remove("pages/0.html")),
    ("lost", _write("pages/0.html", b"o")),
    ("doubled", _write("pages/16.html", b"new")),
    ("doubled", _write("pages/.part-7", b"new")),
    ("lost", _write("items.json", b"[]")),
    ("broken", _write("items.json", b"[")),
    ("broken", _remove("items.json")),
    ("broken", _remove("stats.json")),
    ("wrong", lambda run: _report(run, **{**COUNTS, "pages": 3})),
    ("wrong", lambda run: _report(run, **{**COUNTS, "user.parsed": 1})),
    ("wrong", lambda run: _report(run, **{**COUNTS, "user.other": 1})),
    ("wrong", lambda run: _report(run, **{**COUNTS, "duplicates": 0})),
]


def test_a_crawl_is_as_it_should_be(run: Path) -> None:
    assert not any(compare.compare(_read(run), _read(run)))


@pytest.mark.parametrize(("seen_as", "damage"), DAMAGES)
def test_damage_is_seen(run: Path, seen_as: str, damage: Callable[[Path], None]) -> None:
    whole = _read(run)
    damage(run)
    difference = compare.compare(whole, _read(run))
    assert getattr(difference, seen_as)
    assert difference.text


def test_an_edge_of_the_link_graph_is_an_item_of_its_own(run: Path) -> None:
    whole = _read(run)
    _lose("items.jsonl")(run)
    difference = compare.compare(whole, _read(run))
    assert f"links: {SITE}/p/0 -> {SITE}/p/16" in difference.lost


def test_order_retries_and_the_way_to_a_page_make_no_difference(run: Path) -> None:
    whole = _read(run)
    for name in LINES:
        lines = (run / name).read_bytes().splitlines(keepends=True)
        (run / name).write_bytes(b"".join(reversed(lines)))
    text = (run / "pages.jsonl").read_text()
    moved = text.replace(f'"{SITE}/p/8"', f'"{SITE}/moved/9", "final": "{SITE}/p/8"')
    (run / "pages.jsonl").write_text(moved)
    _report(run, **{**COUNTS, "retries": 9, "status.200": 2, "duplicates": 0})
    assert compare.compare(whole, _read(run)) == Difference([], [], [], [])


def test_the_web_says_which_files_there_are() -> None:
    web = Web(40, seed=1, port=8000)
    bodies = compare.of_the_web(web)
    assert len(bodies) == len(dict(web.contents())) > 40
    assert set(bodies.values()) == {1}


async def _archive(run: Path) -> None:
    """Write an archive of two pages; the second is a revisit of the first."""
    pages = [answer(f"{SITE}/p/{number}", b"the same" * 99) for number in (0, 8)]
    async with opened(run, frontier := Frontier()) as store:
        places = await store.save(pages)
        await frontier.commit(store)
        await store.settle()
    lines = [index_line(page, place) for page, place in zip(pages, places, strict=True)]
    (run / "pages.jsonl").write_bytes(b"\n".join(lines))


def _spoil(name: str, old: bytes, new: bytes) -> Callable[[Path], None]:
    def damage(run: Path) -> None:
        (file,) = (run / "warc").glob(name)
        data = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
        assert old in data
        data = data.replace(old, new, 1)
        file.write_bytes(gzip.compress(data) if file.suffix == ".gz" else data)

    return damage


def _forget(run: Path) -> None:
    text = (run / "pages.jsonl").read_text()
    (run / "pages.jsonl").write_text(f"{text.splitlines()[0]}\n" * 2)


@pytest.mark.parametrize(
    "damage",
    [
        _spoil("index.cdxj", b"\n", b""),
        _spoil("index.cdxj", b"{", b"#"),
        _spoil("index.cdxj", b'"offset":"', b'"offset":"9'),
        _spoil("*.warc.gz", b"the same", b"not same"),
        _forget,
    ],
)
async def test_what_is_wrong_in_an_archive_is_seen(
    tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    await _archive(tmp_path)
    broken: list[str] = []
    pages = [json.loads(line) for line in (tmp_path / "pages.jsonl").read_text().splitlines()]
    found = dict(archived.bodies(tmp_path, pages, broken))
    assert (set(found.values()), len(found), broken) == ({b"the same" * 99}, 2, [])
    damage(tmp_path)
    pages = [json.loads(line) for line in (tmp_path / "pages.jsonl").read_text().splitlines()]
    for _ in archived.bodies(tmp_path, pages, broken):
        pass
    assert broken
