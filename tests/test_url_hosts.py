"""Hosts in every spelling, and how long they may be."""

import pytest

from crawler import urls
from crawler.errors import InvalidUrl
from crawler.parse.joiner import Joiner


@pytest.mark.parametrize(
    "host",
    [
        *("2130706433", "0x7f000001", "0x7F.1", "017700000001", "0177.0.0.1", "127.1", "127.0.1"),
        *("127.0.0.1.", "127.0.0.1", "%31%32%37.0.0.1", "127。0。0。1", "①②⑦.0.0.1", "0x7f.0x1"),
        *("[::ffff:127.0.0.1]", "[::FFFF:7F00:1]", "[0:0:0:0:0:ffff:7f00:0001]"),
    ],
)
def test_an_address_is_one_however_it_is_spelled(host: str) -> None:
    mapped = "[::ffff:7f00:1]"
    url = f"http://{mapped if host.startswith('[') else '127.0.0.1'}/"
    assert urls.canonicalize(f"http://{host}/") == url
    assert urls.join("https://a.b/c", f"\t\\\\{host}").removeprefix("https:") == url[5:]


@pytest.mark.parametrize(
    ("host", "canonical"),
    [
        *(("a.b:80", "a.b"), ("a.b:0080", "a.b"), ("a.b:", "a.b"), ("a.b:0", "a.b:0")),
        *(("a.b:65535", "a.b:65535"), ("a.b:443", "a.b:443"), ("A。B", "a.b"), ("a%2Eb", "a.b")),
        *(("@a.b", "a.b"), (":@a.b", "a.b"), ("faß.b", "xn--fa-hia.b"), ("a\u00adb.c", "ab.c")),
        *(("a.b:65536", None), ("a.b:-1", None), ("a.b:8 0", None), ("a.b:x", None), (":80", None)),
        *(("", None), ("@", None), ("u@", None), ("u@:80", None), ("a b", None), ("a%00b", None)),
        *(("a<b", None), ("a^b", None), ("a%25b", None), ("[::1", None), ("[1.2.3.4]", None)),
        *(("1.2.3.4.5", None), ("0x100.0.0.1", None), ("08.0.0.1", None), ("a.0x", None)),
        *(("\u200b", None), ("[::1%25eth0]", None), ("a\x7fb", None)),
    ],
)
def test_hosts_and_ports_are_read_by_the_standard(host: str, canonical: str | None) -> None:
    # An empty host is none: the slashes before the next one are skipped.
    url = f"http://{host}"
    if canonical is None:
        with pytest.raises(InvalidUrl):
            urls.canonicalize(url)
    else:
        assert urls.canonicalize(url) == f"http://{canonical}/"


def long_host(length: int) -> str:
    return ("a" * 49 + ".") * 4 + "b" * (length - 200)


@pytest.mark.parametrize("path", ["/", "/x y"])
def test_a_host_has_at_most_253_bytes(path: str) -> None:
    fits, tall = long_host(253), long_host(254)
    assert len(urls.hostname_of(urls.canonicalize(f"http://{fits}{path}"))) == 253
    assert urls.canonicalize(f"http://{fits}.:8080/") == f"http://{fits}.:8080/"
    join = Joiner("http://a.b/")
    assert join(f"http://{fits}/") == f"http://{fits}/"
    for url in (f"http://{tall}{path}", f"http://u:p@{tall}.:81{path}", f"http://{'é.' * 40}b"):
        with pytest.raises(InvalidUrl, match=r"253 bytes"):
            urls.canonicalize(url)
        with pytest.raises(InvalidUrl, match=r"253 bytes"):
            urls.join("http://a.b/", url[5:])
        assert join(url) is None
