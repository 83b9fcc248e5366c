"""What is so before anybody sets anything: defaults, and what comes with the package."""

import subprocess
import sys
import tomllib
from pathlib import Path

from crawler.settings import Settings

PROJECT = Path(__file__).parents[1] / "pyproject.toml"
OFFLINE = """
import sys

def refuse(event, args):
    if event.startswith("socket."):
        raise SystemExit(event)

sys.addaudithook(refuse)
from crawler import urls

assert urls.registrable_domain("a.b.example.co.uk") == "example.co.uk"
"""


def test_standards_are_kept_and_nothing_is_open_by_default() -> None:
    ours = Settings()
    assert ours.obey_robots
    assert ours.obey_meta_robots
    assert ours.obey_nofollow
    assert ours.obey_base
    assert ours.meta_refresh
    assert ours.srcset
    assert ours.canonical == "follow"
    assert ours.verify_tls
    assert not ours.trust_env
    assert not ours.allow_private
    assert ours.escape_formulas
    assert ours.per_ip is None


def test_the_list_of_public_suffixes_is_asked_of_nobody() -> None:
    subprocess.run([sys.executable, "-c", OFFLINE], check=True, timeout=60)


def test_aiohttp_has_the_corrections_of_its_client() -> None:
    needed = tomllib.loads(PROJECT.read_text())["project"]["dependencies"]
    (aiohttp,) = [one for one in needed if one.startswith("aiohttp[")]
    least = aiohttp.partition(">=")[2]
    assert tuple(map(int, least.split("."))) >= (3, 14, 4)
