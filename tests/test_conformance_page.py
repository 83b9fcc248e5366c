"""docs/conformance.md names tests that exist, and figures that are held."""

import re
from pathlib import Path

from tests.conformance.__main__ import SUITES

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "conformance.md").read_text()
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
ROW = re.compile(r"^\|(.+)\|$", re.MULTILINE)


def rows(columns: int) -> list[list[str]]:
    found = [[cell.strip() for cell in re.split(r"(?<!\\)\|", row)] for row in ROW.findall(PAGE)]
    return [row for row in found if len(row) == columns and not set(row[0]) <= set("-")]


def test_every_test_it_names_exists() -> None:
    named = NAMED.findall(PAGE)
    assert len(named) > 40
    missing = [
        f"{path}::{name}"
        for path, name in named
        if not (ROOT / path).exists()
        or not re.search(rf"^(?:async )?def {name}\(", (ROOT / path).read_text(), re.MULTILINE)
    ]
    assert missing == []


def test_every_rule_has_a_test() -> None:
    rules = [row for row in rows(3) if row[0] != "rule"]
    assert len(rules) > 30
    assert [rule for rule, _, test in rules if not NAMED.search(test)] == []


def test_the_figures_are_those_that_make_conformance_holds() -> None:
    figures = [tuple(row[:3]) for row in rows(4) if row[0] != "suite"]
    assert figures == [(suite.name, str(suite.least), str(suite.cases)) for suite in SUITES]
