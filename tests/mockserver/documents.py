"""HTML, and what says it is: deep, huge, mislabelled, rude."""

from tests.mockserver.table import DELIVERED, Expected, Theme, failed, skipped
from tests.mockserver.wire import END, OK, Wire, body_of

theme = Theme("documents")
MANY = 100_000


def _page(path: str, body: bytes, expected: Expected = DELIVERED, mime: str = "text/html") -> None:
    async def answer(wire: Wire) -> None:
        await wire.answer(body, mime=mime)

    theme.add(path, expected, answer)


_page("deep-divs", b"<div>" * MANY + b"deep")
_page("deep-spans", b"<span>" * MANY + b"deep" + b"</span>" * MANY)
_page("deep-tables", b"<table><tr><td>" * 20_000)
_page("deep-lists", b"<ul><li>" * 50_000)
_page("deep-frames-of-svg", b"<svg>" * 50_000 + b"<desc><p>deep")
_page("deep-templates", b"<template>" * 20_000 + b"deep")
_page("misnested", b"<a><b><i>" * 3_000 + b"x" + b"</a></b></i>" * 3_000)
_page("fonts", b"<font>" * 20_000 + b"<p>" * 100)
_page("attributes-by-the-thousand", b"<p " + b" ".join(b"a%d=1" % n for n in range(MANY)) + b">")
_page("attribute-of-1-mb", b"<p title='" + b"y" * 1_000_000 + b"'>x")
_page("title-of-1-mb", b"<title>" + b"y" * 1_000_000 + b"</title>x")
_page("open-comment", b"<p>x<!--" + b"-" * 1_000_000)
_page("open-tag", b"<p>x<a href='" + b"y" * 1_000_000)
_page("open-script", b"<p>x<script>" + b"<!--<script>" * 50_000)
_page("entities", b"&amp;&#x41;&notanentity;&#xD800;&#x110000;&#0;" * 20_000)
_page("links-of-5-mb", b'<a href="/none/%s">x</a>' % (b"y" * 70) * 50_000)
_page("nul-bytes", b"<p>\x00nul\x00</p>\x00" * 1_000)
_page("only-nul", bytes(100_000))
_page("nothing", b"")
_page("blanks", b" \r\n\t" * 10_000)
_page("binary", bytes(range(256)) * 100)
_page("terminal-escapes", b"<title>\x1b]0;owned\x07\x1b[2J\x9b31m</title><h1>\x1b[31m</h1>")
_page("formulas", b"<title>=HYPERLINK(1)</title><h1>@SUM(1)</h1><p>+1-1</p>")
_page("bidi-and-zero-width", "<title>\u202egnp.exe\u200b\ufeff</title>".encode())
_page("surrogates", b"<title>\xed\xa0\x80 \xed\xbf\xbf</title>&#xD800;")
_page("overlong-utf-8", b"<p>\xc0\xaf\xe0\x80\xaf\xf8\x88\x80\x80\x80")
_page("quirks", b"<!DOCTYPE html SYSTEM 'file:///etc/passwd' [<!ENTITY x SYSTEM 'file:///x'>]>&x;")
_page("base-to-a-file", b"<base href='file:///etc/'><a href='passwd'>x</a>")
_page("base-to-nowhere", b"<base href='http://['><a href='javascript:x'>x</a>")
_page("utf-8-that-is-latin", "<p>café</p>".encode("latin-1"), mime="text/html; charset=utf-8")
_page("latin-that-is-utf-8", "<p>café</p>".encode(), mime="text/html; charset=iso-8859-1")
_page("utf-16-that-is-ascii", b"<p>plain</p>", mime="text/html; charset=utf-16")
_page("charset-hex", b"<p>x", mime="text/html; charset=hex")
_page("charset-utf-7", b"<p>+ADw-script+AD4-", mime="text/html; charset=utf-7")
_page("charset-rot13", b"<p>x", mime="text/html; charset=rot13")
_page("charset-of-60-kb", b"<p>x", mime="text/html; charset=" + "y" * 60_000)
_page("charset-unknown", b"<p>x", mime="text/html; charset=klingon")
_page("charsets-at-odds", b'<meta charset="shift_jis"><p>x', mime="text/html; charset=utf-8")
_page("meta-charset-late", b" " * 5_000 + b'<meta charset="koi8-r"><p>\xc1')
_page("type-of-junk", b"<p>x", mime="text/html;;;=;\x01\xff", expected=DELIVERED)
_page("type-without-slash", b"<p>x", mime="html", expected=DELIVERED | skipped("unwanted_type"))
_page("an-image", b"\x89PNG" + bytes(100), mime="image/png", expected=skipped("unwanted_type"))
_page("a-film", bytes(100), mime="video/mp4", expected=skipped("unwanted_type"))
_page("a-page-called-image", b"<p>x", mime="image/gif", expected=skipped("unwanted_type"))
_page("11-mb", b"<p>" + b"y" * 11_000_000, failed("too_large"))
_page("json-nested", b"[" * MANY, mime="application/json")
_page("json-broken", b'{"a": NaN, "b": "\\ud800"', mime="application/json")


@theme("two-types", DELIVERED | skipped("unwanted_type"))
async def two_types(wire: Wire) -> None:
    lines = b"Content-Type: image/png\r\nContent-Type: text/html\r\nContent-Length: 3\r\n"
    await wire.send(OK + lines + END + b"<p>")


@theme("endless-film", skipped("unwanted_type"))
async def endless_film(wire: Wire) -> None:
    """Dropped at its header."""
    await wire.send(OK + b"Content-Type: video/mp4\r\n\r\n")
    while True:
        await wire.send(bytes(65_536))


@theme("attachment", DELIVERED)
async def attachment(wire: Wire) -> None:
    """A name for the file that no file may get."""
    name = 'attachment; filename="../../../etc/passwd"'
    await wire.answer(body_of(wire.path), headers=[("Content-Disposition", name)])
