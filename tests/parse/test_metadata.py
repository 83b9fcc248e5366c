import json
import time
from typing import Any

import msgspec
import pytest
from extruct.jsonld import JsonLdExtractor
from extruct.w3cmicrodata import MicrodataExtractor
from multidict import CIMultiDict, CIMultiDictProxy

from crawler import Item, Metadata
from crawler.parse.json_ld import things_in
from crawler.request import Request
from crawler.response import Response

URL = "https://a.example/shop/page.html"


def page(body: bytes | str, mime: str = "text/html; charset=utf-8") -> Response:
    headers = CIMultiDictProxy(CIMultiDict({"Content-Type": mime}))
    content = body.encode() if isinstance(body, str) else body
    return Response(URL, request=Request(URL), body=content, headers=headers)


def script(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return f'<script type="application/ld+json">{text}</script>'


def test_names_of_meta_and_open_graph_are_found_and_urls_are_whole() -> None:
    found = page(
        """<html lang="de"><head><title> A &amp;
        B </title><meta name="Description" content=" d "><meta name=description content=e>
        <meta property="og:title" content="T"><meta property="og:image" content="/a.png">
        <meta property="og:image" content="/b.png"><meta name="og:type" content="product">
        <meta name="twitter:image" content="c.png">
        <meta property="product:price:amount" content="1">
        <meta charset=utf-8><meta name=empty><body>"""
    ).metadata()
    assert (found.title, found.language) == ("A & B", "de")
    assert found.meta == {"description": "d", "twitter:image": "https://a.example/shop/c.png"}
    assert found.opengraph == {
        "og:title": "T",
        "og:image": "https://a.example/a.png",
        "og:type": "product",
        "product:price:amount": "1",
    }


def test_a_broken_script_does_not_lose_the_others(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    body = script({"@type": "A"}) + script('{"@type": "B"') + script([{"@type": "C"}, 1, {}])
    found = page(body + script("") + script("[" * 100_000)).metadata()
    assert found.json_ld == [{"@type": "A"}, {"@type": "C"}, {}]
    assert f"3 scripts of JSON-LD cannot be read: {URL}" in caplog.text


@pytest.mark.parametrize(
    ("text", "things"),
    [
        ('{"a": "line\nbreak\ttab"}', [{"a": "line\nbreak\ttab"}]),
        ('<!-- {"a": 1} -->', [{"a": 1}]),
        ('//<![CDATA[\n{"a": 1}\n//]]>', [{"a": 1}]),
        ('/*<![CDATA[*/{"a": 1}/*]]>*/', [{"a": 1}]),
        ('{"a": [1, 2,], }', [{"a": [1, 2]}]),
        ('{"a": 1, // one\n "b": 2 /* two */}', [{"a": 1, "b": 2}]),
        ('{"a": "http://x/ /* y */ ,}"\n, }', [{"a": "http://x/ /* y */ ,}"}]),
        ('{"a": 1}{"b": 2};', [{"a": 1}, {"b": 2}]),
        ('{"a": NaN, "b": 1e999, "c": -Infinity}', [{"a": None, "b": None, "c": None}]),
        ('{"a": "\\ud800x"}', [{"a": "?x"}]),
        ('{"a": "\\ud83d\\ude00"}', [{"a": "😀"}]),
        ('[{"a": 1}, [{"b": 2}, ["text", {"c": 3}]], 4]', [{"a": 1}, {"b": 2}, {"c": 3}]),
        (r'{"a": "it\'s \\ \" \/ \n"}', [{"a": "it's \\ \" / \n"}]),
        ("{&quot;a&quot;: &quot;b &amp;amp; c&quot;}", [{"a": "b &amp; c"}]),
        ("var x = 1", None),
        ('"text"', None),
        ('{"a":' * 200 + "1" + "}" * 200, None),
    ],
)
def test_what_is_nearly_json_is_read(text: str, things: list[dict[str, Any]] | None) -> None:
    assert things_in(text) == things


@pytest.mark.parametrize(
    "text",
    ["/*" * 500_000, '{"a":' + '"\\"' * 300_000, "//" * 500_000, "," * 900_000, '{"' * 400_000]
    + ["{" * 900_000, '{"a":1}' * 100_000, "[1," * 300_000, '{"a":' + "9" * 900_000 + "}"],
    ids=["comment", "quote", "line", "commas", "keys", "braces", "row", "deep", "digits"],
)
def test_a_script_of_a_megabyte_takes_no_time(text: str) -> None:
    began = time.process_time()
    things_in(text)
    assert time.process_time() - began < 2


SHOP = script(
    {
        "@context": "https://schema.org",
        "@graph": [
            {"@type": "WebSite", "url": "/", "@id": "#site"},
            {
                "@type": ["schema:Product", "Thing"],
                "name": "Lamp",
                "image": ["a.png", {"@type": "ImageObject", "url": "b.png"}],
                "offers": {"@type": "http://schema.org/Offer", "price": 3.5},
                "isRelatedTo": {"@type": "Product", "name": "Bulb"},
            },
        ],
    }
)


def test_objects_are_found_by_type_wherever_they_are() -> None:
    found = page(SHOP).metadata()
    assert [thing["name"] for thing in found.of_type("Product")] == ["Lamp", "Bulb"]
    assert found.of_type("https://schema.org/Offer")[0]["price"] == 3.5
    assert len(found.of_type("WebSite", "ImageObject")) == 2
    assert found.of_type("product", "graph") == []


def test_urls_of_json_ld_are_whole_but_names_are_left() -> None:
    (shop,) = page(f"<base href=/deep/>{SHOP}").metadata().json_ld
    site, lamp = shop["@graph"]
    assert site == {"@type": "WebSite", "url": "https://a.example/", "@id": "#site"}
    assert lamp["image"][0] == "https://a.example/deep/a.png"
    assert lamp["image"][1]["url"] == "https://a.example/deep/b.png"
    assert lamp["name"] == "Lamp"


PRODUCT = """<div itemscope itemtype="https://schema.org/Product" itemid="#7">
 <h1 itemprop="name">A <b>lamp</b><script>no()</script></h1>
 <img itemprop="image" src="a.png"><img itemprop="image" src="b.png">
 <a itemprop="url" href="../x"><span itemprop="brand"
 itemscope><meta itemprop="name" content="Acme"></span></a>
 <div itemprop="offers" itemscope itemtype="http://schema.org/Offer">
  <span itemprop="price" content="1.2">1,2</span>
  <time itemprop="from" datetime="2026-01-31">x</time>
  <data itemprop="sku" value="s">S</data> <time itemprop="to">2027</time></div></div>"""


def test_microdata_has_the_shape_of_json_ld() -> None:
    found = page(PRODUCT).metadata()
    assert found.microdata == [
        {
            "@context": "https://schema.org",
            "@type": "Product",
            "@id": "https://a.example/shop/page.html",
            "name": "A lamp",
            "image": ["https://a.example/shop/a.png", "https://a.example/shop/b.png"],
            "url": "https://a.example/x",
            "brand": {"name": "Acme"},
            "offers": {
                "@context": "https://schema.org",
                "@type": "Offer",
                "price": "1.2",
                "from": "2026-01-31",
                "sku": "s",
                "to": "2027",
            },
        }
    ]
    assert found.of_type("Offer") == [found.microdata[0]["offers"]]


def test_itemref_brings_properties_from_elsewhere() -> None:
    # The HTML standard's own example (5.2.2).
    found = page(
        """<div itemscope id="amanda" itemref="a b"></div><p id="a">Name: <span itemprop="name">
        Amanda</span></p><div id="b" itemprop="band" itemscope itemref="c"></div><div id="c">
        <p>Band: <span itemprop="name">Jazz Band</span></p><p>Size: <span itemprop="size">12</span>
        players</p></div>"""
    ).metadata()
    assert found.microdata == [{"name": "Amanda", "band": {"name": "Jazz Band", "size": "12"}}]


def plain(value: Any) -> Any:
    """What extruct found, in our shape."""
    if not isinstance(value, dict):
        return [plain(one) for one in value] if isinstance(value, list) else value
    kind = {"@type": value["type"].rpartition("/")[2]} if "type" in value else {}
    return kind | {name: plain(one) for name, one in value.get("properties", {}).items()}


def test_extruct_finds_the_same() -> None:
    product = PRODUCT.replace(' itemid="#7"', "").replace(">2027", " datetime=2027>x")
    body = f"<html><body>{product}"
    found = page(body + SHOP).metadata()
    theirs = plain(MicrodataExtractor().extract(body, base_url=URL))
    ours = json.loads(json.dumps(found.microdata).replace('"@context": "https://schema.org", ', ""))
    assert ours == theirs
    (shop,) = JsonLdExtractor().extract(body + SHOP)
    assert found.json_ld[0]["@graph"][1]["offers"] == shop["@graph"][1]["offers"]
    assert found.of_type("Product")[0] == found.json_ld[0]["@graph"][1]


@pytest.mark.parametrize(
    "body",
    [
        '<div itemscope itemprop="a">' * 20_000,
        '<div itemscope itemprop="a b">' * 300,
        '<p itemprop="a">' * 400 + "<i></i>" * 20_000,
        '<div itemscope><div itemprop="a">' + '<div itemprop="b">x' * 900 + "y" * 500_000,
        '<b id="x" itemprop="a">' + "y" * 9_000 + "</b>" + '<b itemscope itemref="x"></b>' * 20_000,
        '<b id="x">' + '<i itemprop="a">y</i>' * 9_000 + "</b>" + "<b itemscope itemref=x>" * 999,
        '<b itemscope><b itemprop="' + "a " * 90_000 + '">' + "y" * 90_000,
        "<b id=x itemscope itemprop=a itemref=y></b><b id=y itemscope itemprop=a itemref=x></b>",
        "<b id=x itemscope itemprop=a itemref=x></b>",
        "".join(
            f'<b id=i{n} itemscope itemprop=a itemref="i{n + 1} i{n + 2}"></b>' for n in range(999)
        ),
    ],
    ids=["deep", "doubled", "text", "long", "shared", "shares", "names", "circle", "self", "web"],
)
def test_hostile_microdata_stays_small(body: str) -> None:
    began = time.process_time()
    found = page(body).metadata()
    size = len(msgspec.json.encode(found))
    assert time.process_time() - began < 3
    assert size < 10_000_000


def test_items_of_a_circle_and_very_deep_ones_are_not_lost() -> None:
    circle = "<b id=x itemscope itemprop=a itemref=y><i itemprop=n>1</i></b><b id=y itemscope "
    found = page(circle + "itemprop=a itemref=x><i itemprop=n>2</i></b>").metadata()
    assert found.microdata == [{"n": "1", "a": {"n": "2"}}]
    deep = page('<div itemscope itemprop="a"><i itemprop=n>1</i>' * 120).metadata()
    assert json.dumps(deep.microdata).count('"n": "1"') == 120


def test_what_is_not_html_has_no_metadata() -> None:
    for one in (page('{"title": "<title>x</title>"}', "application/json"), page("<b>" * 200_000)):
        assert one.metadata() == Metadata(None, None, {}, {}, [], [])


def test_pages_of_other_encodings_are_read() -> None:
    body = "<title>Привет</title><script type=application/ld+json>{'name': 'мир'}</script>".replace(
        "'", '"'
    )
    for mime, encoding in (("text/html; charset=windows-1251", "cp1251"), ("text/html", "utf-16")):
        found = page(body.encode(encoding), mime).metadata()
        assert (found.title, found.json_ld) == ("Привет", [{"name": "мир"}])


def test_metadata_may_be_a_field_of_an_item() -> None:
    class Page(Item):
        metadata: Metadata

    found = page(PRODUCT + SHOP).metadata()
    line = msgspec.json.encode(Page(metadata=found))
    assert msgspec.json.decode(line, type=Page).metadata == found
