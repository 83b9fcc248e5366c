"""`make conformance`: outside suites over the pure functions, against recorded floors."""

import sys
from collections.abc import Callable, Iterator
from typing import NamedTuple

from tests.conformance import cookies, encodings, naughty, scrapy, urls


class Suite(NamedTuple):
    """`least` of exactly `cases` have to pass; `results` gives each case and whether it does."""

    name: str
    least: int
    cases: int
    results: Callable[[], Iterator[tuple[str, bool]]]


SUITES = [
    Suite("WPT URL parsing", 820, 820, urls.parsing),
    Suite("WPT IDNA", 2008, 2070, urls.domains),
    Suite("encoding labels", 456, 456, encodings.labels),
    Suite("encoding prescan", 40_000, 40_000, encodings.prescan),
    Suite("encoding decoders", 767_114, 767_114, encodings.decoders),
    Suite("http-state cookies", 217, 218, cookies.jars),
    Suite("http-state dates", 70, 70, cookies.dates),
    Suite("public suffixes", 77, 77, cookies.suffixes),
    Suite("Scrapy's sitemaps", 9, 10, scrapy.sitemaps),
    Suite("Scrapy's links", 7, 8, scrapy.links),
    Suite("naughty strings", 3395, 3395, naughty.strings),
]


def main(arguments: list[str]) -> int:
    """Run the suites whose names hold one of `arguments`, all without; `-v` lists what fails."""
    wanted = [word for word in arguments if word != "-v"]
    below = 0
    for suite in SUITES:
        if wanted and not any(word in suite.name for word in wanted):
            continue
        results = list(suite.results())
        failed = [case for case, passed in results if not passed]
        passed = len(results) - len(failed)
        short = passed < suite.least or len(results) != suite.cases
        below += short
        asked = f", expected {suite.least} of {suite.cases}" if short else ""
        print(f"{suite.name}: {passed} of {len(results)}{asked}", flush=True)
        for case in failed if "-v" in arguments else ():
            print(f"    {case}")
    return 1 if below else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
