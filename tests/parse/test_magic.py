"""What a file is, by its bytes, its header and its name."""

import pytest

from crawler.parse.magic import name_in, promised, sniffed, suffix_of, type_of, usual_name

URL = "https://a.example/b"


@pytest.mark.parametrize(
    ("head", "mime"),
    [
        (b"\x89PNG\r\n\x1a\n\0", "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"RIFF\1\2\3\4WEBPVP8 ", "image/webp"),
        (b"RIFF\1\2\3\4WAVEfmt ", "audio/wav"),
        (b"\0\0\0\x1cftypavif\0\0", "image/avif"),
        (b"\0\0\0\x1cftypisom\0\0", "video/mp4"),
        (b"BM\x36\0\0\0\0\0\0\0", "image/bmp"),
        (b"BMW is a maker of cars", None),
        (b"%PDF-1.7\n", "application/pdf"),
        (b"PK\3\4\x14\0", "application/zip"),
        (b"<svg xmlns='x'>", "image/svg+xml"),
        (b'<?xml version="1.0"?>\n<!-- made by hand -->\n<svg>', "image/svg+xml"),
        (b'<?xml version="1.0"?><rss>', None),
        (b"\xef\xbb\xbf\n <!DOCTYPE html>", "text/html"),
        (b"<!-- a --><HTML lang=en>", "text/html"),
        (b"<hello>", None),
        (b"plain text", None),
        (b"", None),
    ],
)
def test_bytes_tell_what_they_are(head: bytes, mime: str | None) -> None:
    assert sniffed(head) == mime


HTML = b"<!doctype html><p>"
ZIP = b"PK\3\4"


@pytest.mark.parametrize(
    ("mime", "head", "url", "expected"),
    [
        ("image/jpeg", b"\x89PNG\r\n\x1a\n", URL, "image/png"),
        ("", b"\x89PNG\r\n\x1a\n", URL, "image/png"),
        ("image/x-odd", b"????", URL, "image/x-odd"),
        ("", b"????", URL, "application/octet-stream"),
        ("image/png", HTML, URL, "text/html"),
        ("text/plain", HTML, URL, "text/plain"),
        ("application/xhtml+xml", HTML, URL, "application/xhtml+xml"),
        ("application/epub+zip", ZIP, URL, "application/epub+zip"),
        ("image/png", ZIP, URL, "application/zip"),
        ("application/octet-stream", ZIP, URL + ".epub", "application/epub+zip"),
        ("application/octet-stream", ZIP, URL + ".png", "application/zip"),
    ],
)
def test_bytes_are_believed_but_for_containers_and_text(
    mime: str, head: bytes, url: str, expected: str
) -> None:
    assert type_of(mime, head, url) == expected


def test_headers_have_one_name_for_a_type() -> None:
    assert usual_name("Image/JPG; charset=x") == "image/jpeg"
    for odd in ("", "nonsense", "a/b/c", "a/\x1b[2J", "a/" + "b" * 101):
        assert usual_name(odd) == ""


@pytest.mark.parametrize(
    ("mime", "url", "suffix"),
    [
        ("image/jpeg", URL + ".png", ".jpg"),
        ("application/x-own", URL + ".OWN?x=1.jpg", ".own"),
        ("application/x-own", URL, ""),
        ("application/x-own", "https://a.example/.htaccess", ""),
        ("application/x-own", "https://a.example/a.verylongsuffix", ""),
        ("application/x-own", "https://a.example/a.%2e%2fb", ""),
    ],
)
def test_a_name_ends_as_its_type_or_its_url_says(mime: str, url: str, suffix: str) -> None:
    assert suffix_of(mime, url) == suffix


def test_the_end_of_a_url_promises_a_type() -> None:
    assert promised(URL + ".JPEG?a=b") == "image/jpeg"
    assert promised(URL + ".php") is None
    assert promised("https://a.example/") is None


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/a/Cover%20One.jpg", "Cover_One"),
        ("/a/..%2f..%2fetc%2fpasswd", "passwd"),
        ("/a/%2e%2e", "file"),
        ("/", "file"),
        ("/a/.hidden", "hidden"),
        ("/a/%ff%00.pdf", "file"),
        ("/a/" + "x" * 300 + ".pdf", "x" * 60),
        ("/b%C3%BCcher.tar.gz", "bücher.tar"),
    ],
)
def test_a_name_of_a_url_is_short_and_stays_where_it_is(path: str, name: str) -> None:
    assert name_in("https://a.example" + path) == name
