"""JSON that stands in scripts."""

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec
from selectolax.lexbor import LexborNode

from crawler.errors import ContentError, MissingValue

# Between the brackets of JSON there are texts, and what is no punctuation of JavaScript.
_TO_BRACKET: Final = re.compile(r'(?:[\w\s,:.+-]++|"(?:[^"\\]++|\\.)*+")*+([\[{\]}])?', re.DOTALL)
_TEXT: Final = re.compile(r""""(?:[^"\\]++|\\.)*+"|'(?:[^'\\]++|\\.)*+'""", re.DOTALL)
_ESCAPE: Final = re.compile(
    r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|u\{([0-9a-fA-F]{1,6})\}|(\r\n|.))", re.DOTALL
)
_ESCAPED: Final = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0"}
_MOST_SHOWN: Final = 80
_LINE_ENDS: Final = ("\n", "\r", "\r\n", "\u2028", "\u2029")


def script_json(
    scripts: Iterable[LexborNode], name: str | None, *, css: str, kind: Any, url: str
) -> Any:
    """Return what `Node.script_json` does of some elements; `css` and `url` are for messages."""
    texts = [_source(script) for script in scripts]
    where = f"the script {css!r}" if name is None else f"{name!r} in {css!r}"
    given = texts[:1] if name is None else values_of(texts, name)
    wrong: tuple[Exception, str] | None = None
    for text in given:
        try:
            return msgspec.json.decode(text.encode("utf-8", "replace"), type=kind)
        except (msgspec.DecodeError, RecursionError) as error:
            wrong = wrong or (error, text)
    if wrong is not None and isinstance(wrong[0], msgspec.ValidationError | RecursionError):
        raise ContentError(f"{where} is not the JSON expected: {wrong[0]}: {url}")
    if wrong is not None and wrong[1].strip():
        raise ContentError(f"{where} is no JSON, {_shown(wrong[1])}: {wrong[0]}: {url}")
    if name is not None and (other := _given(texts, name)):
        raise ContentError(f"{where} is no JSON, but JavaScript, {_shown(other)}: {url}")
    raise MissingValue(f"no JSON of {where} on {url}")


def _given(sources: Iterable[str], name: str) -> str:
    """Return what is given to `name` and is not read: no text, number or code is; often nothing."""
    given = re.compile(rf"(?<![\w$]){re.escape(name)}[\"']?\s*+\]?\s*+[=:]\s*+(?![=>])(.++)")
    return next((found[1] for source in sources if (found := given.search(source))), "")


def _shown(text: str) -> str:
    shown = repr(text.strip())
    return shown if len(shown) <= _MOST_SHOWN else f"{shown[:_MOST_SHOWN]}…"


def values_of(sources: Iterable[str], name: str) -> Iterator[str]:
    """Yield what is given to `name` in JavaScript and may be JSON, as it stands there.

    A source is read once from its beginning to its end, however often the name is in it.
    """
    given = re.compile(
        rf"(?<![\w$]){re.escape(name)}[\"']?\s*+\]?\s*+[=:(]\s*+(?:([\[{{])|JSON\.parse\(\s*+)"
    )
    for source in sources:
        at = 0
        while found := given.search(source, at):
            if found[1]:
                value, at = _balanced(source, found.start(1))
            else:
                value, at = _text(source, found.end())
            if value is not None:
                yield value


def _balanced(source: str, start: int) -> tuple[str | None, int]:
    """Return what the bracket at `start` begins, None if it is no JSON, and where that was seen."""
    depth, at = 0, start
    while found := _TO_BRACKET.match(source, at):
        at = found.end()
        if found[1] is None:
            # A text without end is none before the end of the source either.
            return None, len(source) if source[at : at + 1] == '"' else at
        depth += 1 if found[1] in "[{" else -1
        if not depth:
            return source[start:at], at
    raise AssertionError("it matches nothing as well")


def _text(source: str, start: int) -> tuple[str | None, int]:
    """Return what the text at `start` says, None if there is none, and where it ends."""
    found = _TEXT.match(source, start)
    if found is None:
        return None, len(source) if source[start : start + 1] in ("'", '"') else start
    return _ESCAPE.sub(_unescaped, found[0][1:-1]), found.end()


def _unescaped(found: re.Match[str]) -> str:
    if code := found[1] or found[2] or found[3]:
        number = int(code, 16)
        return chr(number) if number <= 0x10FFFF else "\ufffd"
    return "" if found[4] in _LINE_ENDS else _ESCAPED.get(found[4], found[4])


def _source(script: LexborNode) -> str:
    """Return a script's text as it stands: white space counts in the texts of JSON."""
    only = script.first_child
    return only.text_lexbor() if only is not None and only.tag == "-text" else ""
