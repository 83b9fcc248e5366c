"""What a form would send."""

from collections.abc import Callable

import pytest

from crawler.errors import CallbackError, InvalidUrl, MissingValue
from crawler.parse.forms import Form
from crawler.parse.nodes import Element, parse_html
from tests.growth import assert_costs, cpu_seconds

URL = "http://a.b/c/d"


def form(html: str, css: str = "form") -> Form:
    root = parse_html(html).root
    assert root is not None
    return Element(root, url=URL).form(css)


def pairs(controls: str) -> list[tuple[str, str]]:
    return list(form(f"<form>{controls}</form>").pairs)


def test_a_form_knows_where_and_how_it_is_sent() -> None:
    sent = form("<base href=/e/><form action=' f ' method=Post enctype=Multipart/Form-Data></form>")
    assert (sent.url, sent.method, sent.enctype, sent.pairs) == (
        "http://a.b/e/f",
        "POST",
        "multipart/form-data",
        (),
    )


def test_a_form_that_says_nothing_goes_back_to_its_page() -> None:
    sent = form("<base href=/e/><form method=nonsense enctype=x></form>")
    assert (sent.url, sent.method, sent.enctype, sent.pairs) == (
        URL,
        "GET",
        "application/x-www-form-urlencoded",
        (),
    )


def test_what_a_get_form_sends_replaces_the_query_of_its_action() -> None:
    assert form("<form action='/s?old=1'><input name=q>").url == "http://a.b/s"
    assert form("<form action='/s?old=1' method=post>").url == "http://a.b/s?old=1"


def test_a_form_is_found_by_selector() -> None:
    html = "<form id=a action=1></form><form id=b action=2></form>"
    assert form(html, "#b").url == "http://a.b/c/2"
    with pytest.raises(MissingValue, match=r"form '#c' on http://a\.b/c/d"):
        form(html, "#c")


def test_a_form_element_is_its_own_form() -> None:
    root = parse_html("<form action=1></form><form action=2></form>").root
    assert root is not None
    second = Element(root, url=URL).css("form")[1]
    assert second.form().url == "http://a.b/c/2"


def test_an_action_that_is_no_web_address_is_refused() -> None:
    with pytest.raises(InvalidUrl):
        form("<form action='javascript:void(0)'></form>")


def test_fields_can_be_overridden() -> None:
    sent = form("<form><input name=user><input type=hidden name=token value=t></form>")
    assert sent.fields | {"user": "me"} == {"user": "me", "token": "t"}


@pytest.mark.parametrize(
    ("controls", "sent"),
    [
        ("<input name=a value=1><input name=a value=2>", [("a", "1"), ("a", "2")]),
        ("<input name=a><input type=EMAIL name=b value=x>", [("a", ""), ("b", "x")]),
        ("<input value=1><input name='' value=2>", []),
        ("<input name=a disabled><button name=b value=1>", []),
        ("<input type=submit name=a><input type=Image name=b><input type=file name=c>", []),
        ("<input type=button name=a><input type=reset name=b>", []),
        ("<input type=checkbox name=a><input type=checkbox name=b checked>", [("b", "on")]),
        ("<input type=checkbox name=a value='' checked>", [("a", "")]),
        (
            "<input type=radio name=a value=1 checked><input name=b>"
            "<input type=radio name=a value=2 checked><input type=radio name=a value=3>",
            [("b", ""), ("a", "2")],
        ),
        ("<textarea name=a>\n one\n two </textarea>", [("a", " one\n two ")]),
        ("<select name=a><option>one <b>x</b><option value=2>two</select>", [("a", "one x")]),
        ("<select name=a><option>1<option selected>2</select>", [("a", "2")]),
        ("<select name=a><option selected>1<option selected>2</select>", [("a", "2")]),
        ("<select name=a><option disabled>1<option value=''>2</select>", [("a", "")]),
        (
            "<select name=a><optgroup disabled><option>1</optgroup><option>2</select>",
            [("a", "2")],
        ),
        ("<select name=a size=3><option>1</select>", []),
        ("<select name=a></select>", []),
        (
            "<select name=a multiple><option selected>1<option>2<option selected>3"
            "<option selected disabled>4</select>",
            [("a", "1"), ("a", "3")],
        ),
        ("<select name=a multiple><option>1</select>", []),
        (
            "<fieldset disabled><legend><input name=a></legend><legend><input name=b></legend>"
            "<input name=c></fieldset><fieldset><input name=d></fieldset>",
            [("a", ""), ("d", "")],
        ),
        (
            "<fieldset disabled><fieldset disabled><legend><input name=a></legend></fieldset>",
            [],
        ),
        (
            "<fieldset disabled><p><input name=a></p><legend><p><input name=b></p><fieldset>"
            "<input name=c></fieldset><datalist><input name=d></datalist></legend></fieldset>",
            [("b", ""), ("c", "")],
        ),
        ("<datalist><input name=a></datalist><input name=b>", [("b", "")]),
        ("<svg><select name=a><option>1<select name=b><option>2</svg>", [("a", "12")]),
        ("<svg><textarea name=a>1<textarea name=b>2</svg>", [("a", "12")]),
    ],
)
def test_only_successful_controls_are_sent(controls: str, sent: list[tuple[str, str]]) -> None:
    assert pairs(controls) == sent


def test_controls_elsewhere_belong_to_the_form_they_name() -> None:
    sent = form(
        "<input form=f name=a><form id=f><input name=b><input form=g name=c></form>"
        "<form id=g></form><input name=d><input form=f name=e>"
    )
    assert [name for name, _ in sent.pairs] == ["a", "b", "e"]


def test_a_form_between_table_rows_keeps_its_controls() -> None:
    sent = form("<table><form><tr><td><input name=a></td></tr></form></table><input name=b>")
    assert sent.pairs == (("a", ""),)


def test_a_form_has_ten_thousand_controls_at_most() -> None:
    assert len(pairs("<input name=a>" * 10_000)) == 10_000
    with pytest.raises(CallbackError, match=r"form on http://a\.b/c/d has more than 10,000"):
        pairs("<input name=a>" * 10_001)


def many_attributes(n: int) -> str:
    return "".join(f" a{i}" for i in range(n // 4))


HOSTILE: dict[str, Callable[[int], str]] = {
    "fieldsets": lambda n: "<fieldset disabled>" * (n // 20) + "<input name=a>" * n,
    "legends": lambda n: "<fieldset disabled>" + "<legend><input name=a></legend>" * n,
    "late legend": lambda n: f"<fieldset disabled>{'<input name=a>' * n}<legend>",
    "deep": lambda n: "<datalist>" * n + "<input name=a>" * n,
    "groups": lambda n: "<select name=a>" + "<optgroup disabled><option>x" * n,
    "attributes": lambda n: f"<select name=a><optgroup{many_attributes(n)}>" + "<option>" * n,
    "options in options": lambda n: "<svg><select name=a>" + "<option>" * n + "x" * n,
    "selects in selects": lambda n: "<svg>" + "<select name=a>" * n,
    "texts in texts": lambda n: "<svg>" + "<textarea name=a>" * n + "x" * n,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_work_grows_with_the_form_not_with_its_square(name: str) -> None:
    def seconds(size: int) -> float:
        root = parse_html("<form>" + HOSTILE[name](size)).root
        assert root is not None
        return cpu_seconds(lambda: Element(root, url=URL).form().submit())

    assert_costs(lambda: seconds(8_000), at_most=24, times=lambda: seconds(1_000), slack=0.005)
