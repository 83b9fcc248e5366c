"""What elements refer to: images and their sets, frames, media."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.errors import MissingValue
from crawler.parse.references import candidates
from tests.growth import assert_costs, cpu_seconds
from tests.parse.test_directives import page


@pytest.mark.parametrize(
    ("srcset", "urls"),
    [
        ("", []),
        (" ,, ", []),
        ("a", ["a"]),
        ("a, b", ["a", "b"]),
        ("a,b", ["a,b"]),
        ("a,, b", ["a", "b"]),
        (",a 1x", ["a"]),
        ("a 1x, b 2x", ["a", "b"]),
        ("a 1x,b 2x", ["a", "b"]),
        ("a 100w, b 1e2x , c 0.5x", ["a", "b", "c"]),
        ("a 100w 50h, b 200w", ["a", "b"]),
        ("data:,a ( , data:,b 1x, ), data:,c", ["data:,c"]),
        ("a (x, y) , b", ["b"]),
        ("a (x, b", []),
        ("a 1x 2x, b", ["b"]),
        ("a 100w 1x, b", ["b"]),
        ("a 50h, b", ["b"]),
        ("a 0w, b 1.5w, c -1x, d x, e", ["e"]),
        ("\n a\t1x ,\n\tb\f2x\r", ["a", "b"]),
        ("a )x, b", ["b"]),
    ],
)
def test_a_srcset_is_parsed_as_the_standard_does(srcset: str, urls: list[str]) -> None:
    assert list(candidates(srcset)) == urls


@pytest.mark.parametrize(
    "piece", ["a,", "a 1x,", "(", "a (", ")", " ", ",", "a", "a 1x 1x ", "(,)"]
)
def test_a_srcset_takes_no_time_that_grows_with_its_square(piece: str) -> None:
    def seconds(size: int) -> float:
        text = "a " + piece * (size // len(piece))
        return cpu_seconds(lambda: list(candidates(text)))

    assert_costs(lambda: seconds(800_000), at_most=24, times=lambda: seconds(100_000), slack=0.001)


def test_a_thousand_candidates_in_64_kb_are_looked_at() -> None:
    assert len(list(candidates("a ," * 5_000))) == 1_000
    assert len(list(candidates("a 0w," * 1_000 + "b"))) == 0
    long = "a" * 60_000
    assert list(candidates(f"{long} 1x, {long} 2x, b")) == [long]
    assert list(candidates(f"a, {' ' * 70_000}, b")) == ["a"]


@given(st.text("ab ,()1wxh.\t", max_size=40))
def test_candidates_are_never_empty(srcset: str) -> None:
    assert all(url and not url.endswith(",") for url in candidates(srcset))


BODY = """<img src=1.png srcset="2.png 1x, 3.png 2x">
<picture><source srcset="4.png, 1.png 2x"></picture><iframe src=5></iframe><embed src=6>
<audio src=7></audio><video src=8 poster=9></video>
<object data=10></object><script src=11></script><track src=12><link rel=next href=13>
<a name=x>no</a><p>no</p><input type=image src=14>"""


@pytest.mark.parametrize(
    ("css", "found"),
    [
        ("img, source", ["1.png", "2.png", "3.png", "4.png"]),
        ("iframe, embed, object, script", ["5", "6", "10", "11"]),
        ("audio, video, track", ["7", "8", "9", "12"]),
        ("link, input, p, a", ["13", "14"]),
        ("link", ["13"]),
    ],
)
def test_links_of_elements_without_href_are_what_they_load(css: str, found: list[str]) -> None:
    answer = page(BODY)
    ends = [link.url.removeprefix("http://a.b/c/") for link in answer.links(css)]
    assert ends == found
    assert [link.url for link in answer.links(css)] == [r.url for r in answer.follow_all(css=css)]
    assert {link.tag for link in answer.links(css)} <= {part.strip() for part in css.split(",")}


def test_a_srcset_that_is_off_gives_nothing() -> None:
    answer = page(BODY, srcset=False)
    assert [link.url for link in answer.links("img, source")] == ["http://a.b/c/1.png"]
    assert len(answer.follow_all(answer.css("img"))) == 1


def test_an_image_can_be_followed_by_itself() -> None:
    answer = page(BODY)
    assert answer.follow(answer.css("img")[0]).url == "http://a.b/c/1.png"
    assert answer.follow(answer.css("video")[0]).url == "http://a.b/c/8"
    with pytest.raises(MissingValue, match="no attribute 'href'"):
        answer.follow(answer.css("p")[0])


def test_images_are_links_only_if_they_are_asked_for() -> None:
    assert not page(BODY).links()
    assert not page(BODY).follow_all()


def test_base_and_scope_of_html_hold_for_images_too() -> None:
    answer = page("<base href=//cdn.example/i/>" + BODY)
    assert answer.links("img")[0].url == "http://cdn.example/i/1.png"
