"""What `--append` keeps of the files that are there."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from crawler.errors import OutputError, TargetUnfit
from crawler.export.formats import FORMATS
from crawler.export.naming import filled, has_gap, parts_there
from crawler.export.sheet import Sheet
from crawler.records.streams import Streams


def kept_of(
    path: str, suffix: str, *, files: Sequence[Path], streams: Streams
) -> tuple[Mapping[str, int], int]:
    """Return the bytes kept of a target's files, by path, and the number of its first part.

    Parts that are there stay as they are. Raises `OutputError` for a file that cannot be added to.
    """
    if has_gap(path, "part"):
        names = streams.fields if has_gap(path, "item") else [""]
        there = [parts_there(filled(path, item=name)) for name in names]
        return {}, 1 + max((max(parts) for parts in there if parts), default=0)
    kept = {}
    several = has_gap(path, "item")
    for file, fields in zip(files, streams.fields.values(), strict=False):
        if file.exists() and file.stat().st_size:
            known = fields if several or not streams.tagged else None
            kept[str(file)] = _kept(suffix, Sheet(file, fields=known))
    return kept, 1


def _kept(suffix: str, sheet: Sheet) -> int:
    measure = FORMATS[suffix].kept
    if measure is None:
        raise OutputError(f"{sheet.path}: {suffix} files cannot be added to; {{part}} makes more")
    try:
        return measure(sheet.path, sheet)
    except OSError as error:
        raise OutputError(f"{sheet.path}: cannot be read: {error.strerror}") from None


def check_kept(kept: Mapping[str, int]) -> None:
    """Raise `TargetUnfit` if a file lost what other runs left in it."""
    for name, size in kept.items():
        length = os.path.getsize(name) if os.path.exists(name) else 0
        if length < size:
            raise TargetUnfit(
                f"{name}: held {size:,} bytes when the run began, but has {length:,} now; "
                "was it edited?"
            )
