"""Forms filled in and submitted: what they take, and what is sent."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.errors import CallbackError, InvalidUrl
from crawler.parse.form_data import encoding_for, urlencoded
from crawler.parse.forms import Form
from crawler.request import Request
from tests.parse.test_directives import page

FIELDS = (
    "<input name=user><input type=hidden name=token value=t><input type=checkbox name=agree>"
    "<input type=checkbox name=lang value=a><input type=checkbox name=lang value=b checked>"
    "<input type=radio name=kind value=x><input type=radio name=kind value=y checked>"
    "<select name=size><option>S<option value=m>M<option disabled>L</select>"
    "<select name=many multiple><option selected>1<option>2<option selected>3</select>"
    "<textarea name=note>old</textarea><input name=twice value=1><input name=twice value=2>"
    "<input name='user[name]'><input name=off disabled><button name=go value=1>Go</button>"
)


def form(html: str = FIELDS, tag: str = "method=post action=/send") -> Form:
    return page(f"<form {tag}>{html}</form>").form()


def sent(filled: Form, button: Any = "") -> list[str]:
    body = filled.submit(button).body
    assert body is not None
    return body.decode().split("&")


def values(name: str, value: object) -> list[str]:
    after = form().fill({name: value}).pairs
    return [text for key, text in after if key == name]


@pytest.mark.parametrize(
    ("name", "value", "after"),
    [
        ("user", "me", ["me"]),
        ("user", 7, ["7"]),
        ("user", 1.5, ["1.5"]),
        ("user", None, []),
        ("user[name]", "me", ["me"]),
        ("token", "other", ["other"]),
        ("note", "new", ["new"]),
        ("agree", True, ["on"]),
        ("agree", "on", ["on"]),
        ("agree", False, []),
        ("lang", ["a", "b"], ["a", "b"]),
        ("lang", ("b", "a"), ["a", "b"]),
        ("lang", "a", ["a"]),
        ("lang", [], []),
        ("lang", False, []),
        ("kind", "x", ["x"]),
        ("kind", None, []),
        ("size", "S", ["S"]),
        ("size", ["m"], ["m"]),
        ("size", None, []),
        ("many", "2", ["2"]),
        ("many", ["1", "2"], ["1", "2"]),
        ("many", [1, 2], ["1", "2"]),
        ("many", [], []),
        ("twice", ["3", "4"], ["3", "4"]),
    ],
)
def test_a_field_takes_what_a_reader_could_choose(
    name: str, value: object, after: list[str]
) -> None:
    assert values(name, value) == after


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("usr", "me", "unknown field 'usr'; did you mean 'user'"),
        ("off", "x", "unknown field 'off'"),
        ("go", "1", r"'go' is a button; submit\(button='go'\) presses it"),
        ("user", True, "field 'user' of the form on http://a.b/c/d: expected text or a number"),
        ("user", b"x", "expected text or a number"),
        ("user", ["a", "b"], "expected one value"),
        ("user", {}, "expected text or a number"),
        ("agree", "yes", "expected 'on', got 'yes'"),
        ("lang", True, "expected 'a' or 'b', as there are several"),
        ("lang", ["a", "c"], "expected 'a' or 'b'"),
        ("kind", ["x", "y"], "expected one of 'x' or 'y'"),
        ("kind", "z", "expected 'x' or 'y'"),
        ("size", "L", "expected 'S' or 'm'"),
        ("size", "M", "expected 'S' or 'm'"),
        ("size", ["S", "m"], "expected one value"),
        ("twice", "3", "expected a list of 2 values"),
        ("twice", ["3"], "expected a list of 2 values"),
    ],
)
def test_what_it_cannot_be_is_an_error_that_names_what_it_can(
    name: str, value: object, reason: str
) -> None:
    with pytest.raises(CallbackError, match=reason):
        form().fill({name: value})


def test_an_error_names_the_fields_there_are() -> None:
    with pytest.raises(
        CallbackError, match=r"form on http://a\.b/c/d has 'user', 'token', 'agree'"
    ):
        form().fill(nonsense=1)


def test_a_filled_form_is_another_and_keeps_the_rest() -> None:
    before = form()
    after = before.fill(user="me", agree=True)
    assert before.fields["user"] == ""
    assert sent(after) == [
        *("user=me", "token=t", "agree=on", "lang=b", "kind=y", "size=S", "many=1", "many=3"),
        *("note=old", "twice=1", "twice=2", "user%5Bname%5D="),
    ]


BUTTONS = (
    "<input name=a><button type=button name=no>x</button><input type=reset name=no>"
    "<button name=go value=1>One</button><input type=submit name=go value=2>"
    "<button name=del formaction=/del formmethod=get>Delete</button>"
    "<button name=up value=3 formenctype=text/plain formaction=''>Up</button>"
    "<input type=image name=map><button disabled name=dead>x</button><input name=z>"
)


@pytest.mark.parametrize(
    ("button", "body"),
    [
        (None, "a=&go=1&z="),
        ("", "a=&z="),
        ("go", "a=&go=1&z="),
        ("2", "a=&go=2&z="),
        (("go", "2"), "a=&go=2&z="),
        ("map", "a=&map.x=0&map.y=0&z="),
        ("up", "a=\r\nup=3\r\nz=\r\n"),
    ],
)
def test_the_button_that_is_pressed_is_sent_in_its_place(button: Any, body: str) -> None:
    request = form(BUTTONS).submit(button)
    assert request.body == body.encode()
    assert (request.method, request.url) == (
        "POST",
        "http://a.b/c/d" if button == "up" else "http://a.b/send",
    )


def test_a_button_may_go_elsewhere_in_another_way() -> None:
    request = form(BUTTONS).submit("del")
    assert (request.method, request.url, request.body) == ("GET", "http://a.b/del?a=&del=&z=", None)


def test_an_image_without_a_name_sends_where_it_was_pressed() -> None:
    assert sent(form("<input type=image>"), None) == ["x=0", "y=0"]


@pytest.mark.parametrize("button", ["dead", "no", "nonsense", ("go", "3")])
def test_a_button_that_is_not_there_is_an_error(button: Any) -> None:
    with pytest.raises(CallbackError, match=r"it has \('go', '1'\), \('go', '2'\)"):
        form(BUTTONS).submit(button)


def test_a_get_form_replaces_the_query_of_its_action() -> None:
    get = form("<input name=q value='a b~*é&#10;c'>", "action='/s?old=1#top'")
    assert get.submit().url == "http://a.b/s?q=a+b%7E*%C3%A9%0D%0Ac"
    assert form("", "action='/s?old=1'").submit().url == "http://a.b/s?"
    post = form("<button formmethod=post>x</button>", "action='/s?old=1'")
    assert post.submit().url == "http://a.b/s?old=1"


def test_a_form_without_action_goes_to_its_page_whatever_the_base() -> None:
    whole = page("<base href=/e/><form method=post><button formaction=x>b</button></form>")
    assert whole.form().submit("").url == "http://a.b/c/d"
    assert whole.form().submit().url == "http://a.b/e/x"


def test_a_dialog_is_sent_nowhere() -> None:
    with pytest.raises(CallbackError, match="dialog"):
        form("", "method=dialog").submit()
    with pytest.raises(CallbackError, match="dialog"):
        form("<button formmethod=dialog>x</button>").submit()


def test_a_button_that_leads_to_no_page_is_refused() -> None:
    with pytest.raises(InvalidUrl):
        form("<button formaction='javascript:x'>x</button>").submit()


def test_the_request_is_what_the_user_makes_it() -> None:
    request = form().submit(
        callback="inside", data={"n": 1}, headers={"X-A": "b"}, jar="me", priority=2, again=True
    )
    assert (request.callback, request.data, request.jar) == ("inside", {"n": 1}, "me")
    assert request.headers == (
        ("Content-Type", "application/x-www-form-urlencoded"),
        ("X-A", "b"),
    )
    assert isinstance(request, Request)
    assert request.again


def test_texts_are_sent_with_the_line_ends_of_the_net() -> None:
    assert sent(form("<textarea name=a></textarea>").fill(a="1\n2\r3\r\n4")) == [
        "a=1%0D%0A2%0D%0A3%0D%0A4"
    ]


def legacy(tag: str = "", charset: str = "windows-1251") -> Form:
    body = f"<meta charset={charset}><form method=post {tag}><input name=a></form>"
    return page(body.encode()).form()


@pytest.mark.parametrize(
    ("made", "value", "body"),
    [
        (legacy(), "да", b"a=%E4%E0"),
        (legacy(), "é€😀", b"a=%26%23233%3B%88%26%23128512%3B"),
        (legacy("accept-charset='nonsense UTF-8'"), "да", b"a=%D0%B4%D0%B0"),
        (legacy("accept-charset='nonsense'"), "да", b"a=%D0%B4%D0%B0"),
        (legacy("accept-charset=''"), "да", b"a=%D0%B4%D0%B0"),
        (legacy("accept-charset='latin1'"), "é\x81да", b"a=%E9%81%26%231076%3B%26%231072%3B"),
        (legacy(charset="shift_jis"), "日é", b"a=%93%FA%26%23233%3B"),
        (legacy(charset="euc-kr"), "한", b"a=%C7%D1"),
        (legacy(charset="big5"), "中", b"a=%A4%A4"),
        (legacy(charset="utf-16"), "да", b"a=%D0%B4%D0%B0"),
        (legacy(), "\ud800", b"a=%26%2365533%3B"),
    ],
)
def test_a_form_is_sent_in_the_encoding_of_its_page(made: Form, value: str, body: bytes) -> None:
    assert made.fill(a=value).submit().body == body


def test_an_element_knows_its_page_s_encoding_by_its_meta() -> None:
    body = "<meta charset=windows-1251><form method=post><input name=a value='да'></form>"
    node = page(body.encode("cp1251")).css_first("form")
    assert node is not None
    assert node.form().submit().body == b"a=%E4%E0"


def test_a_hidden_charset_field_says_which() -> None:
    hidden = "<input type=hidden name=_charset_ value=x>"
    assert sent(form(hidden)) == ["_charset_=UTF-8"]
    assert sent(form(hidden, "method=post accept-charset=koi8-r")) == ["_charset_=koi8-r"]


FILES = (
    "<input name='a\"b' value='x&#13;y'><input type=file name=one>"
    "<input type=file name=two multiple>"
)


def test_files_are_sent_as_parts() -> None:
    made = form(FILES, "method=post enctype=multipart/form-data")
    filled = made.fill(one=('é".txt', b"\x00\n"), two=[("1", b""), ("2.png", b"P", "image/png")])
    request = filled.submit()
    kind, _, boundary = dict(request.headers)["Content-Type"].partition("; boundary=")
    assert kind == "multipart/form-data"
    assert request.body is not None
    parts = request.body.split(f"--{boundary}".encode())
    assert parts[0] == b""
    assert parts[-1] == b"--\r\n"
    head = b"\r\nContent-Disposition: form-data; name="
    plain = b"\r\nContent-Type: application/octet-stream"
    assert parts[1:-1] == [
        head + b'"a%22b"\r\n\r\nx\r\ny\r\n',
        head + b'"one"; filename="\xc3\xa9%22.txt"' + plain + b"\r\n\r\n\x00\n\r\n",
        head + b'"two"; filename="1"' + plain + b"\r\n\r\n\r\n",
        head + b'"two"; filename="2.png"\r\nContent-Type: image/png\r\n\r\nP\r\n',
    ]
    assert filled.submit() == request  # the same form is the same request


def test_no_file_is_a_file_without_a_name() -> None:
    multipart = form(FILES, "method=post enctype=multipart/form-data").submit().body
    assert multipart is not None
    assert multipart.count(b'filename=""') == 2
    assert sent(form(FILES))[1:] == ["one=", "two="]
    assert sent(form(FILES).fill(one=("x.txt", b"1")))[1:] == ["one=x.txt", "two="]


@pytest.mark.parametrize("value", ["x", b"x", ("x",), ("x", "y"), [("x", b""), ("y", b"")]])
def test_a_file_is_a_name_and_bytes(value: object) -> None:
    with pytest.raises(CallbackError, match=r"expected (\(name, bytes\)|one file)"):
        form(FILES).fill(one=value)


@given(st.text(), st.text(), st.sampled_from(["utf-8", "windows-1252", "gbk", "iso-2022-jp"]))
def test_any_text_can_be_sent(name: str, value: str, encoding: str) -> None:
    query = urlencoded([(name, value)], encoding)
    assert query.isascii()
    assert not set(query) & set(" \r\n\t#<>\"'~")
    assert query.count("=") == 1
    assert encoding_for(None, encoding) == encoding
