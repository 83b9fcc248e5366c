"""Which spider is meant, and what is said when there is none."""

from pathlib import Path

import pytest

from tests.cli.command import SPIDER, crawl
from tests.site import Site

TWO = SPIDER + "\nclass Other(Site):\n    pass\n\nAlias = Other\n"
BARE = "from crawler import Spider\nclass Bare(Spider):\n    def parse(self, page): ...\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["stie"], "unknown spider 'stie'; did you mean 'site'?"),
        (["lisst"], "unknown spider 'lisst'; did you mean 'list'?"),
        (["zebra"], "unknown spider 'zebra'; ./spiders/ has bare, site"),
        (["gone.py"], "gone.py: there is no such file"),
        (["two.py"], "name one spider as two.py:Class; it has Site, Other"),
        (["two"], "unknown spider 'two'; there is a file: crawl two.py"),
        (["two.py:Page"], "two.py: has no spider 'Page'; it has Site, Other"),
        (["empty.py"], "empty.py: has no spider"),
        (["bare"], "spider bare has no seeds: give it start_urls, sitemaps, or start()"),
        (["site"], "spider site needs -a start=…"),
        (["site", "-a", "start"], "-a takes NAME=VALUE, got 'start'"),
        (["site", "-a", "strat=x"], "unknown argument 'strat'; did you mean 'start'?"),
        (["site", "-a", "x=1"], "spider site: unknown argument 'x'; it takes start, top"),
        (["bare", "-a", "x=1"], "spider bare: unknown argument 'x'; it takes none"),
        (["site", "-a", "start=http://a/", "-a", "top=many"], "-a: top must be int, got 'many'"),
        (["site", "-a", "start=nonsense"], "not a valid http(s) URL: 'nonsense'"),
        (["run"], "Missing argument 'NAME'"),
    ],
)
async def test_a_spider_that_cannot_be_had_is_one_line(
    folder: Path, words: list[str], message: str
) -> None:
    (folder / "two.py").write_text(TWO)
    (folder / "empty.py").write_text("")
    (folder / "spiders" / "bare.py").write_text(BARE)
    assert (await crawl(folder, *words)).refuses(message)


async def test_without_a_folder_of_spiders_that_is_said(tmp_path: Path) -> None:
    assert (await crawl(tmp_path, "site")).refuses("there is no folder ./spiders/ here")


@pytest.mark.parametrize("name", ["two.py:Other", "two.py:other", "spiders/site.py"])
async def test_a_spider_may_be_named_by_its_file(folder: Path, small: Site, name: str) -> None:
    (folder / "two.py").write_text(TWO)
    done = await crawl(folder, name, "-a", f"start={small.url('/1')}")
    assert done.status == 0
    assert done.run.parent.name == ("other" if "two" in name else "site")


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("\nimport nothing_of_this_name", "ModuleNotFoundError: No module named"),
        ("\ndef f(:", "SyntaxError: invalid syntax (line 2)"),
        ("\n1 / 0", "ZeroDivisionError: division by zero (line 2)"),
        ("\nraise SystemExit(0)", "ImportError: it ends the process when it is imported"),
    ],
)
async def test_a_file_that_cannot_be_imported_is_named_with_error_and_line(
    folder: Path, text: str, error: str
) -> None:
    (folder / "spiders" / "bad.py").write_text(text)
    done = await crawl(folder, "bad")
    assert done.refuses(f"spiders/bad.py: cannot be imported: {error}")
    assert "(line 2)" in done.err


async def test_a_file_that_cannot_be_imported_is_no_hindrance_to_others(
    folder: Path, small: Site
) -> None:
    (folder / "spiders" / "bad.py").write_text("1 / 0")
    done = await crawl(folder, "site", "-a", f"start={small.url('/1')}")
    assert done.status == 0
    assert done.err.startswith("crawl: note: spiders/bad.py: cannot be imported: ZeroDivisionError")


async def test_two_spiders_of_one_name_are_refused_by_their_files(folder: Path) -> None:
    (folder / "spiders" / "other.py").write_text(SPIDER)
    done = await crawl(folder, "site")
    assert done.refuses(
        "two spiders are named 'site': in spiders/other.py and spiders/site.py; "
        "give one of them another `name`"
    )


async def test_a_spider_named_like_a_command_is_run_in_the_long_form(
    folder: Path, small: Site
) -> None:
    text = SPIDER.replace("class Site", "class List")
    (folder / "spiders" / "list.py").write_text(text)
    done = await crawl(folder, "run", "list", "-a", f"start={small.url('/1')}")
    assert done.status == 0
    assert "spider 'list' is named like a command: run it as `crawl run list`" in done.err
    listed = await crawl(folder, "list")
    assert [line.split()[0] for line in listed.out.splitlines()] == ["list", "site"]
    assert "run it as `crawl run list`" in listed.err


async def test_open_arguments_take_whatever_is_given(folder: Path, small: Site) -> None:
    (folder / "spiders" / "free.py").write_text(
        "from crawler import Spider\n"
        "class Free(Spider, min_free_bytes=0, obey_robots=False):\n"
        "    def __init__(self, **given): self.start_urls = [given['where']]\n"
        "    def parse(self, page): yield {'url': page.url}\n"
    )
    done = await crawl(folder, "free", "-a", f"where={small.url('/1?a=b')}", "-a", "more=1")
    assert done.report["statuses"] == {"404": 1}
    assert small.paths == ["/1?a=b"]


async def test_list_shows_spiders_with_what_they_say_of_themselves_and_broken_files(
    folder: Path,
) -> None:
    (folder / "spiders" / "bare.py").write_text(
        BARE.replace("):\n    def", '):\n    """Is bare."""\n    def')
    )
    (folder / "spiders" / "bad.py").write_text("1 / 0")
    done = await crawl(folder, "list")
    assert done.status == 2
    assert done.out.splitlines() == ["bare  spiders/bare.py  Is bare.", "site  spiders/site.py"]
    assert done.err == (
        "crawl: spiders/bad.py: cannot be imported: ZeroDivisionError: division by zero (line 1)\n"
    )


async def test_an_empty_list_says_how_to_begin(tmp_path: Path) -> None:
    done = await crawl(tmp_path, "list")
    assert (done.status, done.out) == (0, "")
    assert "`crawl new NAME URL` begins one" in done.err


PICKY = """
from pathlib import Path
from crawler import Spider

class Picky(Spider[str]):
    start_urls = ["http://127.0.0.1:1/"]

    def __init__(self, where: Path, what: object = "", odd: Spider = None) -> None:
        {}["a key"] if where == Path("/raise") else print(repr(where))
        raise SystemError("far enough")

    def parse(self): ...
"""


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["where=/raise"], "spider picky: KeyError: 'a key' (picky.py:9)"),
        (["where=/tmp"], "spider picky: SystemError: far enough (picky.py:10)"),
        (["where=/tmp", "odd=1"], "-a: odd must be Spider, got '1'"),
    ],
)
async def test_a_constructor_that_raises_is_one_line_with_its_place(
    folder: Path, words: list[str], message: str
) -> None:
    (folder / "spiders" / "picky.py").write_text(PICKY)
    done = await crawl(folder, "picky", *[part for word in words for part in ("-a", word)])
    assert (done.status, done.err) == (2, f"crawl: {message}\n")
    assert done.out in ("", "PosixPath('/tmp')\n")


async def test_a_parse_that_takes_no_page_is_refused_before_anything_is_asked(folder: Path) -> None:
    (folder / "spiders" / "empty.py").write_text(
        "from crawler import Spider\nclass Empty(Spider):\n    start_urls = ['http://127.0.0.1:1/']\n"
        "    def parse(self): ...\n"
    )
    done = await crawl(folder, "empty")
    assert done.refuses("Empty.parse must take a page, and may take data: ")
    assert not (folder / "output").exists()
