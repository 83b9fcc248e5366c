"""What users may ask for, and what is refused where they write it."""

import functools
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct
from multidict import CIMultiDict
from yarl import URL

from crawler.errors import InvalidUrl, SpiderError
from crawler.request import Request, link_request
from crawler.response import Response
from crawler.spider import Spider
from crawler.urls import KeyRules

PAGE = "http://a.example/x"
FORM = ("Content-Type", "application/x-www-form-urlencoded")
JSON = ("Content-Type", "application/json")

# Whatever a store on disk gives back as it got it.
PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary(),
    lambda inner: st.lists(inner) | st.tuples(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)
WORDS = st.text(max_size=8)


class Where(Struct):
    shelf: str
    place: int


class Shop(Spider[Any]):
    def parse(self, page: Response) -> None: ...

    @classmethod
    def made(cls, page: Response) -> None: ...

    @staticmethod
    def free(page: Response) -> None: ...


def refusal(**arguments: Any) -> str:
    with pytest.raises(SpiderError) as caught:
        Request(PAGE, **arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("url", ["HTTP://A.example:80/é#part", URL("http://a.example/é#part")])
def test_the_url_is_canonical_text(url: str | URL) -> None:
    assert Request(url).url == "http://a.example/%C3%A9"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("/x", "not a valid http(s) URL: '/x'"),
        (URL("/x"), "not a valid http(s) URL: '/x'"),
        ("mailto:me@a.example", "only http and https are crawled: 'mailto:me@a.example'"),
        (None, "a URL must be text or a yarl.URL, got NoneType: 'None'"),
        (b"http://a/", "a URL must be text or a yarl.URL, got bytes: \"b'http://a/'\""),
    ],
)
def test_what_is_no_url_is_refused_by_name(url: Any, words: str) -> None:
    with pytest.raises(InvalidUrl) as caught:
        Request(url)
    assert str(caught.value) == words


@pytest.mark.parametrize(
    ("url", "params", "query"),
    [
        (PAGE, {"a": 1, "b": "c d&ü"}, "?a=1&b=c+d%26%C3%BC"),
        (PAGE, [("a", 1), ("a", 2)], "?a=1&a=2"),
        (PAGE, {"a": [1, 2], "b": (3,)}, "?a=1&a=2&b=3"),
        (PAGE, {"yes": True, "no": False, "none": None, "empty": ""}, "?yes=true&no=false&empty="),
        (PAGE + "?q=1#part", {"a": 1}, "?q=1&a=1"),
        (PAGE + "?", {"a": 1}, "?a=1"),
        (PAGE + "?q=1&", {"a": 1}, "?q=1&a=1"),
        (PAGE + "?q=%27", {}, "?q=%27"),
    ],
)  # fmt: skip
def test_params_join_the_query(url: str, params: Any, query: str) -> None:
    assert Request(url, params=params).url == PAGE + query


@given(st.dictionaries(WORDS, WORDS | st.lists(WORDS, min_size=1, max_size=3), max_size=4))
def test_params_and_form_are_read_back_as_they_were_written(fields: dict[str, Any]) -> None:
    pairs = [
        (name, one)
        for name, value in fields.items()
        for one in (value if isinstance(value, list) else [value])
    ]
    assert list(URL(Request(PAGE, params=fields).url).query.items()) == pairs
    sent = (Request(PAGE, form=fields).body or b"").decode()
    assert list(URL(f"{PAGE}?{sent}", encoded=True).query.items()) == pairs


@pytest.mark.parametrize(
    ("arguments", "method", "body", "type_"),
    [
        ({}, "GET", None, None),
        ({"json": {"a": [1]}}, "POST", b'{"a":[1]}', JSON),
        ({"json": Where("b", 1)}, "POST", b'{"shelf":"b","place":1}', JSON),
        ({"json": []}, "POST", b"[]", JSON),
        ({"form": {"a": "b c", "d": 1}}, "POST", b"a=b+c&d=1", FORM),
        ({"form": [("a", "1"), ("a", "2")]}, "POST", b"a=1&a=2", FORM),
        ({"form": {}}, "POST", b"", FORM),
        ({"body": "ü"}, "POST", b"\xc3\xbc", None),
        ({"body": bytearray(b"x")}, "POST", b"x", None),
        ({"body": b"x", "method": "put"}, "PUT", b"x", None),
        ({"json": 1, "method": "GET"}, "GET", b"1", JSON),
        ({"json": 1, "headers": {"content-type": "a/b"}}, "POST", b"1", ("content-type", "a/b")),
    ],
)
def test_what_is_sent_decides_method_and_content_type(
    arguments: dict[str, Any], method: str, body: bytes | None, type_: tuple[str, str] | None
) -> None:
    request = Request(PAGE, **arguments)
    assert (request.method, request.body) == (method, body)
    assert request.headers == (() if type_ is None else (type_,))


def test_headers_are_a_mapping_or_pairs() -> None:
    pairs = (("Accept", "a"), ("X-Mine", "1"), ("X-Mine", "2"))
    assert Request(PAGE, headers=[*pairs]).headers == pairs
    assert Request(PAGE, headers=CIMultiDict(pairs)).headers == pairs
    assert Request(PAGE, headers={"X": "1"}).headers == (("X", "1"),)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"body": b"", "json": 1}, "a request takes one of body, json and form"),
        ({"form": {}, "json": []}, "a request takes one of body, json and form"),
        ({"body": {}}, "body must be bytes or text, got dict"),
        ({"body": "\ud800"}, "body: 'utf-8' codec can't encode"),
        ({"json": object()}, "json cannot be encoded: a value of type object has no"),
        ({"json": {"a": [1, float("nan")]}}, "json.a[1] is not a number that JSON has"),
        ({"form": "a=b"}, "form must be names and values, got 'a=b'"),
        ({"form": {"a": {"b": 1}}}, "form must hold text, numbers or lists of these, got 'a': {"),
        ({"form": {"a": b"x"}}, "form must hold text, numbers or lists of these, got 'a': b'x'"),
        ({"form": {"a": "\ud800"}}, "form: 'utf-8' codec can't encode"),
        ({"params": "a=b"}, "params must be names and values, got 'a=b'"),
        ({"params": {1: 2}}, "params must be names and values, got {1: 2}"),
        ({"params": [("a", 1, 2)]}, "params must be names and values, got [('a', 1, 2)]"),
        ({"headers": {"X": 1}}, "headers cannot hold 'X': 1"),
        ({"headers": {"X": "1\r\nY: 2"}}, "headers cannot hold 'X': '1\\r\\nY: 2'"),
        ({"headers": {"a b": "1"}}, "headers cannot hold 'a b': '1'"),
        ({"headers": {"X": "\udcff"}}, "headers cannot hold 'X': '\\udcff'"),
        ({"headers": "X"}, "headers must be names and values, got 'X'"),
        ({"method": "BREW"}, "method must be one of GET, HEAD, POST, "),
        ({"priority": 1.5}, "priority=1.5: expected `int`, got `float`"),
        ({"priority": 2**40}, f"priority={2**40}: expected `int` <= "),
        ({"depth": -1}, "depth=-1: expected `int` >= 0"),
        ({"timeout": 0}, "timeout=0: expected `float` > 0"),
        ({"timeout": float("inf")}, "timeout=inf: expected `float` < "),
        ({"retries": -1}, "retries=-1: expected `int` >= 0"),
        ({"again": "yes"}, "again='yes': expected `bool`, got `str`"),
        ({"jar": None}, "jar=None: expected `str`, got `null`"),
    ],
)
def test_what_could_not_be_sent_is_refused_where_it_is_written(
    arguments: dict[str, Any], words: str
) -> None:
    assert words in refusal(**arguments)


def test_an_unknown_argument_is_refused_with_a_hint() -> None:
    with pytest.raises(TypeError, match="unknown argument 'prioritty'; did you mean 'priority'"):
        Request(PAGE, prioritty=1)  # type: ignore[call-arg]  # what is tested


def test_a_callback_is_kept_by_its_name() -> None:
    shop = Shop()
    assert Request(PAGE, callback="made").callback == "made"
    assert Request(PAGE, callback=shop.parse).callback == "parse"
    assert Request(PAGE, callback=shop.made).callback == "made"
    assert Request(PAGE).callback == "parse"


@pytest.mark.parametrize(
    "callback",
    [
        *(lambda page: None, print, [].append, Shop.free),
        *(functools.partial(Shop().parse), None, "", "a b"),
    ],
)
def test_a_callback_without_a_lasting_name_is_refused(callback: Any) -> None:
    assert "callback must be a method of the spider or its name, got" in refusal(callback=callback)


@pytest.mark.parametrize(
    ("data", "kept"),
    [
        (Where("b", 1), {"shelf": "b", "place": 1}),
        ([Where("b", 1)], [{"shelf": "b", "place": 1}]),
        ({"a": (1, 2), "b": b"\xff"}, {"a": [1, 2], "b": b"\xff"}),
        (Decimal("1.10"), "1.10"),
        (datetime(2020, 1, 1, tzinfo=UTC), "2020-01-01T00:00:00Z"),
        ({1: None}, {1: None}),
    ],
)
def test_data_is_kept_as_plain_values(data: object, kept: object) -> None:
    assert Request(PAGE, data=data).data == kept


@pytest.mark.parametrize("data", [object(), [{"a": print}], 2**64, "\ud800", {"a": Request}])
def test_data_that_cannot_be_kept_is_refused(data: object) -> None:
    assert "a request's data must be plain values: " in refusal(data=data)


def test_data_that_holds_itself_is_refused() -> None:
    data: list[object] = []
    data.append(data)
    assert "plain values" in refusal(data=data)


def test_data_is_cut_loose_from_the_callback() -> None:
    data = {"seen": [1]}
    request = Request(PAGE, data=data)
    data["seen"].append(2)
    assert request.data == {"seen": [1]}


@given(PLAIN, st.none() | st.binary(), st.lists(st.tuples(st.just("X-Mine"), st.just("ü"))))
def test_a_request_travels_unchanged(data: object, body: bytes | None, headers: Any) -> None:
    request = Request(
        PAGE, data=data, body=body, headers=headers, priority=-3, timeout=2, retries=0, jar="me"
    )
    sent = msgspec.msgpack.encode(request)
    assert msgspec.msgpack.decode(sent, type=Request) == request


def test_a_request_is_frozen() -> None:
    with pytest.raises(AttributeError):
        Request(PAGE).url = "http://b.example/"  # type: ignore[misc]  # what is tested


def test_replace_checks_like_a_new_request_and_forgets_the_tries() -> None:
    tried = link_request(
        url=PAGE, id=7, attempt=3, crashes=2, redirects=("http://a/",), data={"a": 1}, depth=2
    )
    other = tried.replace(url="HTTP://B.example", params={"q": 1}, again=True)
    assert other == Request("http://b.example/?q=1", data={"a": 1}, depth=2, again=True)
    with pytest.raises(InvalidUrl):
        tried.replace(url="nonsense")


def test_replacing_what_is_sent_replaces_its_content_type() -> None:
    posted = Request(PAGE, form={"a": 1}, headers={"X": "1"})
    assert posted.replace(json=1) == Request(PAGE, json=1, headers={"X": "1"})
    assert posted.replace(priority=1) == Request(
        PAGE, form={"a": 1}, headers={"X": "1"}, priority=1
    )
    bare = posted.replace(body=None, method="GET")
    assert (bare.body, bare.headers) == (None, (("X", "1"),))


def test_url_method_and_body_tell_requests_apart_and_nothing_else_does() -> None:
    same = [
        Request(PAGE),
        Request("HTTP://a.example:80/x#part"),
        Request(PAGE, headers={"A": "1", "B": "2"}, callback="other", data=1, priority=2, jar="me"),
        link_request(url=PAGE, id=5, attempt=2),
    ]
    others = [
        Request(PAGE, method="HEAD"),
        Request(PAGE, method="POST"),
        Request(PAGE, method="PUT", body=b"a"),
        Request(PAGE, body=b"a"),
        Request(PAGE, body=b"b"),
        Request(PAGE, params={"a": 1}),
        Request("https://a.example/x"),
    ]
    assert len({request.fingerprint() for request in same}) == 1
    assert len({request.fingerprint() for request in [*same, *others]}) == 1 + len(others)


def test_the_fingerprint_goes_by_the_key_rules() -> None:
    rules = KeyRules(ignore_query_order=True, ignore_params=("utm_*",))
    one, two = Request(PAGE + "?a=1&b=2&utm_x=3"), Request(PAGE + "?b=2&a=1")
    assert one.fingerprint(rules) == two.fingerprint(rules)
    assert one.fingerprint() != two.fingerprint()


def test_the_host_is_what_politeness_goes_by() -> None:
    assert Request("https://me:pw@a.example:8080/").host == "a.example:8080"
    assert Request("https://a.example/").host == Request("http://a.example/").host
