"""The web's multi-byte encodings, to the byte."""

import random
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.parse import big5
from crawler.parse.encoding import decode
from tests.growth import Measure, assert_costs, cpu_seconds

DOUBLE = ["gbk", "gb18030", "big5", "euc-jp", "shift_jis", "euc-kr"]


def as_(label: str, body: bytes) -> str:
    return decode(body, f"text/html; charset={label}")


@pytest.mark.parametrize(
    ("label", "body", "text"),
    [
        # What Python's codecs have otherwise, or not at all.
        ("gbk", b"\x80", "€"),
        ("gb18030", b"\xa6\xd9\xa6\xda\xfe\x59\xa8\xbc\xa3\xa0", "\ufe10\ufe12\u9fb4\u1e3f\u3000"),
        ("gb18030", b"\x81\x35\xf4\x37", "\ue7c7"),
        (
            "gb18030",
            b"\x84\x31\xa4\x37\x90\x30\x81\x30\xe3\x32\x9a\x35",
            "\ufffd\U00010000\U0010ffff",
        ),
        ("big5", b"\xa1\x45\xa1\xe3\xa2\x44", "‧～￥"),
        ("big5", b"\xa1\xfe\xa2A\xa2@\xa2B", "／∕＼﹨"),
        ("big5", b"\xa4\xa2A\xa2AB", "丐A∕B"),
        ("big5", b"\xa3\xe1\xa3\xc0\x87\x7a\xfa\x5f\x88\x62", "€␀㡵倩Ê̄"),
        ("euc-jp", b"\xad\xa1\xad\xea\xfc\xe3\xf9\xa1", "①㈱髜纊"),
        ("euc-jp", b"\xa1\xc1\xa1\xdd\x8e\xb1\x8f\xa2\xb7", "～－ｱ～"),
        ("euc-jp", b"\xa1\x8f\xa2\xb7~", "\ufffd\ufffd~"),
        ("shift_jis", b"\x80\xa0\xb1\xf0\x40\xfd\xfe\xff", "\x80\ufffdｱ\ue000\ufffd\ufffd\ufffd"),
        ("shift_jis", b"\x81\x60\x87\x40\xfa\x40", "～①ⅰ"),
        ("euc-kr", b"\x81\x41\xc6\xfe\xa2\xe6", "갂퐁€"),
    ],
)
def test_every_character_is_the_standards(label: str, body: bytes, text: str) -> None:
    assert as_(label, body) == text


@pytest.mark.parametrize(
    ("label", "body", "text"),
    [
        *((label, b"\x81<b>", "\ufffd<b>") for label in DOUBLE),
        *((label, b'<a title="\x81">', '<a title="\ufffd">') for label in DOUBLE),
        *((label, b"a\xff\xffb", "a\ufffd\ufffdb") for label in DOUBLE),
        *((label, b"a\xc1", "a\ufffd") for label in DOUBLE if label != "shift_jis"),
        ("shift_jis", b"a\x81", "a\ufffd"),
        ("shift_jis", b"\x81\xff\x85A", "\ufffd\ufffdA"),
        ("gb18030", b"\x81\x30<", "\ufffd0<"),
        ("gb18030", b"\x81\x30\x81<", "\ufffd0\ufffd<"),
        ("gb18030", b"\x81\x30\x81", "\ufffd"),
        ("gb18030", b"\xfe\x39\xfe\x39", "\ufffd"),
        ("euc-jp", b"\x8e<\x8f<\x8f\xa1<", "\ufffd<\ufffd<\ufffd<"),
        ("euc-jp", b"\x8f\xa9\xfe<", "\ufffd<"),
        ("euc-kr", b"\xc9\x41\xc9\xfe", "\ufffdA\ufffd"),
        ("big5", b"\x81\x40\x81\xa1", "\ufffd@\ufffd"),
    ],
)
def test_what_is_malformed_takes_no_ascii_with_it(label: str, body: bytes, text: str) -> None:
    assert as_(label, body) == text


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"\x1b$B%=\x1b(B~\\", "ソ~\\"),
        (b"\x1b$@0!\x1b(J~\\", "亜\u203e¥"),
        (b"\x1b(I1\x60\x1b(B1", "ｱ\ufffd1"),
        (b"\x1b$B-!|q/!", "①ⅰ\ufffd"),
        (b"\x1b$B%\x1b(BA", "\ufffdA"),
        (b"\x1b$B%=%", "ソ\ufffd"),
        (b"\x1b$B%\n%=", "\ufffdソ"),
        (b"\x1b$B\n%=", "\ufffdソ"),
        (b"\x1b(B\x1b(BA", "\ufffdA"),
        (b"\x1b$(DA", "\ufffd$(DA"),
        (b"\x1b", "\ufffd"),
        (b"A\x1b(", "A\ufffd("),
        (b"\x0eA\x0f\x80", "\ufffdA\ufffd\ufffd"),
        (b"\x1b(B\x1b<", "\ufffd<"),
    ],
)
def test_iso_2022_jp_has_the_states_of_the_standard(body: bytes, text: str) -> None:
    assert as_("iso-2022-jp", body) == text


def decoding(label: str, body: bytes) -> Measure:
    return partial(cpu_seconds, partial(as_, label, body))


HOSTILE = st.lists(
    st.sampled_from(
        [b"<", b'"', b">", b"\n", b"A", b"0", b"~", b"\x80", b"\x81", b"\x8e", b"\x8f", b"\xa1"]
        + [b"\xa2", b"\xb7", b"\xfe", b"\xff", b"\x1b", b"\x1b$B", b"\x1b(B", b"\x1b(J", b"\xa2A"]
    )
    | st.binary(max_size=3),
    max_size=30,
).map(b"".join)


@given(st.sampled_from(DOUBLE), HOSTILE)
def test_markup_stays_markup_whatever_stands_before_it(label: str, body: bytes) -> None:
    text = as_(label, b"x" + body)  # no byte order mark
    for sign in '<>"&\n\r\0 ':
        assert text.count(sign) == body.count(sign.encode())


@given(st.sampled_from([*DOUBLE, "iso-2022-jp"]), HOSTILE)
def test_what_stands_behind_a_line_does_not_change_it(label: str, body: bytes) -> None:
    body = b"x" + body  # no byte order mark
    assert as_(label, body + b"\n<p>").startswith(as_(label, body + b"\n"))


def test_pages_in_these_encodings_come_back() -> None:
    for label, codec, text in [
        ("gbk", "gb18030", "「中文」网页：你好，世界。€…—"),
        ("big5", "big5hkscs", "「中文」網頁：你好，世界。啲咗嘅"),
        ("euc-jp", "euc_jp", "日本語のページ。カタカナ、漢字"),
        ("shift_jis", "cp932", "日本語のページ。①㈱～－"),
        ("iso-2022-jp", "iso2022_jp", "日本語と ASCII のページ。"),
        ("euc-kr", "cp949", "한국어 페이지: 똠방각하, 안녕하세요"),
    ]:
        assert as_(label, text.encode(codec)) == text


def test_the_characters_that_big5_lacks_are_one_each() -> None:
    lacking = big5.characters()
    assert len(lacking) == 192
    assert all(len(pair) == 2 and len(character) == 1 for pair, character in lacking.items())
    assert len(set(lacking.values())) == 192


@pytest.mark.parametrize("label", [*DOUBLE, "iso-2022-jp"])
@pytest.mark.parametrize(
    "piece", [b"\xff", b"\x81", b"\x8f\xa2\xb7\x80", b"\xa2A", b"\x1b", b"\x1b$B!", b"\x81\x30"]
)
def test_broken_text_is_decoded_in_linear_time(label: str, piece: bytes) -> None:
    long, short = (decoding(label, piece * (length // len(piece))) for length in (40_000, 10_000))
    assert_costs(long, at_most=12, times=short, slack=0.001)


def sound(label: str) -> bytes:
    """300,000 bytes of markup with nothing wrong."""
    text = "<p>한국</p>\n" if label == "euc-kr" else "<p>日本</p>\n"
    page = text.encode({"big5": "big5hkscs", "iso-2022-jp": "iso2022_jp"}.get(label, label))
    return page * (300_000 // len(page))


@pytest.mark.parametrize("label", [*DOUBLE, "iso-2022-jp"])
def test_a_body_of_one_mistake_costs_little_more_than_a_sound_one(label: str) -> None:
    mistakes = [b"\xff", b"\x80", b"\x81", b"\x8f", b"\xa1", b"\x81<", b"\x81\xff", b"\x80A"]
    for piece in [*mistakes, b"\x81\x30", b"\x87\x40", b"\xa2A", b"\xad\xa1", b"\x1b", b"\x1b$"]:
        # A call for each mistake took 55 to 240 times as long.
        wrong = decoding(label, piece * (300_000 // len(piece)))
        assert_costs(wrong, at_most=30, times=decoding(label, sound(label)), slack=0.001)


@pytest.mark.parametrize("label", DOUBLE)
def test_mistakes_in_no_order_are_not_a_call_each_either(label: str) -> None:
    alone = [b"\xff", b"\xa0"] if label == "shift_jis" else [b"\xff", b"\x80A"]
    mixed = b"".join(random.Random(1).choices([*alone, b"\x81\xff", b"\x81<"], k=170_000))
    wrong, right = decoding(label, mixed), decoding(label, sound(label))
    assert_costs(wrong, at_most=80, times=right, slack=0.001)


@given(st.sampled_from(DOUBLE), HOSTILE, st.integers(0, 3), HOSTILE)
def test_what_stands_before_a_line_does_not_change_what_follows(
    label: str, body: bytes, lines: int, rest: bytes
) -> None:
    # Long enough for the decoder to take it in several stretches.
    before = b"\n" + (body + b"\n") * (100 * lines)
    rest = b"\n" + rest  # no byte order mark
    assert as_(label, before + rest) == as_(label, before) + as_(label, rest)
