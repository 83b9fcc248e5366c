"""Names with gaps: `{spider}-{part}.csv`."""

import glob
import os
import re
from collections.abc import Mapping
from pathlib import Path
from string import Formatter

from crawler.errors import OutputError
from crawler.setting_values import unknown

GAPS = ("spider", "run", "date", "item", "part")
"""What a name may leave to be filled in: the spider's and the run's name, the day (UTC) the run
began, the type of the items, the number of the part, from 1 on."""

_GAP = re.compile(r"\{\{|\}\}|\{(\w+)(?::0?(\d+))?\}")
_PART = re.compile(r"\{part[^}]*\}")
_MOST_DIGITS = 12


def check_gaps(text: str) -> None:
    """Raise `OutputError` if a name has gaps that nothing fills."""
    try:
        pieces = list(Formatter().parse(text))
    except ValueError as error:
        raise OutputError(f"{text}: {error}; a brace of its own is written twice") from None
    for _, name, spec, conversion in pieces:
        if name is None:
            continue
        if name not in GAPS:
            problem = unknown("name", name, GAPS)
            raise OutputError(
                f"{text}: {problem}; known are {', '.join(GAPS)}; a brace of its own is written "
                "twice"
            )
        digits = spec or "0"
        is_fit = digits.isdigit() and int(digits) <= _MOST_DIGITS and not conversion
        if not is_fit or (spec and name != "part"):
            raise OutputError(f"{text}: {{{name}}}: only {{part:05}} says how it is written")


def has_gap(text: str, name: str) -> bool:
    """True if a name, checked before, leaves this to be filled in."""
    return any(found == name for _, found, _, _ in Formatter().parse(text))


def has_gaps(text: str) -> bool:
    """True if a name, checked before, leaves anything to be filled in."""
    return any(found is not None for _, found, _, _ in Formatter().parse(text))


def absolute(text: str) -> str:
    """Return a name with gaps as an absolute path; braces of the working folder are no gaps."""
    return os.path.normpath(os.path.join(literal(os.getcwd()), text))


def filled(text: str, **values: str | int) -> str:
    """Return a name with some of its gaps filled, ready to have the others filled as well."""
    filling: Mapping[str, str | int] = values

    def fill(found: re.Match[str]) -> str:
        name, digits = found.groups()
        if name not in filling:  # or a doubled brace
            return found[0]
        value = str(filling[name]).zfill(int(digits or 0))
        return literal(value)

    return _GAP.sub(fill, text)


def whole(text: str) -> str:
    """Return a name whose gaps are all filled, as it stands on the disk."""
    return text.replace("{{", "{").replace("}}", "}")


def literal(text: str) -> str:
    """Return a name with no gaps for a text that is just that."""
    return text.replace("{", "{{").replace("}", "}}")


def parts_there(name: str) -> Mapping[int, Path]:
    """Return the files that are parts of a name with no other gap, by their numbers."""
    before, after = (whole(piece) for piece in _PART.split(name, maxsplit=1))
    found = glob.glob(f"{glob.escape(before)}*{glob.escape(after)}")
    numbers = {path: part_number(path, name) for path in found}
    return {number: Path(path) for path, number in numbers.items() if number is not None}


def can_meet(one: str, other: str) -> bool:
    """True if two names with no gaps but for their parts may come to the same file."""
    if not has_gap(one, "part"):
        one, other = other, one
    if not has_gap(one, "part"):
        return whole(one) == whole(other)
    if not has_gap(other, "part"):
        return part_number(whole(other), one) is not None
    (before, after), (before_2, after_2) = (_PART.split(name, maxsplit=1) for name in (one, other))
    # What one has more, before its number or behind it, may be digits of the other's.
    return _is_more(before, before_2) and _is_more(after[::-1], after_2[::-1])


def _is_more(one: str, other: str) -> bool:
    """True if one text is the other, or begins with it and goes on with digits."""
    short, long = sorted((one, other), key=len)
    return long.startswith(short) and (long == short or long[len(short) :].isdecimal())


def any_part(name: str) -> str:
    """Return the pattern that a name's parts have, and perhaps others."""
    return whole(_PART.sub("*", name))


def part_number(path: str, name: str) -> int | None:
    """Return the number of the part of a name, with no other gap, that a path is; None if none."""
    before, after = (whole(piece) for piece in _PART.split(name, maxsplit=1))
    number = path[len(before) : len(path) - len(after)]
    is_one = number.isdecimal() and whole(filled(name, part=int(number))) == path
    return int(number) if is_one else None


def with_item(path: str, suffix: str) -> str:
    """Return the name of files of one type each: `x.csv` is `x.{item}.csv`."""
    return f"{path[: -len(suffix)]}.{{item}}{path[-len(suffix) :]}"
