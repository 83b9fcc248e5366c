"""Which format the suffix of `-o` means."""

import os
from pathlib import Path

from crawler.errors import OutputError
from crawler.export.databases.registry import DATABASES
from crawler.export.formats import FORMATS
from crawler.export.packing import PACKINGS
from crawler.setting_values import unknown

_SUFFIXES = (*FORMATS, *(name for name in DATABASES if name.startswith(".")))
_PLAIN = [suffix for suffix in _SUFFIXES if suffix.count(".") == 1]
# What other programs call these formats, or would be had from them; no spelling of ours.
_MEANT = {
    ".ndjson": ".jsonl",
    ".jl": ".jsonl",
    ".jsonlines": ".jsonl",
    ".tsv": ".csv",
    ".xls": ".csv",
    ".xlsx": ".csv",
    ".pq": ".parquet",
}


def suffix_of(text: str) -> str:
    """Return the longest known suffix, so that a later `.jsonl.gz` is not read as `.gz`.

    Raises `OutputError`.
    """
    name = Path(text).name.lower()
    for suffix in sorted(_SUFFIXES, key=len, reverse=True):
        if name.endswith(suffix) and name != suffix:
            return suffix
    if os.path.isdir(text) or text.endswith(os.sep):
        raise OutputError(f"{text}: is a folder; -o needs a file")
    inner, last = os.path.splitext(name)
    if last in PACKINGS and inner.endswith(tuple(FORMATS)):
        raise OutputError(f"{text}: {Path(inner).suffix} is compressed already; leave {last} out")
    raise OutputError(f"{text}: {_problem(last)}; known are {_known()}")


def _problem(last: str) -> str:
    if last in PACKINGS:
        return f"{last} is for text: NAME.jsonl{last}, NAME.csv{last}"
    if not last:
        return "expected a suffix that says the format, such as .csv"
    if meant := _MEANT.get(last):
        return f"unknown output format {last!r}; did you mean {meant!r}?"
    return unknown("output format", last, _PLAIN)


def _known() -> str:
    packed = " or ".join(PACKINGS)
    text = [suffix for suffix in _PLAIN if f"{suffix}.gz" in FORMATS]
    rest = [suffix for suffix in _PLAIN if suffix not in text]
    return f"{', '.join(text)}, each also with {packed}; {', '.join(rest)}; - is standard output"
