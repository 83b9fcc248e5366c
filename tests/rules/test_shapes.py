"""Shapes: what the URLs of one template have in common."""

import pytest

from crawler.rules.shapes import shape_of


@pytest.mark.parametrize(
    ("url", "shape"),
    [
        ("http://h/", "http://h/"),
        ("http://h/?b=1&a=2", "http://h/?a&b"),
        ("http://h/about", "http://h/about"),
        ("http://h/about/", "http://h/about/"),
        ("http://h/page12.html", "http://h/page0.html"),
        ("http://h/8f3a5e0f93", "http://h/*"),
        ("http://h/2019/05/03/a-slug-of-words/", "http://h/0+/*/"),
        ("http://h/blog/2019/05/a.html?page=2&utm=x", "http://h/blog/0+/*.html?page&utm"),
        ("http://h/r/x1/x2/x3/name", "http://h/r/x0+/*"),
        ("http://h/wiki/Foo", "http://h/wiki/*"),
        ("http://h/docs/python3/os.html", "http://h/docs/python0/*.html"),
        ("http://h/docs/3.11/os.html", "http://h/docs/0/*.html"),
        ("http://h/a/6ba7b810-9dad-11d1-80b4-00c04fd430c8/x", "http://h/a/*/*"),
        ("http://h/list?p1=a&p2=b&p2=c", "http://h/list?p0"),
        ("http://[::1]:8080/a/b", "http://[::1]:8080/a/*"),
        ("http://h/a/b?f[x][1]=1&f[y][2]=2&g%5Bz%5D=3", "http://h/a/*?f[][]&g[]"),
        ("http://h//a//b", "http://h//a//*"),
    ],
)
def test_a_shape_keeps_words_and_takes_out_what_counts(url: str, shape: str) -> None:
    assert shape_of(url) == shape


def test_a_path_of_any_depth_has_one_shape_if_its_folders_are_alike() -> None:
    paths = ["/".join(f"n{n}" for n in range(depth)) for depth in range(2, 30)]
    assert {shape_of(f"http://h/tree/{path}/page") for path in paths} == {"http://h/tree/n0+/*"}


def test_hosts_and_schemes_have_shapes_of_their_own() -> None:
    several = ["http://h/a", "https://h/a", "http://h:81/a", "http://i/a"]
    assert len(set(map(shape_of, several))) == 4
