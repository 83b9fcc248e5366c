from collections.abc import Mapping

import pytest

from crawler.fetch.headers import Outgoing
from crawler.request import Request
from crawler.rules.credentials import Credentials
from crawler.settings import Settings

HERE = "http://a.example/"


def outgoing(*, seed: str = HERE, **settings: Mapping[str, str]) -> Outgoing:
    merged = Settings(**settings)  # type: ignore[arg-type]  # only mappings are given here
    credentials = Credentials(merged)
    credentials.add_seed(seed)
    return Outgoing(merged, credentials)


def pairs(of: Outgoing, request: Request, *, tunnelled: bool = True) -> list[tuple[str, str]]:
    headers = of.of(request, tunnelled=tunnelled)
    return [] if headers is None else list(headers.items())


def test_everybodys_headers_have_no_secrets_and_no_referer() -> None:
    own = {"User-Agent": "me", "Cookie": "a=b", "AUTHORIZATION": "x", "referer": HERE, "X-A": "b"}
    everybodys = outgoing(headers=own).everybodys
    assert everybodys["User-Agent"] == "me"
    assert everybodys["X-A"] == "b"
    assert set(everybodys) == {"Accept", "Accept-Encoding", "User-Agent", "X-A"}


def test_a_request_without_anything_of_its_own_costs_no_headers() -> None:
    assert outgoing().of(Request(HERE), tunnelled=True) is None
    elsewhere = outgoing(seed="http://b.example/", headers={"Cookie": "a=b"})
    assert elsewhere.of(Request(HERE), tunnelled=True) is None


def test_a_requests_own_header_takes_the_place_of_its_origins() -> None:
    of = outgoing(headers={"Cookie": "a=b", "X-A": "b"}, auth={"http://a.example": "me:pass"})
    assert pairs(of, Request(HERE)) == [
        ("Authorization", "Basic bWU6cGFzcw=="),
        ("Cookie", "a=b"),
    ]
    own = Request(HERE, headers=[("authorization", "x"), ("COOKIE", "c=d"), ("cookie", "e=f")])
    assert pairs(of, own) == [("authorization", "x"), ("COOKIE", "c=d"), ("COOKIE", "e=f")]


@pytest.mark.parametrize(
    ("referer", "url", "sent"),
    [
        ("https://me:pass@b.example/x#y", "https://a.example/", "https://b.example/x"),
        ("https://b.example/x", HERE, None),
        ("http://b.example/x", HERE, "http://b.example/x"),
        ("nonsense", HERE, None),
    ],
)
def test_a_referer_that_the_user_gives_is_cleaned(referer: str, url: str, sent: str | None) -> None:
    expected = [] if sent is None else [("Referer", sent)]
    assert pairs(outgoing(headers={"Referer": referer}), Request(url)) == expected
    assert pairs(outgoing(), Request(url, headers={"Referer": referer})) == expected


def test_a_proxys_secret_is_not_for_whoever_is_at_the_end_of_a_tunnel() -> None:
    own = Request(HERE, headers={"Proxy-Authorization": "x"})
    for of in (outgoing(), outgoing(headers={"proxy-authorization": "y"})):
        assert pairs(of, own) == []
        assert pairs(of, own, tunnelled=False) == [("Proxy-Authorization", "x")]
