"""Which content types are delivered?"""

import re
from collections.abc import Iterable

from crawler.errors import SettingError
from crawler.setting_values import unknown

_MOST_JUDGED = 1_000
_XHTML = "application/xhtml+xml"
_NAMES: dict[str, tuple[str, ...]] = {
    "html": ("text/html",),
    "xhtml": (_XHTML,),
    "xml": ("application/xml", "text/xml"),
    "json": ("application/json", "text/json"),
    "text": ("text/plain",),
}
_SUFFIXES = {"xml": "+xml", "json": "+json"}  # RFC 6839
_TOKEN = r"[a-z0-9!#$&^_.+-]+"
_MIME = re.compile(rf"{_TOKEN}/{_TOKEN}")
_RANGE = re.compile(rf"({_TOKEN})/\*")


class Accept:
    """The types a user wants: `html xhtml xml json text`, MIME types, `type/*`, or `*`.

    `xml` and `json` stand for the types that end in `+xml` and `+json` too, but for XHTML. Raises
    `SettingError` for any other name.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._types: set[str] = set()
        self._ranges: set[str] = set()
        self._suffixes: tuple[str, ...] = ()
        self._all = False
        self._judged: dict[str, bool] = {}
        for name in names:
            self._add(name.strip().lower())
        if not (self._all or self._types or self._ranges):
            raise SettingError("accept must name at least one type, or *; got none")

    def _add(self, name: str) -> None:
        if name in ("*", "*/*"):
            self._all = True
        elif name in _NAMES:
            self._types.update(_NAMES[name])
            self._suffixes += (_SUFFIXES[name],) if name in _SUFFIXES else ()
        elif whole := _RANGE.fullmatch(name):
            self._ranges.add(whole[1])
        elif _MIME.fullmatch(name):
            self._types.add(name)
        else:
            raise SettingError(f"accept: {unknown('type', name, (*_NAMES, '*'))}")

    def admits(self, content_type: str | None) -> bool:
        """True if a body with this Content-Type is wanted; one without a readable type is."""
        if self._all or not content_type:
            return True
        admitted = self._judged.get(content_type)
        if admitted is None:
            if len(self._judged) >= _MOST_JUDGED:
                self._judged.clear()
            admitted = self._judged[content_type] = self._judge(content_type)
        return admitted

    def _judge(self, content_type: str) -> bool:
        mime = re.split("[;,]", content_type, maxsplit=1)[0].strip().lower()
        if mime in self._types or "/" not in mime:
            return True
        if mime.partition("/")[0] in self._ranges:
            return True
        return mime != _XHTML and mime.endswith(self._suffixes)
