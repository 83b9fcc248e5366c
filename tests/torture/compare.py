"""What a crawl left, held against what it should have left."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from crawler.export.paths import path_for
from tests.torture import archived
from tests.torture.web import Web

Line = dict[str, Any]

# What a crawl counts alike, in whatever order it goes and however often it has to ask.
_SURE = ("items.", "duplicate_items.", "failed.", "user.")
_ALSO = {"pages", "redirected", "offsite", "robots_denied", "unwanted_type"}
_STATUSES = {"status.302", "status.403", "status.404", "status.500"}


class Kept(NamedTuple):
    """What a crawl left: multisets of text, its figures, and what cannot be read at all."""

    sets: Mapping[str, Counter[str]]
    stats: Mapping[str, int]
    broken: list[str]


class Difference(NamedTuple):
    """What is `lost` of what should be there, what is there once too often, or at all."""

    lost: list[str]
    doubled: list[str]
    broken: list[str]
    wrong: list[str]

    @property
    def text(self) -> str:
        """A line each, as in a diff."""
        return "".join(
            f"{sign} {line}\n" for sign, lines in zip("-+!#", self, strict=True) for line in lines
        )


def read(run: Path, *, items: Path, copy: Path | None = None) -> Kept:
    """Read a run's folder, its items from where they went, and a copy of them as a JSON array."""
    broken: list[str] = []
    found = list(_lines(items, broken))
    pages = list(_lines(run / "pages.jsonl", broken))
    failures = list(_lines(run / "failures.jsonl", broken))
    is_archive = (run / "warc").is_dir()
    sets = {
        "items": map(_text, found),
        "links": (f"{line['url']} -> {link}" for line in found for link in line.get("links", [])),
        "pages": map(_page, pages),
        "failures": (f"{line['kind']} {line['url']}" for line in failures),
        "bodies": _archived(run, pages, broken) if is_archive else _bodies(run / "pages"),
        "copies": map(_text, found if copy is None else _array(copy, broken)),
    }
    counted = {name: Counter(texts) for name, texts in sets.items()}
    return Kept(counted, _stats(run / "stats.json", broken), broken)


def of_the_web(web: Web) -> Counter[str]:
    """Return the `bodies` of a crawl that kept all of a site."""
    return Counter(_body(str(path_for(url)), body) for url, body in web.contents())


def compare(expected: Kept, kept: Kept) -> Difference:
    """Return what `kept` has less, and what it has more, than `expected`."""
    lost: list[str] = []
    doubled: list[str] = []
    for name, some in expected.sets.items():
        lost += [f"{name}: {text}" for text in (some - kept.sets[name]).elements()]
        doubled += [f"{name}: {text}" for text in (kept.sets[name] - some).elements()]
    wrong = [
        f"stats: {name} {expected.stats.get(name)} became {kept.stats.get(name)}"
        for name in sorted(expected.stats.keys() | kept.stats.keys())
        if expected.stats.get(name) != kept.stats.get(name)
    ]
    return Difference(lost, doubled, kept.broken, wrong)


def _lines(file: Path, broken: list[str]) -> Iterator[Line]:
    """Give the lines that can be read; say which cannot."""
    *whole, rest = (file.read_bytes() if file.exists() else b"").split(b"\n")
    if rest:
        broken.append(f"{file.name}: the last line has no end: {rest[-200:]!r}")
    for number, line in enumerate(whole, 1):
        try:
            found = json.loads(line)
        except ValueError:
            broken.append(f"{file.name}:{number}: no JSON: {line[:200]!r}")
        else:
            yield found


def _array(file: Path, broken: list[str]) -> list[Line]:
    try:
        found: list[Line] = json.loads(file.read_bytes())
    except (OSError, ValueError) as error:
        broken.append(f"{file.name}: cannot be read: {error}")
        return []
    return found


def _text(line: Line) -> str:
    return json.dumps(line, sort_keys=True)


def _page(line: Line) -> str:
    """Return what is certain of a page: of two ways to it, either may have been the first."""
    final = str(line.get("final", line["url"]))
    asked = "" if "/p/" in final else line["url"]
    file = line.get("file")
    if "offset" in line:  # in an archive; as a file of its own it would be called so
        file = f"pages/{path_for(final)}"
    return f"{line['status']} {line['bytes']} {final} {file} {asked}"


def _bodies(folder: Path) -> Iterator[str]:
    for path in folder.rglob("*"):
        if path.is_file():
            yield _body(str(path.relative_to(folder)), path.read_bytes())


def _archived(run: Path, pages: list[Line], broken: list[str]) -> Iterator[str]:
    found = dict(archived.bodies(run, pages, broken))
    return (_body(str(path_for(url)), body) for url, body in found.items())


def _body(name: str, body: bytes) -> str:
    return f"{name} {sha256(body).hexdigest()[:16]}"


def _stats(file: Path, broken: list[str]) -> Mapping[str, int]:
    """Return the figures that do not depend on the order, and whether the crawl is finished."""
    try:
        report = json.loads(file.read_bytes())
    except (OSError, ValueError) as error:
        broken.append(f"{file.name}: cannot be read: {error}")
        return {}
    counts: dict[str, int] = report["counts"]
    sure = {name: n for name, n in counts.items() if name.startswith(_SURE)}
    sure |= {name: counts.get(name, 0) for name in _ALSO | _STATUSES}
    # The end of a redirect may be known by then: it was asked for, and is left out.
    sure["answers"] = counts.get("status.200", 0) - counts.get("duplicates", 0)
    sure["finished"] = report["finished"]
    sure["queued"] = report["queued"]
    return sure
