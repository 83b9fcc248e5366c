"""JSON that stands in scripts."""

import re
from typing import Any

import pytest
from msgspec import Struct

from crawler.errors import ContentError, MissingValue
from tests.parse.test_nodes import page


class State(Struct):
    a: int


@pytest.mark.parametrize(
    "script",
    [
        "x = {'a': 1}; state = {\"a\": 1};",
        'window.state={"a":1}',
        "window['state'] = {\"a\": 1};\nalert()",
        'window [ "state" ] = {"a": 1}',
        'var config = {page: "x", "state": {"a": 1}, f: function() {}}',
        '({state: {"a": 1}})',
        'state({"a": 1})',
        'estate = {"a": 2}; state.a = {"a": 3}; my$state = {"a": 4}; state\n=\n{"a":1}',
        'if (state == {}) state = {"a": 1}',
        "state = JSON.parse('{\"a\": 1}')",
        'state = JSON.parse( "{\\"a\\": 1}" )',
        r"state = JSON.parse('\x7b\u0022a\u{22}\:1}')",
        "state = {a: 2}; state = undefined; state = {\"a\": 1}",
    ],
)  # fmt: skip
def test_what_is_given_to_a_name_is_read(script: str) -> None:
    root = page(f"<script src=x></script><script>other = 1</script><script>{script}</script>")
    assert root.script_json("state") == {"a": 1}
    assert root.script_json("state", type=State) == State(a=1)


@pytest.mark.parametrize(
    ("json", "value"),
    [
        ('["}", "\\"]", "\\\\"]', ["}", '"]', "\\"]),
        ('{"a  b": "c  \\n d"}', {"a  b": "c  \n d"}),
        ('{"é": [-1.5e3, true, null, {}]}', {"é": [-1500.0, True, None, {}]}),
        ('{"s": "</a> <!-- ; = ( \' //"}', {"s": "</a> <!-- ; = ( ' //"}),
    ],
)
def test_brackets_and_quotes_in_texts_end_nothing(json: str, value: Any) -> None:
    root = page(f"<script>x = {json}; y = 1</script><script id=z>\n {json}\n</script>")
    assert root.script_json("x") == root.script_json(css="#z") == value


def test_names_are_text_and_may_have_dots() -> None:
    root = page('<script>dataLayer.push({}); dataLayerXpush({"a": 1}); a$ = [2]</script>')
    assert root.script_json("dataLayer.push") == {}
    assert root.script_json("a$") == [2]


def test_scripts_may_be_chosen_and_are_those_of_the_element() -> None:
    root = page(
        "<script>x = [1]</script><div><script class=y>x = [2]</script></div>"
        '<script type="application/json">{"a": 3}</script>'
    )
    assert root.script_json("x") == [1]
    assert root.script_json("x", css=".y") == [2]
    assert root.css("div")[0].script_json("x") == [2]
    assert root.script_json(css="script[type='application/json']", type=State).a == 3


@pytest.mark.parametrize("script", ["", "y = {}", "estate = 5", "state", "if (state == 5) f()"])
def test_what_is_not_there_is_missed_by_name(script: str) -> None:
    with pytest.raises(MissingValue, match=r"no JSON of 'state' in 'script' on http://a\.b/c/d"):
        page(f"<script>{script}</script>").script_json("state")
    with pytest.raises(MissingValue, match="no JSON of the script '#z' on"):
        page(f"<script>{script}</script>").script_json(css="#z")
    with pytest.raises(MissingValue, match="no JSON of the script '#z' on"):
        page("<script id=z> </script>").script_json(css="#z")


@pytest.mark.parametrize(
    "value",
    ["5", "'x'", "{", '["', "JSON.parse(x)", "{'a': 1}", '{a: {"b": 1}', "JSON.parse('",
     '{"a": f()}', "`{}`", "other || {}", '{"a": 1 /* one */}', '{"u": new Date()}'],
)  # fmt: skip
def test_what_is_javascript_and_no_json_is_an_error_that_shows_it(value: str) -> None:
    said = re.escape(f"'state' in 'script' is no JSON, but JavaScript, {value!r}: http://a.b/c/d")
    with pytest.raises(ContentError, match=said):
        page(f"<script>window.state = {value}</script>").script_json("state")


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ('state = {"a": 1,}', "'state' in 'script' is no JSON, '{.*}': .*trailing comma"),
        ("state = {a: 1}", "'state' in 'script' is no JSON, '{a: 1}': .*keys must be strings"),
        ('state = {"a": "x"}', r"Expected `int`, got `str` - at `\$\.a`: http://a\.b/c/d"),
        ('state = {"b": ' + "[" * 5_000 + "]" * 5_000 + "}", "recursion"),
    ],
)
def test_what_is_there_and_is_not_the_json_expected_is_an_error(script: str, said: str) -> None:
    with pytest.raises(ContentError, match=said):
        page(f"<script>{script}</script>").script_json("state", type=State)


def test_a_script_that_is_no_json_is_an_error() -> None:
    with pytest.raises(ContentError, match=r"the script '#z' is no JSON, 'x = 1': .*malformed"):
        page("<script id=z>x = 1</script>").script_json(css="#z")
