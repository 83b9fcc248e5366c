"""Every setting, checked once."""

from typing import get_type_hints

import pytest

from crawler.errors import SettingError
from crawler.settings import NAMES, Layer, Settings, SettingsDict, describe, merge


@pytest.mark.parametrize(
    ("layer", "name", "value", "message"),
    [
        ("crawler.toml", "delay", -1, "crawler.toml: delay must be at least 0, got -1"),
        ("-s", "dealy", "1", "-s: unknown setting 'dealy'; did you mean 'delay'?"),
        ("-s", "delay", "x", "-s: delay must be a number, at least 0, got 'x'"),
        ("-s", "delay", "nan", "-s: delay must be a number, at least 0, got 'nan'"),
        ("-s", "obey_robots", "perhaps", "-s: obey_robots must be true or false, got 'perhaps'"),
        ("-s", "frontier", "redis", "-s: frontier must be 'memory', got 'redis'"),
        ("-s", "max_pages", "0", "-s: max_pages must be at least 1, got '0'"),
        ("-s", "user_agent", "", "-s: user_agent must be text, got ''"),
        ("k", "concurrency", True, "k: concurrency must be a whole number, at least 1, got True"),
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
        ("max_pages", "none", None),
        ("accept", "html, json", ("html", "json")),
        ("statuses", "404,410", (404, 410)),
        ("headers", '{"X-A": "1"}', {"X-A": "1"}),
        ("obey_robots", "false", False),
    ],
)
def test_text_is_read_as_the_setting_needs_it(name: str, text: str, value: object) -> None:
    assert getattr(merge([Layer("-s", {name: text})]), name) == value


def test_a_later_layer_wins() -> None:
    assert merge([Layer("a", {"delay": 1}), Layer("b", {"delay": "2"})]).delay == 2.0


def test_the_keywords_for_type_checkers_are_the_settings() -> None:
    assert set(get_type_hints(SettingsDict)) == set(NAMES)


def test_every_setting_is_described_and_its_default_passes_its_own_check() -> None:
    defaults = Settings()
    assert all(describe().values())
    assert merge([Layer("x", {n: getattr(defaults, n) for n in NAMES})]) == defaults
