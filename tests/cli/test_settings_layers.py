"""Where settings come from, and which of them wins."""

from pathlib import Path

import pytest

from tests.cli.command import crawl

LAYERS = ["pyproject.toml [tool.crawler]", "spider slow", "environment", "command line"]


async def settings(folder: Path, *words: str, **env: str) -> dict[str, str]:
    """Return what `crawl settings` shows: the rest of the line by name."""
    done = await crawl(folder, "settings", *words, **env)
    assert done.status == 0, done.err
    return dict(line.split(" = ", 1) for line in done.out.splitlines()[::2])


@pytest.mark.parametrize("above", range(1, 5))
async def test_a_later_layer_wins(folder: Path, above: int) -> None:
    texts = {
        "pyproject.toml": "[tool.crawler]\ndelay = 1" if above >= 1 else "",
        "spiders/slow.py": "from crawler import Spider\nclass Slow(Spider"
        + (", delay=2): ..." if above >= 2 else "): ..."),
    }
    for name, text in texts.items():
        (folder / name).write_text(text)
    env = {"CRAWLER_DELAY": "3"} if above >= 3 else {}
    words = ["-s", "delay=4"] if above >= 4 else []
    shown = await settings(folder, "slow", *words, **env)
    assert shown["delay"] == f"{above}.0  ({LAYERS[above - 1]})"


async def test_every_setting_is_shown_with_its_value_and_what_it_is_for(folder: Path) -> None:
    from crawler.settings import NAMES, describe

    shown = await settings(folder)
    assert list(shown) == list(NAMES)
    assert shown["pages"] == "files  (command line default)"
    assert shown["max_pages"] == "none"
    out = (await crawl(folder, "settings")).out.splitlines()
    assert [line.strip() for line in out[1::2]] == list(describe().values())


async def test_passwords_and_tokens_are_not_shown(folder: Path) -> None:
    (folder / "crawler.toml").write_text(
        'secret_headers = ["X-Key"]\nheaders = { Cookie = "hunter2", X-Key = "hunter2", X-A = "b" }'
    )
    words = ["-s", 'auth={"https://a.example": "me:hunter2"}']
    shown = await settings(folder, *words, CRAWLER_PROXY="http://me:hunter2@a.example:1")
    assert shown["auth"] == '{"https://a.example":"***"}  (command line)'
    assert shown["headers"] == '{"Cookie":"***","X-Key":"***","X-A":"b"}  (crawler.toml)'
    assert shown["proxy"] == "http://***@a.example:1  (environment)"
    assert "hunter2" not in str(shown)


@pytest.mark.parametrize(
    ("auth", "message"),
    [
        ('{"a.example": "me:hunter2"}', "command line: auth must be for origins, as https://"),
        ('{"https://me:hunter2@a.example": "me:x"}', "command line: auth must be for origins, as "),
        ('{"me:hunter2": "https://a.example"}', "command line: auth must be for origins, as "),
        ('{"https://a.example": "hunter2"}', "command line: auth for https://a.example must be us"),
        ('["hunter2"]', "command line: auth must be names and values"),
        ("hunter2", "command line: auth must be names and values"),
    ],
)
async def test_what_is_wrong_with_auth_is_said_without_it(
    folder: Path, auth: str, message: str
) -> None:
    done = await crawl(folder, "site", "-a", "start=http://a.example/", "-s", f"auth={auth}")
    assert done.refuses(message)
    assert "hunter2" not in done.err
    assert not (folder / "output").exists()


async def test_crawler_toml_takes_the_place_of_the_table_in_pyproject(folder: Path) -> None:
    (folder / "crawler.toml").write_text("per_host = 4")
    (folder / "pyproject.toml").write_text("[tool.crawler]\nper_host = 5\ndelay = 5")
    shown = await settings(folder)
    assert shown["per_host"] == "4  (crawler.toml)"
    assert shown["delay"] == "0.5"


async def test_a_flag_wins_over_the_same_setting_given_by_name(folder: Path) -> None:
    done = await crawl(
        folder, "site", "-a", "start=http://a/", "-s", "max_pages=5", "--max-pages", "x"
    )
    assert done.refuses("command line: max_pages must be a whole number, at least 1 or none")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("dealy = 1", "unknown setting 'dealy'; did you mean 'delay'?"),
        ("headers = 3", 'headers must be names and values, as {"Name": "value"}, got 3'),
    ],
)
@pytest.mark.parametrize(
    ("file", "head", "layer"),
    [
        ("crawler.toml", "", "crawler.toml"),
        ("pyproject.toml", "[tool.crawler]\n", "pyproject.toml [tool.crawler]"),
    ],
)
async def test_a_mistake_in_a_file_names_the_file(
    folder: Path, file: str, head: str, layer: str, text: str, message: str
) -> None:
    (folder / file).write_text(head + text)
    assert (await crawl(folder, "settings")).refuses(f"crawl: {layer}: {message}\n")


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("crawler.toml", "delay =", "crawler.toml: cannot be read: Invalid value"),
        ("pyproject.toml", "[tool.crawler", "pyproject.toml: cannot be read: "),
        ("pyproject.toml", "[tool]\ncrawler = 3", "[tool.crawler] must be a table, got 3"),
    ],
)
async def test_a_file_that_is_no_toml_is_named(
    folder: Path, file: str, text: str, message: str
) -> None:
    (folder / file).write_text(text)
    assert (await crawl(folder, "site", "-a", "start=http://a/")).refuses(message)


@pytest.mark.parametrize(
    ("variable", "text", "message"),
    [
        ("CRAWLER_FOO", "1", "environment: unknown setting 'foo' (CRAWLER_FOO)"),
        ("CRAWLER_DELAY", "soon", "environment: delay must be a number, at least 0, got 'soon'"),
        ("CRAWLER_PER_HOST", "0", "environment: per_host must be at least 1, got '0'"),
    ],
)
async def test_a_mistake_in_the_environment_names_it(
    folder: Path, variable: str, text: str, message: str
) -> None:
    assert (await crawl(folder, "settings", **{variable: text})).refuses(message)


@pytest.mark.parametrize(
    ("keyword", "message"),
    [
        ("dealy=1", "unknown setting 'dealy'; did you mean 'delay'?"),
        ("delay=-1", "delay must be at least 0, got -1"),
    ],
)
async def test_a_mistake_in_a_class_line_names_the_spider(
    folder: Path, keyword: str, message: str
) -> None:
    (folder / "spiders" / "slow.py").write_text(
        f"from crawler import Spider\nclass Slow(Spider, {keyword}): ..."
    )
    assert (await crawl(folder, "slow")).refuses(f"spider slow: {message}")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["-s", "delay"], "-s takes NAME=VALUE, got 'delay'"),
        (["-s", "delay=abc"], "command line: delay must be a number, at least 0, got 'abc'"),
        (["-s", "delay=nan"], "command line: delay must be a number, at least 0, got 'nan'"),
        (["--max-pages", "0"], "command line: max_pages must be at least 1, got '0'"),
        (
            ["--pages", "bogus"],
            "command line: pages must be 'files' or 'markdown' or 'warc' or 'none', got 'bogus'",
        ),
        (["--colour"], "No such option '--colour'"),
        (["-o"], "Option '-o' requires an argument"),
    ],
)
async def test_a_mistake_in_an_option_names_the_command_line(
    folder: Path, words: list[str], message: str
) -> None:
    assert (await crawl(folder, "site", "-a", "start=http://a/", *words)).refuses(message)
