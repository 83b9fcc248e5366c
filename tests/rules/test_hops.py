import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from crawler.request import Method, Request
from crawler.response import Response
from crawler.rules.hops import FOR_ORIGIN, hop, referer_of

START = "http://a.example/dir/page"


def answer(request: Request, *, status: int = 302, location: str | None = "/next") -> Response:
    headers = CIMultiDict({} if location is None else {"Location": location})
    return Response(request.url, request=request, status=status, headers=CIMultiDictProxy(headers))


def target_of(request: Request, *, status: int = 302, location: str | None = "/next") -> Request:
    target = hop(answer(request, status=status, location=location))
    assert target is not None
    return target


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("/next", "http://a.example/next"),
        ("next", "http://a.example/dir/next"),
        ("?q=1", "http://a.example/dir/page?q=1"),
        ("//b.example/x", "http://b.example/x"),
        ("https://a.example/", "https://a.example/"),
        ("/next#part", "http://a.example/next"),
        ("  /next ", "http://a.example/next"),
        ("/caf\xe9", "http://a.example/caf%C3%A9"),
    ],
)
def test_location_is_joined_as_browsers_do(location: str, url: str) -> None:
    assert target_of(Request(START), location=location).url == url


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_the_five_redirects_are_followed(status: int) -> None:
    assert target_of(Request(START), status=status).url == "http://a.example/next"


@pytest.mark.parametrize("status", [200, 201, 300, 304, 305, 306, 404])
def test_other_statuses_are_no_redirect(status: int) -> None:
    request = Request(START)
    assert hop(answer(request, status=status)) is None


@pytest.mark.parametrize("location", [None, "", "mailto:me@a.example", "http://", "javascript:0"])
def test_without_a_usable_location_there_is_nothing_to_follow(location: str | None) -> None:
    request = Request(START)
    assert hop(answer(request, location=location)) is None


@pytest.mark.parametrize(
    ("status", "method", "becomes"),
    [
        (301, "POST", "GET"), (302, "POST", "GET"), (303, "POST", "GET"), (303, "PUT", "GET"),
        (307, "POST", "POST"), (308, "POST", "POST"), (301, "PUT", "PUT"),
        (302, "HEAD", "HEAD"), (303, "HEAD", "HEAD"), (303, "GET", "GET"),
    ],
)  # fmt: skip
def test_method_and_body_change_as_the_fetch_standard_says(
    status: int, method: Method, becomes: str
) -> None:
    request = Request(START, method=method, json={"a": 1}, headers={"X-Mine": "1"})
    target = target_of(request, status=status)
    assert target.method == becomes
    kept = becomes == method
    assert (target.body is not None) == kept
    assert ("Content-Type" in dict(target.headers)) == kept
    assert dict(target.headers)["X-Mine"] == "1"


@pytest.mark.parametrize(
    "elsewhere", ["http://b.example/", "https://a.example/", "http://a.example:81/"]
)
def test_credentials_stay_with_their_origin(elsewhere: str) -> None:
    request = Request(
        START, headers={"authorization": "x", "Cookie": "a=b", "Host": "c", "X-Mine": "1"}
    )
    assert dict(target_of(request, location=elsewhere).headers) == {"X-Mine": "1"}
    assert target_of(request, location="/here").headers == request.headers


@pytest.mark.parametrize(
    "elsewhere", ["http://b.example/", "https://a.example/", "http://a.example:81/"]
)
def test_what_the_user_calls_secret_stays_with_its_origin(elsewhere: str) -> None:
    several = [
        ("X-Key", "1"),
        ("x-key", "2"),
        ("Cookie", "a=b"),
        ("cookie", "c=d"),
        ("X-Mine", "1"),
    ]
    request = Request(START, headers=several)
    secret = FOR_ORIGIN | {"x-key"}
    away = hop(answer(request, location=elsewhere), secret=secret)
    assert away is not None
    assert away.headers == (("X-Mine", "1"),)
    here = hop(answer(request), secret=secret)
    assert here is not None
    assert here.headers == request.headers


def test_what_was_dropped_stays_dropped_on_the_way_back() -> None:
    request = Request(START, method="POST", json=1, headers={"Authorization": "x", "X-Mine": "1"})
    away = target_of(request, status=303, location="http://b.example/")
    back = hop(answer(away, location=START, status=307))
    assert back is not None
    assert (back.url, back.method, back.body) == (START, "GET", None)
    assert back.headers == (("X-Mine", "1"),)


def test_what_was_asked_last_goes_on_though_the_answer_is_to_another_request() -> None:
    request = Request(START, method="POST", json=1, headers={"Authorization": "x"})
    seen = target_of(request, status=303)
    last = answer(seen, location="http://b.example/", status=307)
    last.request, last.asked = request, seen
    target = hop(last)
    assert target is not None
    assert (target.method, target.body, target.headers) == ("GET", None, ())


@pytest.mark.parametrize(
    ("referer", "here", "away", "in_clear"),
    [
        ("https://a.example/x?y#z", "https://a.example/x?y", "https://a.example/", None),
        ("https://me:pass@a.example/x", "https://a.example/x", "https://a.example/", None),
        ("http://a.example/x", "http://a.example/x", "http://a.example/", "http://a.example/"),
        ("about:blank", None, None, None),
        ("/x", None, None, None),
        ("", None, None, None),
    ],
)
def test_a_referer_tells_another_origin_no_more_than_its_own(
    referer: str, here: str | None, away: str | None, in_clear: str | None
) -> None:
    assert referer_of(referer, to="https://a.example/") == here
    request = Request("https://a.example/", headers={"Referer": referer})
    for location, expected in (("https://b.example/", away), ("http://b.example/", in_clear)):
        target = target_of(request, location=location)
        assert dict(target.headers).get("Referer") == expected


def test_the_rest_of_the_request_is_kept() -> None:
    request = Request(START, callback="detail", data={"n": 1}, priority=3, depth=2, jar="me")
    target = target_of(request)
    assert (target.callback, target.data, target.priority) == ("detail", {"n": 1}, 3)
    assert (target.depth, target.jar) == (2, "me")
