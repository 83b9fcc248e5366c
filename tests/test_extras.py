import re
import tomllib
from pathlib import Path

import pytest

from crawler.extras import PACKAGES, require

PROJECT = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]


def packages(extra: str) -> set[str]:
    """Return what an extra of pyproject.toml installs, without versions."""
    return {re.split(r"[>\[;]", name)[0] for name in PROJECT["optional-dependencies"][extra]}


@pytest.mark.parametrize("extra", PACKAGES)
def test_what_is_looked_for_is_what_the_extra_installs(extra: str) -> None:
    assert set(PACKAGES[extra]) == packages(extra)
    require("x", extra)


def test_all_is_every_extra() -> None:
    (whole,) = PROJECT["optional-dependencies"]["all"]
    named = set(re.findall(r"[a-z0-9]+", whole.partition("[")[2]))
    assert named == PROJECT["optional-dependencies"].keys() - {"all", "dev"}
