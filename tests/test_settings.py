"""Every setting, checked once."""

import tomllib
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from crawler.errors import SettingError
from crawler.parse.dates import span
from crawler.settings import NAMES, Layer, Settings, SettingsDict, describe, merge


@pytest.mark.parametrize(
    ("layer", "name", "value", "message"),
    [
        ("crawler.toml", "delay", -1, "crawler.toml: delay must be at least 0, got -1"),
        ("-s", "dealy", "1", "-s: unknown setting 'dealy'; did you mean 'delay'?"),
        ("-s", "delay", "x", "-s: delay must be a number, at least 0, got 'x'"),
        ("-s", "delay", "nan", "-s: delay must be a number, at least 0, got 'nan'"),
        ("-s", "obey_robots", "perhaps", "-s: obey_robots must be true or false, got 'perhaps'"),
        ("-s", "frontier", "redis", "-s: frontier must be 'memory' or 'sqlite', got 'redis'"),
        ("-s", "max_pages", "0", "-s: max_pages must be at least 1, got '0'"),
        ("-s", "user_agent", "", "-s: user_agent must be text, got ''"),
        ("k", "concurrency", True, "k: concurrency must be a whole number, at least 1, got True"),
        ("k", "delay", None, "k: delay must be a number, at least 0, got None"),
        ("k", "max_pages", 1.5, "k: max_pages must be a whole number, at least 1 or none, got 1.5"),
        (
            "k",
            "max_seconds",
            float("inf"),
            "k: max_seconds must be a number, more than 0 or none, got inf",
        ),
        (
            "-s",
            "body_bytes",
            "10 apples",
            "-s: body_bytes must be a size, as 10 MB, more than 0, got '10 apples'",
        ),
        ("-s", "body_bytes", "0.1 B", "-s: body_bytes must be more than 0, got '0.1 B'"),
        ("-s", "statuses", "404;5", "-s: statuses must be a list, as a,b,c, got '404;5'"),
        ("k", "statuses", 404, "k: statuses must be a list, as a,b,c, got 404"),
        (
            "-s",
            "headers",
            "A=1",
            """-s: headers must be names and values, as {"Name": "value"}, got 'A=1'""",
        ),
        (
            "k",
            "headers",
            {"A": "1\n2"},
            """k: headers must be names and values, as {"Name": "value"}, got {'A': '1\\n2'}""",
        ),
        (
            "k",
            "headers",
            {"A b": "1"},
            """k: headers must be names and values, as {"Name": "value"}, got {'A b': '1'}""",
        ),
        ("k", "user_agent", "me\nX: 1", "k: user_agent must be text, got 'me\\nX: 1'"),
        ("k", "output_dir", 3, "k: output_dir must be text, got 3"),
        (
            "environment",
            "secret_headers",
            ":",
            "environment: secret_headers must be names of headers, as X-Api-Key,X-Token, got ':'",
        ),
        (
            "k",
            "sitemap_since",
            "no",
            "k: sitemap_since must be a date, as 2026-01-31, or none, got 'no'",
        ),
        (
            "k",
            "auth",
            {"me:hunter2": "https://a.example"},
            "k: auth must be for origins, as https://example.com, got ***",
        ),
        (
            "k",
            "auth",
            {"https://a.example": "hunter2"},
            "k: auth for https://a.example must be user:password, Bearer TOKEN or Basic BASE64",
        ),
        (
            "-s",
            "max_drop_rate",
            "1.5",
            "-s: max_drop_rate must be from 0 to 1, got '1.5'",
        ),
        (
            "-s",
            "min_fill",
            '{"isbn": 90}',
            '-s: min_fill must be fields and shares from 0 to 1, as {"book.isbn": 0.9}, '
            "got '{\"isbn\": 90}'",
        ),
        ("-s", "per-host", "1", "-s: unknown setting 'per-host'; did you mean 'per_host'?"),
        (
            "environment",
            "DELAY",
            "1",
            "environment: unknown setting 'DELAY'; did you mean 'delay'?",
        ),
        ("-s", "cookies", "1", "-s: unknown setting 'cookies'"),
    ],
)
def test_an_error_names_layer_setting_expected_and_got(
    layer: str, name: str, value: object, message: str
) -> None:
    with pytest.raises(SettingError) as caught:
        merge([Layer(layer, {name: value})])
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("body_bytes", "5 MB", 5_000_000),
        ("body_bytes", "1.005kb", 1_005),
        ("body_bytes", "2 MiB", 2 * 1024**2),
        ("memory_bytes", "1.5G", 1_500_000_000),
        ("min_free_bytes", "1 TB", 10**12),
        ("min_free_bytes", "0", 0),
        ("body_bytes", "1e6", 1_000_000),
        ("delay", " 1e1 ", 10.0),
        ("concurrency", "7", 7),
        ("max_pages", "none", None),
        ("proxy", "None", None),
        ("callback_timeout", " null ", None),
        ("output_dir", "none", "none"),
        ("user_agent", " me ", " me "),
        ("accept", "html", ("html",)),
        ("ignore_params", "", ()),
        ("accept", "html, json", ("html", "json")),
        ("statuses", "404,410", (404, 410)),
        ("source", "a.warc,b", ("a.warc", "b")),
        ("source", '["a,b.warc"]', ("a,b.warc",)),
        ("headers", '{"X-A": "1"}', {"X-A": "1"}),
        ("obey_robots", "false", False),
        ("obey_robots", "TRUE", True),
        ("verify_tls", "0", False),
    ],
)
def test_text_is_read_as_the_setting_needs_it(name: str, text: str, value: object) -> None:
    assert getattr(merge([Layer("-s", {name: text})]), name) == value


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("delay", 1, 1.0),
        ("accept", ["html", "json"], ("html", "json")),
        ("accept", {"html"}, ("html",)),
        ("accept", "html", ("html",)),
        ("max_pages", None, None),
        ("output_dir", Path("runs"), "runs"),
        ("source", Path("a,b.warc"), ("a,b.warc",)),
        ("source", [Path("run"), "b.warc"], ("run", "b.warc")),
        ("body_bytes", "1 kB", 1000),  # as TOML has it
        ("proxy", "none", None),  # TOML has no null
    ],
)
def test_python_and_toml_may_give_what_means_the_same(
    name: str, value: object, kept: object
) -> None:
    assert getattr(merge([Layer("k", {name: value})]), name) == kept


@pytest.mark.parametrize(
    "text",
    ["2026", "2026-02", "2026-01-31", "2026-01-31T10:20Z", " 2026-01-31 10:20:30.5+02:00 "],
)
def test_sitemap_since_is_a_year_or_less(text: str) -> None:
    assert merge([Layer("k", {"sitemap_since": text})]).sitemap_since == text
    assert span(text) is not None


def test_a_date_may_be_one_of_toml() -> None:
    given = tomllib.loads("sitemap_since = 2026-01-31")
    assert merge([Layer("k", given)]).sitemap_since == "2026-01-31"


@pytest.mark.parametrize(
    "text", ["", "0000", "202", "2026-13", "2026-02-30", "2026-01-31T", "20260131", "31.1.2026"]
)
def test_sitemap_since_is_nothing_else(text: str) -> None:
    with pytest.raises(SettingError, match="k: sitemap_since must be a date, as 2026-01-31, or "):
        merge([Layer("k", {"sitemap_since": text})])


@pytest.mark.parametrize("names", [":", "a,b,,:", ["X-Key", ""], ["X Key"], ["X-Kéy"], ["a\n"]])
def test_a_secret_header_has_a_name_that_can_be_sent(names: object) -> None:
    with pytest.raises(SettingError, match="k: secret_headers must be names of headers, as X-Api"):
        merge([Layer("k", {"secret_headers": names})])


def test_headers_are_cut_loose_from_what_was_given() -> None:
    given = {"A": "1"}
    settings = merge([Layer("k", {"headers": given})])
    given["B"] = "2"
    assert settings.headers == {"A": "1"}


# The least each number may be, and what is just too little; 0 is never "no limit".
LEAST: dict[str, tuple[float, float]] = {
    **dict.fromkeys(["concurrency", "per_host", "max_pages", "max_items"], (1, 0)),
    **dict.fromkeys(["max_failures", "host_pages", "shape_pages", "max_sitemaps"], (1, 0)),
    **dict.fromkeys(["min_items"], (1, 0)),
    **dict.fromkeys(["max_drop_rate"], (0, -0.01)),
    **dict.fromkeys(["host_failures", "per_ip", "url_bytes"], (1, 0)),
    **dict.fromkeys(["part_items", "part_bytes"], (1, 0)),
    **dict.fromkeys(["min_rate_bytes", "max_crawl_delay"], (0, -1)),
    **dict.fromkeys(["max_delay"], (0.01, 0)),
    **dict.fromkeys(["retries", "max_redirects", "max_depth", "min_free_bytes"], (0, -1)),
    **dict.fromkeys(["body_bytes", "html_bytes", "media_bytes", "memory_bytes"], (1, 0)),
    **dict.fromkeys(["warc_bytes"], (1, 0)),
    **dict.fromkeys(["delay", "stop_seconds", "target_pause"], (0, -0.01)),
    **dict.fromkeys(["max_wait", "timeout", "connect_timeout", "read_timeout"], (0.01, 0)),
    **dict.fromkeys(["backoff", "callback_timeout", "max_seconds"], (0.01, 0)),
}


@pytest.mark.parametrize("name", LEAST)
def test_a_number_has_a_least_value(name: str) -> None:
    least, too_little = LEAST[name]
    for value in (least, str(least)):
        assert getattr(merge([Layer("k", {name: value})]), name) == least
    for value in (too_little, str(too_little)):
        with pytest.raises(SettingError, match=f"k: {name} must be (at least|more than|from) "):
            merge([Layer("k", {name: value})])


def test_every_number_is_bounded() -> None:
    numbers = [
        n for n, hint in get_type_hints(Settings).items() if {int, float} & {hint, *get_args(hint)}
    ]
    assert set(numbers) - {"statuses", "min_fill"} == set(LEAST)


@pytest.mark.parametrize("name", NAMES)
def test_no_limit_is_none_where_there_may_be_none_and_nowhere_else(name: str) -> None:
    optional = type(None) in get_args(get_type_hints(Settings)[name])
    for value in (None, "none"):
        try:
            kept = getattr(merge([Layer("k", {name: value})]), name)
        except SettingError:
            assert not optional
        else:
            assert (kept is None) == optional


def test_a_later_layer_wins() -> None:
    assert merge([Layer("a", {"delay": 1}), Layer("b", {"delay": "2"})]).delay == 2.0


def test_the_keywords_for_type_checkers_are_the_settings() -> None:
    assert set(get_type_hints(SettingsDict)) == set(NAMES)


def test_every_setting_is_described_and_its_default_passes_its_own_check() -> None:
    defaults = Settings()
    assert all(describe().values())
    assert merge([Layer("x", {n: getattr(defaults, n) for n in NAMES})]) == defaults
