"""`crawl demo`, as a real process."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from crawler.demo.shop import Shop


def demo(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "crawler", "demo", "-s", "min_free_bytes=0", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def done(folder: Path) -> subprocess.CompletedProcess[str]:
    """One demo, which all tests look at."""
    return demo(folder, "-o", "products.csv")


def test_the_demo_ends_in_a_table_of_results(done: subprocess.CompletedProcess[str]) -> None:
    facts = Shop().expected
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert "demo: finished" in done.stderr
    assert f"product: {facts.products}" in done.stderr
    assert f"status: {facts.dead}" in done.stderr


def test_the_demo_leaves_a_run_with_its_data(
    done: subprocess.CompletedProcess[str], folder: Path
) -> None:
    facts = Shop().expected
    (run,) = (folder / "output" / "demo").iterdir()
    report = json.loads((run / "stats.json").read_text())
    assert (report["pages"], report["items"]) == (facts.pages, {"product": facts.products})
    assert len((folder / "products.csv").read_text().splitlines()) == facts.products + 1


def test_it_takes_the_options_of_any_crawl(
    done: subprocess.CompletedProcess[str], folder: Path, tmp_path: Path
) -> None:
    shutil.copy(folder / "products.csv", tmp_path)
    words = ["-o", "products.csv", "--append", "--max-items", "1", "--log-json", "--pages", "none"]
    again = demo(tmp_path, *words)
    entries = [json.loads(line) for line in again.stderr.splitlines()]
    assert entries[-1]["report"]["reason"] == "max_items"
    more = entries[-1]["report"]["items"]["product"]
    rows = len((tmp_path / "products.csv").read_text().splitlines()) - 1
    assert rows == Shop().expected.products + more


def test_a_shop_that_finds_no_port_is_one_line(tmp_path: Path) -> None:
    # Three files are open at the start, three more make a loop: none is left for a port.
    done = subprocess.run(
        ["sh", "-c", 'ulimit -n 6; exec "$@"', "sh", sys.executable, "-m", "crawler", "demo"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == "crawl: the demo shop cannot open: Too many open files\n"


def test_a_mistake_is_one_line_and_starts_nothing(tmp_path: Path) -> None:
    done = demo(tmp_path, "-s", "dealy=1")
    assert done.returncode == 2
    assert "unknown setting 'dealy'; did you mean 'delay'?" in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []
