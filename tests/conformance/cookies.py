"""The http-state working group's cookie tests, and the public suffix list's own."""

import ast
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib.resources import files
from typing import Any

from crawler import urls
from crawler.fetch.cookies import CookieJar
from crawler.fetch.setcookie import parse_date
from tests.conformance.packages import Package

# The last version that was published with its tests.
TOUGH_COOKIE = Package(
    registry="npm",
    name="tough-cookie",
    version="2.0.0",
    file="tough-cookie-2.0.0.tgz",
    sha256="86a5ea62324b08ba705041669f05823f2c3ebdb26d8cff025c373b074473878a",
)
# When the cases were written: some of their cookies have long expired.
_NOW = datetime(2011, 1, 1, tzinfo=UTC).timestamp()
_HOME = "http://home.example.org"
# What RFC 6265bis made of cookies without a name, which RFC 6265 left out.
_NAMELESS = {
    "0004": "foo",
    "0021": "a=b; x; c=d",
    "0023": "foo",
    "0024": "foo",
    "0025": "foo",
    "0026": "foo",
    "0027": "bar",
    "0028": "foo",
    "CHROMIUM0009": "BLAHHH",
    "CHROMIUM0010": '"BLA\\"HHH"',
    "CHROMIUM0012": "ABC",
    "MOZILLA0012": 'test="fubar! = foo; five',
    "MOZILLA0014": "six",
    "MOZILLA0015": "seven",
    "MOZILLA0016": "eight",
    "MOZILLA0017": "eight; test=six",
    "NAME0017": "a=bar",
    "NAME0023": "foo",
    "NAME0025": "==a=bar",
    "NAME0028": "a",
    "NAME0031": '"foo',
    "NAME0032": '"foo\\"bar',
    "NAME0033": "aaa",
}


def _cases(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(TOUGH_COOKIE.read(f"package/test/ietf_data/{name}"))
    return found


def jars() -> Iterator[tuple[str, bool]]:
    """Set-Cookie headers, and the Cookie header they lead to."""
    for case in _cases("parser.json"):
        if case["test"].startswith("DISABLED_"):
            continue
        jar = CookieJar()
        jar.store(f"{_HOME}/cookie-parser?{case['test']}", *case["received"], now=_NOW)
        sent_to = case.get("sent-to", f"/cookie-parser-result?{case['test']}")
        sent = jar.header(urls.join(_HOME, sent_to), now=_NOW)
        expected = [f"{c['name']}={c['value']}" if c["name"] else c["value"] for c in case["sent"]]
        header = _NAMELESS.get(case["test"], "; ".join(expected))
        yield f"{case['test']} {case['received']!r}: {sent!r}", sent == header


def dates() -> Iterator[tuple[str, bool]]:
    """Dates in every form, some of which are none."""
    for name in ("dates/examples.json", "dates/bsd-examples.json"):
        for case in _cases(name):
            expected = case["expected"]
            moment = parsedate_to_datetime(expected).timestamp() if expected else None
            yield case["test"], parse_date(case["test"]) == moment


def suffixes() -> Iterator[tuple[str, bool]]:
    """publicsuffix.org's tests, of the list that is installed; one case is no text."""
    text = (files("publicsuffixlist") / "test_psl.txt").read_text("utf-8")
    for line in re.findall(r"^checkPublicSuffix\((.*)\);", text, re.MULTILINE):
        host, domain = ast.literal_eval(f"[{line.replace('null', 'None')}]")
        if host is not None:
            yield host, urls.registrable_domain(host) == domain
