import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.words import clean_lines, harmless, one_line

CODES = (
    "0 7 8 A B C D 1B 7F 85 90 9B 9D 61C 200B 200E 2028 2029 202E 2066 FEFF FFFE D800 E0041 10FFFF"
)
HARMFUL = [chr(int(code, 16)) for code in CODES.split()]


@pytest.mark.parametrize("char", HARMFUL, ids=[f"U+{ord(char):04X}" for char in HARMFUL])
def test_what_harms_is_replaced(char: str) -> None:
    assert harmless(f"a{char}b") == "a\ufffdb"
    assert len(one_line(f"a{char}b").splitlines()) == 1
    assert one_line(f"a{char}b").isprintable()


@pytest.mark.parametrize("text", ["", "plain", "日本語 émoji 😀", "שלום", "a\tb"])
def test_what_people_write_stays(text: str) -> None:
    assert harmless(text) == text


@given(st.text())
def test_only_the_first_line_is_not_indented(text: str) -> None:
    first, *rest = clean_lines(text).split("\n")
    assert all(line.startswith("    ") for line in rest)
    assert all(harmless(line) == line for line in (first, *rest))


def test_long_text_is_cut() -> None:
    assert one_line("a " * 5_000) == ("a " * 5_000).strip()
    assert one_line("\u202e" * 2_000_000) == "\ufffd" * 10_000 + "…"
    assert clean_lines("a" * 100_000) == "a" * 100_000
    assert clean_lines("\n" * 50_000 + "\u202e" * 2_000_000).endswith("\ufffd" * 50_000 + "…")
