"""What Google publishes that its own parser does: 145 expectations, retold.

In the order of google/robotstxt `robots_test.cc`, one path here for one expectation there.
"""

import pytest

from crawler.rules.robots import Robots

LONG = "/x/".ljust(8 * 2083 - len("disallow: ") - 2, "a")
"""As much of a path as Google reads of its line."""

GROUPS = """\
allow: /of/nobody/

user-agent: Ant
disallow: /
allow: /red/
user-agent: Bee
disallow: /
allow: /blue/


allow: /green/
user-agent: Cat

user-agent: Ant
allow: /gold/
disallow: /
"""
FISH = {
    "/tank": False,
    "/carp": True,
    "/carp.html": True,
    "/carp/koi.html": True,
    "/carpets": True,
    "/carpets/red.html": True,
    "/carp.html?id=1": True,
    "/Carp.asp": False,
    "/bigcarp": False,
    "/?id=carp": False,
}
"""A prefix, and whether it allows."""


def ant(*lines: str) -> str:
    return "\n".join(["user-agent: Ant", *lines])


def only(allowed: str) -> str:
    return ant("disallow: /", f"allow: {allowed}")


FIELDS = "User-Agent: Ant\nAllow: /in/\nDisallow: /"
JUDGED = {"/in/a": True, "/out/b": False}
SEVERAL = ant("allow: /", "user-agent: Bee", "disallow: /", "user-agent: Cat", "disallow: /")

CASES: list[tuple[str, str, dict[str, bool]]] = [
    # Nothing said, nobody asks, nothing asked for.
    ("", "Ant", {"": True}),
    (ant("disallow: /"), "", {"": True}),
    (ant("disallow: /"), "Ant", {"": False}),
    ("", "", {"": True}),
    # Lines: with a colon, unknown, without one.
    (ant("disallow: /"), "Ant", {"/a/b": False}),
    ("foo: Ant\nbar: /", "Ant", {"/a/b": True}),
    ("user-agent Ant\ndisallow /", "Ant", {"/a/b": False}),
    # Groups, merged; rules before the first are nobody's.
    (GROUPS, "Ant", {"/red/1": True, "/gold/1": True, "/blue/1": False, "/of/nobody/": False}),
    (GROUPS, "Bee", {"/blue/1": True, "/green/1": True, "/gold/1": False, "/of/nobody/": False}),
    (GROUPS, "Cat", {"/gold/1": True, "/of/nobody/": False}),
    # Sitemaps and unknown lines do not end a run of agents.
    *[
        (f"User-agent: Bee\n{line}\nUser-agent: *\nDisallow: /", agent, {"/": False})
        for line in ("Sitemap: https://a.example/s.xml", "What-Ever: unknown")
        for agent in ("Ant", "Bee")
    ],
    *[(text, "Ant", JUDGED) for text in (FIELDS.upper().replace("/IN/", "/in/"), FIELDS.lower())],
    ("uSeR-aGeNt: Ant\nAlLoW: /in/\ndIsAlLoW: /", "Ant", JUDGED),
    *[
        (FIELDS.replace("Ant", hill), agent, JUDGED)
        for hill in ("ANT HILL", "ant hill", "AnT hIlL")
        for agent in ("Ant", "ant")
    ],
    # An agent's line counts up to a blank; one that is called by two words is not meant.
    *[
        (f"User-Agent: *\nDisallow: /\n{FIELDS}".replace(": Ant", ": Ant Hill"), agent, {"/in/": w})
        for agent, w in (("Ant", True), ("Ant Hill", False))
    ],
    # The star is for whom no group names.
    ("", "Ant", {"/a": True}),
    (f"user-agent: *\nallow: /\n{ant('disallow: /')}", "Ant", {"/a": False}),
    (f"user-agent: *\nallow: /\n{ant('disallow: /')}", "Bee", {"/a": True}),
    (SEVERAL, "Dog", {"/a": True}),
    (ant("disallow: /den/"), "Ant", {"/den/a": False}),
    (ant("disallow: /DEN/"), "Ant", {"/den/a": True}),
    # The longest match.
    (ant("disallow: /d/page.html", "allow: /d/"), "Ant", {"/d/page.html": False}),
    (ant("allow: /d/page.html", "disallow: /d/"), "Ant", {"/d/page.html": True, "/d/": False}),
    (ant("disallow: ", "allow: "), "Ant", {"/d/page.html": True}),
    (ant("disallow: /", "allow: /"), "Ant", {"/d/page.html": True}),
    (ant("disallow: /d", "allow: /d/"), "Ant", {"/d": False, "/d/": True}),
    (ant("disallow: /d/page.html", "allow: /d/page.html"), "Ant", {"/d/page.html": True}),
    (ant("allow: /leaf", "disallow: /*.html"), "Ant", {"/leaf.html": False, "/leaf": True}),
    (
        ant("allow: /d/leaf.", "disallow: /*.html"),
        "Ant",
        {"/d/leaf.html": True, "/d/y.html": False},
    ),
    (
        f"User-agent: *\nDisallow: /all/\n{ant('disallow: /ant/')}",
        "Ant",
        {"/all/a": True, "/ant/a": False},
    ),
    # Escapes.
    (only("/a/b?q=c&to=http://d.e?f&g"), "Ant", {"/a/b?q=c&to=http://d.e?f&g": True}),
    (only("/a/猫"), "Ant", {"/a/%E7%8C%AB": True, "/a/猫": False}),
    (only("/a/%E7%8C%AB"), "Ant", {"/a/%E7%8C%AB": True, "/a/猫": False}),
    (only("/a/%63%61%74"), "Ant", {"/a/cat": False, "/a/%63%61%74": True}),
    # Special characters.
    (
        ant("disallow: /a/b/end", "allow: /a/*/other"),
        "Ant",
        {"/a/b/end": False, "/a/end": True, "/a//end": True, "/a/c/end": True},
    ),
    (
        ant("disallow: /a/b$", "allow: /a/b/c"),
        "Ant",
        {"/a/b": False, "/a/b/c": True, "/a/b/": True, "/a/b/d": True},
    ),
    (
        ant("# disallow: /", "disallow: /a/b#c", "allow: /"),
        "Ant",
        {"/a/c": True, "/a/b": False},
    ),
    # A folder's index page is the folder.
    (
        "User-Agent: *\nAllow: /open/index.html\nDisallow: /",
        "ant",
        {"/open/": True, "/open/index.htm": False, "/open/index.html": True, "/other": False},
    ),
    # Long lines.
    (ant(f"disallow: {LONG}a/more"), "Ant", {"/other": True, f"{LONG}a/less": False}),
    (
        ant("disallow: /", f"allow: {LONG}a/more", f"allow: {LONG}b/more"),
        "Ant",
        {"/": False, f"{LONG}a/more": True, f"{LONG}b/less": True},
    ),
    # What Google's documentation shows.
    (only("/carp"), "Ant", FISH),
    (only("/carp*"), "Ant", FISH),
    (
        only("/carp/"),
        "Ant",
        {
            "/tank": False,
            "/carp/": True,
            "/carp/koi": True,
            "/carp/?koi": True,
            "/carp/koi.html": True,
            "/carp/?id=1": True,
            "/carp": False,
            "/carp.html": False,
            "/Carp/Koi.html": False,
        },
    ),
    (
        only("/*.php"),
        "Ant",
        {
            "/tank": False,
            "/file.php": True,
            "/folder/file.php": True,
            "/folder/file.php?q": True,
            "//folder/any.php.file.html": True,
            "/file.php/": True,
            "/index?f=file.php/": True,
            "/php/": False,
            "/index?php": False,
            "/windows.PHP": False,
        },
    ),
    (
        only("/*.php$"),
        "Ant",
        {
            "/tank": False,
            "/file.php": True,
            "/folder/file.php": True,
            "/file.php?q": False,
            "/file.php/": False,
            "/file.php5": False,
            "/php/": False,
            "/file?php": False,
            "/aaaphpaaa": False,
            "//windows.PHP": False,
        },
    ),
    (
        only("/carp*.php"),
        "Ant",
        {"/tank": False, "/carp.php": True, "/carpets/koi.php?q": True, "/Carp.PHP": False},
    ),
    (ant("allow: /p", "disallow: /"), "Ant", {"/page": True}),
    (ant("allow: /folder", "disallow: /folder"), "Ant", {"/folder/page": True}),
    (ant("allow: /page", "disallow: /*.htm"), "Ant", {"/page.htm": False}),
    (ant("allow: /$", "disallow: /"), "Ant", {"/": True, "/page.html": False}),
]


@pytest.mark.parametrize(("body", "agent", "judged"), CASES)
def test_files_are_judged_as_google_does(body: str, agent: str, judged: dict[str, bool]) -> None:
    robots = Robots.parse(body.encode())
    site = "http://a.example" if any(judged) else ""
    assert {path: robots.allows(agent, site + path) for path in judged} == judged


def test_all_that_google_publishes_is_retold() -> None:
    assert sum(len(judged) for *_, judged in CASES) == 145


@pytest.mark.parametrize("mark", [b"\xef\xbb\xbf", b"\xef\xbb", b"\xef"])
def test_what_is_there_of_a_byte_order_mark_is_skipped(mark: bytes) -> None:
    assert not Robots.parse(mark + b"User-Agent: ant\nDisallow: /").allows("ant", "/a")


@pytest.mark.parametrize(
    "body",
    [
        b"\xef\x11\xbfUser-Agent: ant\nDisallow: /",
        b"User-Agent: ant\n\xef\xbb\xbfDisallow: /",
    ],
)
def test_another_mark_or_one_elsewhere_spoils_its_line(body: bytes) -> None:
    assert Robots.parse(body).allows("ant", "/a")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_no_line_is_lost_by_its_end(end: str) -> None:
    lines = ["User-Agent: ant", "Allow: /some/path", "User-Agent: bee", "", "", "Disallow: /"]
    for body in (end.join(lines), end.join(lines) + end):
        robots = Robots.parse(body.encode())
        assert robots.allows("ant", "/a")
        assert not robots.allows("bee", "/a")
