"""The site under torture: what it says of itself is true."""

import socket
from collections.abc import Iterator
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

import pytest

from tests.torture.remote import Remote
from tests.torture.web import HOSTS, Web

PAGES = 60


@pytest.fixture(scope="module")
def served() -> Iterator[Remote]:
    with Remote(PAGES, seed=3) as remote:
        yield remote


@pytest.fixture
def site(served: Remote) -> Remote:
    served.forget()
    return served


def _get(url: str, **headers: str) -> tuple[int, bytes]:
    """Ask until the answer is not a stumbling one."""
    parts = urlsplit(url)
    for _ in range(3):
        connection = HTTPConnection(parts.netloc, timeout=5)
        with suppress(ConnectionError, HTTPException):
            connection.request("GET", parts.path, headers=headers)
            answer = connection.getresponse()
            status, body = answer.status, answer.read()
            connection.close()
            if status != 503:
                return status, body
        connection.close()
    raise AssertionError(url)


def test_it_serves_what_its_model_says(site: Remote) -> None:
    contents = {url: body for url, body in site.web.contents() if "/member/" not in url}
    assert {url: _get(url)[1] for url in contents} == contents
    assert site.answered == len(contents)


def test_the_same_seed_is_the_same_web() -> None:
    one, same, other = (dict(Web(PAGES, seed=seed, port=80).contents()) for seed in (3, 3, 4))
    assert one == same != other


def test_a_member_is_known_by_the_cookie_of_the_login(site: Remote) -> None:
    member = next(url for url, _ in site.web.contents() if "/member/" in url)
    assert _get(member)[0] == 403
    assert _get(member, Cookie=f"c{member.rpartition('/')[2]}=yes")[0] == 200


def test_a_page_fetched_again_is_put_down_to_the_kill_between(site: Remote) -> None:
    url = min(site.once)
    _get(url)
    site.mark()
    assert not site.repeated()
    _get(url)
    site.mark()
    _get(url)
    _get(url)
    assert site.repeated() == {0: 1, 1: 1, 2: 1}


def test_an_answer_that_was_not_read_is_not_whole(site: Remote) -> None:
    size, url = max((len(body), url) for url, body in site.web.contents() if "/p/" in url)
    parts = urlsplit(url)
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        connection.connect((parts.hostname, parts.port))
        connection.sendall(f"GET {parts.path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert 0 < len(connection.recv(100)) < size
    assert site.wait(1, seconds=0.2) == 0


def test_a_dripping_body_never_ends_while_it_is_told_to(site: Remote) -> None:
    dripping = next(
        url
        for number in range(PAGES)
        if (url := site.web.url("p", number))
        and site.web.answer(HOSTS[number % len(HOSTS)], f"/p/{number}").pieces > 1
    )
    parts = urlsplit(dripping)
    site.drip(True)
    connection = HTTPConnection(parts.netloc, timeout=5)
    connection.request("GET", parts.path)
    answer = connection.getresponse()
    assert answer.read(3) == b"   "
    site.drip(False)
    with suppress(ConnectionError, HTTPException):
        answer.read()
    connection.close()
    assert site.answered == 0
    assert _get(dripping)[0] == 200
