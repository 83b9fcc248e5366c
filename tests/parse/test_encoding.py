"""Detecting and decoding character encodings."""

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.parse.encoding import decode, decode_with_name, detect, utf8_with_name

HTML = "text/html"


@pytest.mark.parametrize(
    ("label", "name"),
    [
        *(("utf8", "utf-8"), ("UTF-8", "utf-8"), ("unicode11utf8", "utf-8")),
        *(("latin1", "windows-1252"), ("iso-8859-1", "windows-1252"), ("ascii", "windows-1252")),
        *(("latin-1", "windows-1252"), ("us-ascii", "windows-1252")),
        *(("iso-8859-9", "windows-1254"), ("tis-620", "windows-874"), ("logical", "iso-8859-8-i")),
        *(("gb2312", "gbk"), ("x-sjis", "shift_jis"), ("ks_c_5601-1987", "euc-kr")),
        *(("koi8-ru", "koi8-u"), ("big5-hkscs", "big5"), ("866", "ibm866"), ("mac", "macintosh")),
        *(("utf-16", "utf-16le"), ("unicodefffe", "utf-16be"), ("hz-gb-2312", "replacement")),
    ],
)
def test_a_label_names_the_standards_encoding(label: str, name: str) -> None:
    assert detect(b"x", f"text/html; charset={label}") == name


@pytest.mark.parametrize(
    "header",
    [
        "text/html; charset=koi8-r",
        'text/html; charset="koi8-r"',
        "text/html; charset='KOI8-R'; x=y",
        "text/html;charset = koi8-r ;",
        "charset=koi8-r",
    ],
)
def test_the_header_is_read_as_servers_write_it(header: str) -> None:
    assert detect(b'<meta charset="utf-8">', header) == "koi8-r"


@pytest.mark.parametrize(
    "head",
    [
        b'<meta charset="koi8-r">',
        b"<META CHARSET=KOI8-R>",
        b"<meta/charset='koi8-r'/>",
        b"<meta charset = koi8-r >",
        b'<meta name="x>" charset=koi8-r>',
        b'<meta http-equiv="Content-Type" content="text/html; charset=koi8-r">',
        b"<meta content='text/html; charset=koi8-r' http-equiv=content-type>",
        b"<!-- <meta charset=utf-8> --><meta charset=koi8-r>",
        b"<!--><meta charset=koi8-r>",
        b"<!doctype html><?x y?></p><b a='<meta charset=utf-8>'><meta charset=koi8-r>",
        b"<meta charset=nonsense><meta charset=koi8-r>",
        b'<?xml version="1.0" encoding="utf-8"?><meta charset=koi8-r>',
        b'<?xml version="1.0" encoding="koi8-r"?><html>',
    ],
)
def test_a_document_can_declare_its_encoding(head: bytes) -> None:
    assert detect(head, HTML) == "koi8-r"
    assert detect(head, None) == "koi8-r"
    assert detect(head, "text/html; charset=unheard-of") == "koi8-r"


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"<!-- <meta charset=koi8-r>",
        b"<metax charset=koi8-r>",
        b"<meta content='text/html; charset=koi8-r'>",
        b"<meta name=content-type content='text/html; charset=koi8-r'>",
        b"<meta",
        b"<meta charset",
        b"<meta charset=koi8-r",
        b"<meta charset='koi8-r' ",
        b"<meta charset='koi8-r>",
        b"<b a='><meta charset=koi8-r>",
        b" " * 1000 + b"<meta charset=koi8-r    >",
        b" " * 1024 + b"<meta charset=koi8-r>",
    ],
)
def test_what_looks_like_a_declaration_is_none(head: bytes) -> None:
    assert detect(head, HTML) == "utf-8"


@pytest.mark.parametrize(
    "label",
    [
        *("hex", "rot13", "base64", "zlib", "undefined", "unicode_escape", "raw_unicode_escape"),
        *("utf-7", "utf_8", "idna", "punycode", "charmap", "mbcs", "cp037", "utf-32", "cesu-8"),
        *("", " ", "utf-8\0", "\u212aoi8-r", "x" * 100_000),
    ],
)
def test_what_is_no_encoding_of_the_web_does_not_count(label: str) -> None:
    head = f"<meta charset='{label}'>".encode()
    assert detect(head, f'text/html; charset="{label}"') == "utf-8"
    if len(head) < 1_000:
        assert detect(head + b"<meta charset=koi8-r>", f"text/html; charset={label}") == "koi8-r"


def test_a_declaration_counts_only_where_its_format_has_one() -> None:
    meta = b"<meta charset=koi8-r>"
    xml = b"<?xml version='1.0' encoding='koi8-r'?>"
    assert detect(meta, "application/json") == "utf-8"
    assert detect(meta, "application/rss+xml") == "utf-8"
    assert detect(xml, "application/rss+xml") == "koi8-r"
    assert detect(xml, "text/plain") == "utf-8"


def test_a_readable_declaration_cannot_be_utf_16() -> None:
    assert detect(b"<meta charset=utf-16>", HTML) == "utf-8"
    assert detect(b"<?xml version='1.0' encoding='utf-16be'?>", HTML) == "utf-8"
    assert detect(b"<meta charset=x-user-defined>", HTML) == "windows-1252"


@pytest.mark.parametrize(
    ("mark", "codec", "name"),
    [
        (codecs.BOM_UTF8, "utf-8", "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le", "utf-16le"),
        (codecs.BOM_UTF16_BE, "utf-16-be", "utf-16be"),
    ],
)
def test_a_byte_order_mark_overrules_all_and_is_no_text(mark: bytes, codec: str, name: str) -> None:
    body = mark + "<p>é中".encode(codec)
    assert decode_with_name(body, "text/html; charset=koi8-r") == (name, "<p>é中")


def test_without_a_word_utf_8_is_tried_before_windows_1252() -> None:
    assert decode_with_name("é".encode(), None) == ("utf-8", "é")
    assert decode_with_name(b"caf\xe9 \x80", None) == ("windows-1252", "café €")


def test_a_body_cut_within_a_character_is_still_utf_8() -> None:
    assert decode_with_name("aé中".encode()[:-1], None) == ("utf-8", "aé\ufffd")


def test_windows_1252_has_a_character_for_every_byte() -> None:
    text = decode(bytes(range(256)), "text/html; charset=iso-8859-1")
    assert "\ufffd" not in text
    assert text[0x81] == "\x81"
    assert text[0x80] == "€"
    assert text[0xA0:] == bytes(range(0xA0, 256)).decode("latin-1")


@pytest.mark.parametrize(
    ("label", "body", "text"),
    [
        ("gb2312", b"\xc4\xe3\xba\xc3\x81\x30\x84\x36", "你好¥"),
        ("shift_jis", b"\x87\x40\x83\x5c", "①ソ"),
        ("euc-jp", b"\xad\xa1\xa5\xbd", "①ソ"),
        ("euc-jp", b"\x8f\xb0\xa1", "丂"),
        ("iso-2022-jp", b"\x1b$B%=\x1b(B", "ソ"),
        ("euc-kr", b"\xb0\xa1\x8c\x63", "가똠"),
        ("big5", b"\xa4\xa4\xf9\xd6", "中碁"),
        ("koi8-u", b"\xc1\xae\xbe", "аўЎ"),
        ("windows-1255", b"\xca\x81\xd9", "\u05ba\x81\ufffd"),
        ("windows-874", b"\xa1\x81\xdb", "ก\x81\ufffd"),
        ("x-user-defined", b"a\x80\xff", "a\uf780\uf7ff"),
        ("iso-2022-kr", b"\x1b$)Cab", "\ufffd"),
        ("utf-16", b"a\x00b\x00c", "ab\ufffd"),
        ("utf-8", b"a\xff\xe4\xb8b", "a\ufffd\ufffdb"),
    ],
)
def test_text_is_decoded_by_the_standards_tables(label: str, body: bytes, text: str) -> None:
    assert decode(body, f"text/html; charset={label}") == text


@pytest.mark.parametrize("name", ["utf-16le", "utf-16be"])
def test_a_long_text_of_pairs_is_decoded_whole(name: str) -> None:
    text = "x" + "😀" * 60_000
    body = text.encode(name)
    assert decode(body, f"text/plain; charset={name}") == text
    assert decode(body[:-1], f"text/plain; charset={name}") == text[:-1] + "\ufffd"


@given(
    st.binary(max_size=200),
    st.sampled_from(["", "<meta charset=", "<?xml encoding='", "<meta ", "<!--"]),
    st.none()
    | st.text(max_size=20)
    | st.sampled_from(
        [
            "utf-8",
            "gbk",
            "euc-jp",
            "utf-16",
            "big5",
            "koi8-r",
            "iso-2022-jp",
            "euc-kr",
            "replacement",
            "windows-1258",
        ]
    ).map("a/html;charset={}".format),
)
def test_no_body_and_no_header_is_too_strange(body: bytes, head: str, header: str | None) -> None:
    body = head.encode() + body
    name, text = decode_with_name(body, header)
    assert detect(body, header) == name
    assert decode(body, header) == text
    named, utf8 = utf8_with_name(body, header)
    assert (named, utf8.decode("utf-8", "replace")) == (name, text)


@given(
    st.text(max_size=60),
    st.sampled_from(["utf-8", "utf-16", "cp1252", "cp1251", "gb18030", "cp932", "euc_jp", "cp949"]),
    st.integers(0, 3),
    st.binary(max_size=2),
    st.sampled_from([None, "text/plain", "text/html", "text/xml"]),
)
def test_the_name_alone_is_that_of_the_decoded_text(
    text: str, codec: str, cut: int, noise: bytes, header: str | None
) -> None:
    body = text.encode(codec, "replace")
    body = body[: len(body) - cut] + noise
    name = detect(body, header)
    assert name == decode_with_name(body, header)[0] == utf8_with_name(body, header)[0]
