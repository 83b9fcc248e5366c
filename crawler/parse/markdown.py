"""HTML as Markdown, if that takes no more than it should."""

import logging
import re
from functools import cache
from typing import TYPE_CHECKING, Final

from crawler.errors import MissingExtra

if TYPE_CHECKING:
    from html_to_markdown import ConversionOptions

log = logging.getLogger(__name__)

# What is nested is written again for each level: 100 quotations around 100,000 lines take 8 s and
# 20 MB. Tables are filled up to rectangles: 100,000 rows below one of 200,000 cells are 300 MB.
# Within these bounds 2 MB take 2 s at most, and mostly 0.3; the converter does without the
# interpreter lock, so nothing else waits for a thread with it.
_MOST_LINES: Final = 4_000_000
_MOST_CELLS: Final = 3_000_000
_WIDEST: Final = 1_000
# 1,000 times <pre> takes 3 s; the converter's own limit is 1,024.
_DEEPEST: Final = 500
_TOO_DEEP: Final = "depth_limit_exceeded"

_WEIGHTS: Final = {
    **dict.fromkeys((b"ul", b"ol", b"dl", b"menu", b"dir", b"details"), 1),
    **dict.fromkeys((b"blockquote", b"pre", b"code", b"kbd", b"samp", b"var", b"cite", b"a"), 4),
    **dict.fromkeys((b"b", b"strong", b"i", b"em", b"u", b"s", b"del", b"ins", b"mark", b"q"), 4),
}
_COUNTED: Final = b"|".join((*_WEIGHTS, b"tr", b"td", b"th"))
_RAW: Final = (b"script", b"style", b"xmp", b"iframe", b"noembed", b"noframes")
# Of HTML as it is serialised: every tag is whole, and every attribute quoted. A match passes over
# what does not count, to a tag that does if it is near; after each, other threads have a turn.
_TAG: Final = re.compile(
    rb"(?:[^<]++|<!--.*?-->|%(raw)b"
    rb"|<(?!/?(?:%(counted)b)[\s>])(?:/?[a-z][^\s>]*+%(attributes)b\s*+>)?+){0,1000}+"
    rb"(?:<(/?(?:%(counted)b))(?=[\s>])(%(attributes)b))?"
    % {
        b"counted": _COUNTED,
        b"raw": b"|".join(rb"<%b(?=[\s>]).*?</%b>" % (name, name) for name in _RAW),
        b"attributes": rb'(?:\s++[^\s>"=]++(?:="[^"]*+")?+)*+',
    },
    re.DOTALL,
)
_COLSPAN: Final = re.compile(rb'\scolspan="\s*([0-9]{1,9})')
_BASE: Final = re.compile(r"<base(?=[\s>])")


def markdown_of(html: str | None, *, url: str, base: str) -> str:
    """Return what `markup_of` gives of an element of the page at `url` as Markdown.

    Its URLs are joined to `base`. Empty if that would take too much. Raises `MissingExtra`.
    """
    text = None if html is None else _converted(html, base)
    if text is None:
        log.warning("not made Markdown, as it takes too much: %s", url)
    return text or ""


def _converted(html: str, base: str) -> str | None:
    options = _options(base)
    if _takes_much(html.encode("utf-8", "replace")):
        return None
    from html_to_markdown import ConversionError, convert

    try:
        # `base` is what <base> came to; the converter would join it again.
        result = convert(_BASE.sub("<x-base", html), options)
    except ConversionError:  # binary in the guise of HTML
        return None
    is_cut = any(str(warning.kind) == _TOO_DEEP for warning in result.warnings)
    return None if is_cut else result.content or ""


def check_installed() -> None:
    """Raise `MissingExtra` if HTML cannot be made Markdown here."""
    _options_class()


@cache
def _options_class() -> "type[ConversionOptions]":
    try:
        from html_to_markdown import ConversionOptions
    except ImportError:
        raise MissingExtra("Markdown", "text") from None
    return ConversionOptions


def _options(base: str) -> "ConversionOptions":
    # Compact tables: else each cell is as wide as the widest. Pictures in `data:` URLs are no text.
    return _options_class()(
        base_url=base,
        bullets="-",
        compact_tables=True,
        extract_metadata=False,
        inline_data_media="alt_text_only",
        max_depth=_DEEPEST,
    )


def _takes_much(html: bytes) -> bool:
    """True for many lines in many lists, quotations or the like, and for tables all too wide."""
    lines = html.count(b"\n") + html.count(b"<")
    depth = deepest = rows = row = widest = 0
    for found in _TAG.finditer(html):
        name, attributes = found.groups()
        if name is None:
            continue
        if weight := _WEIGHTS.get(name):
            depth += weight
            deepest = max(deepest, depth)
        elif name.startswith(b"/"):
            depth -= _WEIGHTS.get(name[1:], 0)
        elif name == b"tr":
            rows, row = rows + 1, 0
        elif name in (b"td", b"th"):
            span = _COLSPAN.search(attributes) if attributes else None
            row += min(int(span[1]), _WIDEST) if span else 1
            widest = max(widest, row)
    return deepest * lines > _MOST_LINES or widest * rows > _MOST_CELLS
