import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from crawler.request import Method, Request
from crawler.response import Response
from crawler.rules.hops import hop

START = "http://a.example/dir/page"


def answer(request: Request, *, status: int = 302, location: str | None = "/next") -> Response:
    headers = CIMultiDict({} if location is None else {"Location": location})
    return Response(request.url, request=request, status=status, headers=CIMultiDictProxy(headers))


def target_of(request: Request, *, status: int = 302, location: str | None = "/next") -> Request:
    target = hop(request, answer(request, status=status, location=location))
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
    assert hop(request, answer(request, status=status)) is None


@pytest.mark.parametrize("location", [None, "", "mailto:me@a.example", "http://", "javascript:0"])
def test_without_a_usable_location_there_is_nothing_to_follow(location: str | None) -> None:
    request = Request(START)
    assert hop(request, answer(request, location=location)) is None


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


def test_the_rest_of_the_request_is_kept() -> None:
    request = Request(START, callback="detail", data={"n": 1}, priority=3, depth=2, jar="me")
    target = target_of(request)
    assert (target.callback, target.data, target.priority) == ("detail", {"n": 1}, 3)
    assert (target.depth, target.jar) == (2, "me")
