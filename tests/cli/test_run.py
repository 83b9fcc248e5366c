"""The command line, as a real process."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from crawler.demo.shop import Shop

SPIDER = """
from crawler import Item, Out, Response, Spider

class Page(Item):
    url: str

class Shop(Spider[Page], delay=0, min_free_bytes=0):
    def __init__(self, start: str, top: int = 0) -> None:
        self.start_urls = [start]

    async def parse(self, page: Response) -> Out[Page]:
        yield Page(url=page.url)
        yield page.follow_all()
"""


def crawl(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "crawler", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "spiders").mkdir()
    (tmp_path / "spiders" / "shop.py").write_text(SPIDER)
    return tmp_path


def test_a_spider_runs_by_name_and_leaves_its_data(folder: Path) -> None:
    with Shop.in_thread() as shop:
        done = crawl(folder, "shop", "-a", f"start={shop.url}", "--max-pages", "30", "-o", "x.csv")
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert "max_pages" in done.stderr
    (run,) = (folder / "output" / "shop").iterdir()
    assert len((run / "items.jsonl").read_text().splitlines()) == 30
    assert len((folder / "x.csv").read_text().splitlines()) == 31
    assert json.loads((run / "stats.json").read_text())["pages"] == 30
    assert (run / "crawl.log").exists()
    assert (run / "pages").is_dir()


def test_stdout_carries_data_only(folder: Path) -> None:
    with Shop.in_thread() as shop:
        done = crawl(
            folder, "spiders/shop.py:Shop", "-a", f"start={shop.url}", "--max-pages", "5", "-o", "-"
        )
    assert len([json.loads(line) for line in done.stdout.splitlines()]) == 5


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["shpo"], "unknown spider 'shpo'; did you mean 'shop'?"),
        (["shop"], "spider shop needs -a start=…"),
        (["shop", "-a", "strat=x"], "spider shop: unknown argument 'strat'; did you mean 'start'?"),
        (["shop", "-a", "start=x", "-a", "top=many"], "-a: top must be int, got 'many'"),
        (["shop", "-a", "start=nonsense"], "not a valid http(s) URL: 'nonsense'"),
        (["shop", "-a", "start=http://a/", "-s", "dealy=1"], "did you mean 'delay'?"),
        (["shop", "-a", "start=http://a/", "-o", "there.json"], "use --overwrite or --append"),
        (["shop", "-a", "start=http://a/", "-o", "x.xyz"], "unknown output format"),
        (["shop", "-a", "start=http://a/", "-s", "output_dir=there.json/x"], "cannot be made"),
        (["gone.py"], "there is no such file"),
        (["shop", "--colour"], "crawl: No such option"),
        (["new", "only-a-name"], "Missing argument 'URL'"),
    ],
)
def test_a_users_mistake_is_one_line_and_status_2(
    folder: Path, words: list[str], message: str
) -> None:
    (folder / "there.json").write_text("[]")
    done = crawl(folder, *words)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_file_that_does_not_import_is_named_with_its_line(folder: Path) -> None:
    (folder / "spiders" / "bad.py").write_text("\nimport nothing_of_this_name\n")
    done = crawl(folder, "bad")
    assert done.returncode == 2
    assert "spiders/bad.py: cannot be imported: ModuleNotFoundError" in done.stderr
    assert "(line 2)" in done.stderr
    assert "Traceback" not in done.stderr


def test_two_spiders_of_one_name_are_refused(folder: Path) -> None:
    (folder / "spiders" / "other.py").write_text(SPIDER)
    done = crawl(folder, "shop")
    assert done.returncode == 2
    assert "two spiders are named 'shop'" in done.stderr


def test_a_host_that_does_not_resolve_delivers_nothing_and_fails(folder: Path) -> None:
    done = crawl(folder, "shop", "-a", "start=http://does-not-exist.invalid/", "-s", "retries=0")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "robots.txt unreachable" in done.stderr


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_crawl_in_good_order(folder: Path, number: int, status: int) -> None:
    with Shop.in_thread() as shop:
        process = subprocess.Popen(
            [sys.executable, "-m", "crawler", "shop", "-a", f"start={shop.url}"]
            + ["-s", "delay=0.05", "-o", "-"],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        process.stdout.readline()  # the crawl is on its way
        os.kill(process.pid, number)
        _, errors = process.communicate(timeout=30)
    assert process.returncode == status, errors
    assert "Traceback" not in errors
    (run,) = (folder / "output" / "shop").iterdir()
    assert all(json.loads(line) for line in (run / "items.jsonl").read_text().splitlines())


def test_help_does_not_import_aiohttp(folder: Path) -> None:
    code = (
        "import sys; from crawler.__main__ import main; sys.argv = ['crawl', '--help']\n"
        "try: main()\nexcept SystemExit: pass\n"
        "sys.exit('aiohttp' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=folder, check=False).returncode == 0


def test_list_new_and_settings(folder: Path) -> None:
    assert crawl(folder, "new", "my-site", "example.org/docs/").returncode == 0
    listed = crawl(folder, "list")
    assert listed.returncode == 0
    assert [line.split()[0] for line in listed.stdout.splitlines()] == ["my_site", "shop"]
    shown = crawl(folder, "settings", "shop")
    assert "delay = 0.0  (spider shop)" in shown.stdout
