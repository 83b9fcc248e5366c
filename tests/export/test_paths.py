import re
from functools import partial
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from crawler.errors import InvalidUrl
from crawler.export.paths import path_for
from crawler.urls import canonicalize
from tests.growth import assert_costs, cpu_seconds

DEVICES = {"con", "prn", "aux", "nul", "conin$", "conout$", "clock$"}
DEVICES |= {name + digit for name in ("com", "lpt") for digit in "0123456789"}


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("https://example.com/", "example.com/+index.html"),
        ("http://example.com", "example.com+http/+index.html"),
        ("https://example.com:8443/a", "example.com+https+8443/a+.html"),
        ("http://127.0.0.1:8080/a", "127.0.0.1+http+8080/a+.html"),
        ("https://[::1]/a", "+5b+3a+3a1+5d/a+.html"),
        ("https://example.com/docs/intro.html", "example.com/docs/intro.html"),
        ("https://example.com/docs/Intro.html", "example.com/docs/Intro+u1.html"),
        ("https://example.com/README", "example.com/README+u3f+.html"),
        ("https://example.com/%E3%81%82", "example.com/%E3%81%82+.html"),
        ("https://example.com/%e3%81%82", "example.com/%e3%81%82+u1+.html"),
        ("https://example.com/a", "example.com/a+.html"),
        ("https://example.com/a/", "example.com/a/+index.html"),
        ("https://example.com/a//b.txt", "example.com/a/+/b.txt"),
        ("https://example.com/v1.2/x", "example.com/v1.2+/x+.html"),
        ("https://example.com/p.php?id=3", "example.com/p+qid=3.php"),
        ("https://example.com/p.php?", "example.com/p+q.php"),
        ("https://example.com/?q=a/b", "example.com/+index+qq=a+2fb.html"),
        ("https://example.com/a+b", "example.com/a+2bb+.html"),
        ("https://example.com/aux/con.txt", "example.com/+61ux/+63on.txt"),
        ("https://example.com/CON", "example.com/CON+u7+.html"),
        ("https://example.com/~joe/page~1.htm", "example.com/~joe/page+7e1.htm"),
        ("https://example.com/a.", "example.com/a.+.html"),
        ("https://example.com/a#top", "example.com/a+.html"),
        ("https://example.com./", "example.com+2e/+index.html"),
        ("https://.part-0/", "+2epart-0/+index.html"),
        ("https://./", "+2e/+index.html"),
    ],
)
def test_names_are_readable(url: str, path: str) -> None:
    assert path_for(url) == PurePosixPath(path)


def test_a_password_shows_in_no_name() -> None:
    path = path_for("https://joe:secret@example.com/")
    assert "secret" not in str(path)
    assert path != path_for("https://joe:other@example.com/")


def test_a_long_name_keeps_its_head_and_its_extension() -> None:
    name = path_for("https://example.com/" + "a" * 300 + ".html").name
    assert re.fullmatch(r"a{100,}\+x[0-9a-f]{32}\.html", name)
    assert len(name) <= 200


def test_a_name_of_many_capitals_takes_linear_time() -> None:
    few, many = (
        partial(cpu_seconds, partial(path_for, f"https://example.com/{'A' * size}/{'A' * size}"))
        for size in (50_000, 400_000)
    )
    assert_costs(many, at_most=24, times=few, slack=2e-4)


def test_a_long_path_keeps_its_host_and_its_extension() -> None:
    path = path_for("https://example.com/" + "abcdefg/" * 200 + "x.pdf")
    assert re.fullmatch(r"example\.com/\+x[0-9a-f]{32}\.pdf", str(path))


def test_text_that_is_no_url_is_refused() -> None:
    with pytest.raises(InvalidUrl):
        path_for("../etc/passwd")


WORDS = st.sampled_from([
    "index.html", "+index.html", "a.b", "con", "AUX.txt", "nul.", "Com1", "%2F", "%2f", "%E3%81%82",
    "+", "+x", "+q", "+u1", "+2b", "..", "%2e", ".", "~1", "a.html", ".htaccess", "lpt9.x.y",
])  # fmt: skip
ODD = st.text("abA.B+%2~ ?&='\"<>|*:;\\^$é", max_size=8)
LONG = st.builds(
    lambda text, times: text * times,
    st.sampled_from(["aB.", "%2f", "+", "x"]),
    st.integers(60, 110),
)
SEGMENTS = st.lists(WORDS | ODD | st.just("") | LONG, max_size=6)
ORIGINS = st.sampled_from([
    "https://example.com", "http://example.com", "http://example.com:8080", "https://example.com:80",
    "http://example.com:443", "https://a:b@example.com", "https://A:b@example.com", "https://con",
    "https://aux.example.", "https://[::1]", "http://[::1]:81", "http://127.0.0.1", "https://a+b",
    "https://a!43", "https://a:43", "https://..", "https://com1~1",
    "https://.part-0", "https://.", "http://" + "a." * 120 + "b",
])  # fmt: skip


@st.composite
def urls(draw: st.DrawFn) -> str:
    text = draw(ORIGINS) + "/" + "/".join(draw(SEGMENTS))
    if draw(st.booleans()):
        text += "?" + draw(ODD | WORDS | LONG)
    try:
        return canonicalize(text)
    except InvalidUrl:
        assume(False)
        raise


@st.composite
def neighbours(draw: st.DrawFn) -> tuple[str, str]:
    """Return two URLs that differ little: a letter's case, a slash, an escape, a mark."""
    url = draw(urls())
    at = draw(st.integers(url.index("//") + 2, len(url)))
    middle = draw(st.sampled_from(["", "/", "?", "+", ".", "%", "%2B", "+.html", "+u1", "A", "a"]))
    rest = url[at:]
    other = draw(st.sampled_from([url[:at] + rest.swapcase(), url[:at] + middle + rest, url[:at]]))
    try:
        return url, canonicalize(other)
    except InvalidUrl:
        assume(False)
        raise


def is_legal(name: str) -> bool:
    return (
        re.fullmatch(r"[A-Za-z0-9_.=&,;@()!'$%~+-]{1,200}", name) is not None
        and name[-1] not in ". "
        and name.partition(".")[0].lower() not in DEVICES
        and re.search(r"~[0-9]", name) is None
    )


@given(urls())
@settings(max_examples=400)
def test_names_are_legal_on_every_file_system(url: str) -> None:
    path = path_for(url)
    assert all(is_legal(part) for part in path.parts)
    assert len(path.parts) >= 2
    assert len(str(path)) <= 900
    assert not path.is_absolute()


@given(urls())
@settings(max_examples=400)
def test_a_file_is_never_a_directory(url: str) -> None:
    _, *directories, leaf = path_for(url).parts
    assert "." in leaf
    assert not leaf.endswith("+")
    assert all(name.endswith("+") or "." not in name for name in directories)


@given(neighbours())
@settings(max_examples=600)
def test_two_urls_share_no_path_even_without_letter_case(pair: tuple[str, str]) -> None:
    a, b = pair
    assert (str(path_for(a)).casefold() == str(path_for(b)).casefold()) is (a == b)


def unescaped_match(found: re.Match[str]) -> str:
    return chr(int(found[1], 16))


def unescaped(text: str) -> str:
    return re.sub(r"\+([0-9a-f]{2})", unescaped_match, text)


def unmarked(name: str) -> tuple[str, int]:
    """Return a name without its case mark, and the mark's mask."""
    found = re.search(r"\+u([0-9a-f]+)(?=\+?(?:\.[a-z0-9]{1,8})?\Z)", name)
    return (name[: found.start()] + name[found.end() :], int(found[1], 16)) if found else (name, 0)


def recased(text: str, mask: int) -> str:
    """Give each letter its case back: lower, upper in percent-escapes, the other where marked."""
    # The escaped first letter of a device's name is a letter like the others.
    text = re.sub(r"\A\+(4[1-9a-f]|5[0-9a]|6[1-9a-f]|7[0-9a])", unescaped_match, text).lower()
    text = re.sub("%[0-9a-f]{2}", lambda found: found[0].upper(), text)
    letters = iter(range(len(text)))
    return "".join(
        char.swapcase() if char.isalpha() and mask >> next(letters) & 1 else char for char in text
    )


def url_of(path: str) -> str:
    """Read the URL back from a path whose letter case is lost; hashed ones cannot be read."""
    top, *directories, leaf = path.split("/")
    host, _, port = top.partition("+http")
    scheme = "http" if _ and not port.startswith("s") else "https"
    port = port.removeprefix("s").replace("+", ":")
    parts = []
    for directory in directories:
        name, mask = unmarked(directory.removesuffix("+"))
        parts.append(unescaped(recased(name, mask)))
    name, mask = unmarked(leaf)
    name = recased(name, mask)
    stem, dot, extension = name.rpartition(".")
    ending = "" if stem.endswith("+") else dot + extension
    stem, query, text = stem.removesuffix("+").partition("+q")
    if stem == "+index":
        stem = ending = ""
    tail = "?" + unescaped(text) if query else ""
    return (
        f"{scheme}://{unescaped(host)}{port}/{'/'.join([*parts, unescaped(stem) + ending])}{tail}"
    )


@given(urls())
@settings(max_examples=600)
def test_a_path_without_letter_case_still_tells_its_url(url: str) -> None:
    path = str(path_for(url)).lower()
    assume("+x" not in path and "+z" not in path)
    assert url_of(path) == url


NASTY = [
    "https://example.com/a", "https://example.com/a/", "https://example.com/a/b",
    "https://example.com/A", "https://example.com/a.b", "https://example.com/a.b/c",
    "https://example.com/a.b/", "https://example.com//", "https://example.com///",
    "https://example.com/index.html", "https://example.com/+index.html", "https://example.com/",
    "https://example.com/?", "https://example.com/?/../..", "https://example.com/con/aux/nul.txt",
    "https://example.com/...", "https://example.com/.../x", "https://example.com/%00",
    "https://example.com/" + "x" * 5000, "https://example.com/" + "x" * 5001,
    "https://example.com/" + "x/" * 2500, "https://example.com/?" + "%E3" * 1500,
    "https://../x", "http://example.com/a", "https://joe@example.com/a",
]  # fmt: skip


def test_the_files_can_be_made(tmp_path: Path) -> None:
    for url in NASTY:
        file = tmp_path / path_for(url)
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("x") as out:
            out.write(url)
    found = {file.read_text() for file in tmp_path.rglob("*") if file.is_file()}
    assert found == set(NASTY)
