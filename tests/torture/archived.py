"""What a WARC archive that a crawl left holds, as fastwarc reads it."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from fastwarc.warc import ArchiveIterator

Place = tuple[str, int]
"""A file's name, and the byte in it at which a record begins."""

_CAPTURES = ("response", "revisit")


def bodies(
    run: Path, pages: Sequence[Mapping[str, Any]], broken: list[str]
) -> Iterator[tuple[str, bytes]]:
    """Give each page's URL and body; say what is damaged, missing, or twice in the index."""
    captures: dict[Place, tuple[str, bytes]] = {}
    for file in sorted((run / "warc").glob("*.warc.gz")):
        captures.update(_captures(file, broken))
    indexed = Counter(_indexed(run / "warc" / "index.cdxj", broken))
    if indexed != Counter(captures.keys()):
        broken.append(f"index.cdxj has {indexed.total()} lines of {len(captures)} captures")
    of_pages = Counter(_place(page) for page in pages if "file" in page)
    broken.extend(f"two pages are one capture: {one}" for one, n in of_pages.items() if n > 1)
    for page in pages:
        own, whole = captures.get(_place(page)), captures.get(_place(page.get("same_as", page)))
        url = page.get("final", page["url"])
        if own is None or whole is None or own[0] != url:
            broken.append(f"pages.jsonl: no capture of {url} at {_place(page)}")
        else:
            yield url, whole[1]


def _captures(file: Path, broken: list[str]) -> Iterator[tuple[Place, tuple[str, bytes]]]:
    at = None
    for record in ArchiveIterator(str(file), parse_http=False):
        at = record.stream_pos
        if not record.verify_block_digest():
            broken.append(f"{file.name}: the record at byte {at} is damaged")
        if record.headers["WARC-Type"] in _CAPTURES:
            record.parse_http()
            url = record.headers["WARC-Target-URI"]
            yield (f"warc/{file.name}", at), (url, record.reader.read())
    if at is None:
        broken.append(f"{file.name}: has no record")


def _indexed(file: Path, broken: list[str]) -> Iterator[Place]:
    text = file.read_text() if file.exists() else ""
    if not text:
        broken.append(f"{file.name}: is missing, or empty")
    for line in text.splitlines():
        try:
            fields = json.loads(line.split(" ", 2)[2])
        except (IndexError, ValueError):
            broken.append(f"{file.name}: no line of an index: {line[:200]}")
        else:
            yield f"warc/{fields['filename']}", int(fields["offset"])


def _place(page: Mapping[str, Any]) -> Place:
    return str(page.get("file")), int(page.get("offset", -1))
