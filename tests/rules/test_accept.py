import pytest

from crawler.errors import SettingError
from crawler.rules.accept import Accept
from crawler.settings import Settings


@pytest.mark.parametrize(
    ("name", "content_type"),
    [
        ("html", "text/html"),
        ("html", "Text/HTML; charset=utf-8"),
        ("html", "text/html, text/html"),
        ("xhtml", "application/xhtml+xml"),
        ("xml", "application/xml"),
        ("xml", "application/rss+xml; charset=utf-8"),
        ("json", "application/json"),
        ("json", "application/ld+json"),
        ("text", "text/plain"),
        ("application/pdf", "application/pdf"),
        ("Application/PDF", "application/pdf"),
        ("image/*", "image/png"),
        ("*", "application/octet-stream"),
        ("*/*", "application/octet-stream"),
    ],
)
def test_a_wanted_type_is_admitted(name: str, content_type: str) -> None:
    assert Accept([name]).admits(content_type)


@pytest.mark.parametrize(
    ("name", "content_type"),
    [
        ("html", "application/xhtml+xml"),
        ("html", "text/plain"),
        ("xml", "application/xhtml+xml"),
        ("json", "application/xml"),
        ("text", "text/css"),
        ("image/*", "imagery/png"),
        ("application/pdf", "application/pdfx"),
    ],
)
def test_another_type_is_not(name: str, content_type: str) -> None:
    assert not Accept([name]).admits(content_type)


@pytest.mark.parametrize("content_type", [None, "", " ", "; charset=utf-8", "html"])
def test_a_body_without_a_readable_type_is_admitted(content_type: str | None) -> None:
    assert Accept(["json"]).admits(content_type)


def test_the_default_leaves_out_what_is_no_document() -> None:
    accept = Accept(Settings().accept)
    assert accept.admits("text/html")
    assert not accept.admits("image/png")
    assert not accept.admits("application/pdf")


def test_an_unknown_name_is_an_error_with_a_hint() -> None:
    with pytest.raises(SettingError, match="unknown type 'htm'; did you mean 'html'"):
        Accept(["htm"])


@pytest.mark.parametrize("name", ["", "/", "text/", "/html", "text/html; q=1", "*/html"])
def test_what_is_no_type_is_an_error(name: str) -> None:
    with pytest.raises(SettingError):
        Accept([name])
