"""Sitemaps, sitemap indexes, URL lists and feeds."""

import gzip
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.parse.sitemap_entries import Entry
from crawler.parse.sitemaps import Listing, Sitemap, parse
from tests.growth import assert_costs, cpu_seconds

NS = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'


def urlset(*locs: str) -> bytes:
    inner = "".join(f"<url><loc>{loc}</loc></url>" for loc in locs)
    return f'<?xml version="1.0" encoding="UTF-8"?><urlset {NS}>{inner}</urlset>'.encode()


def found(body: bytes) -> list[str]:
    return [entry.url for entry in parse(body).entries]


def test_a_urlset_is_read_with_all_it_says() -> None:
    body = f"""<?xml version="1.0"?>
    <urlset {NS} xmlns:xhtml="http://www.w3.org/1999/xhtml">
      <url><loc> http://a.b/1 </loc><lastmod>2024-05-06</lastmod>
        <changefreq>daily</changefreq><priority>0.8</priority>
        <xhtml:link rel="alternate" hreflang="de" href="http://a.b/de/1"/>
        <xhtml:link rel="alternate" hreflang="fr" href="nonsense"/>
        <xhtml:link rel="amphtml" href="http://a.b/amp/1"/></url>
      <url><loc>http://A.b:80/2#x</loc><priority>high</priority></url>
    </urlset>"""
    assert parse(body.encode()) == Sitemap(
        "urlset",
        (
            Entry("http://a.b/1", "2024-05-06", "daily", 0.8, ("http://a.b/de/1",)),
            Entry("http://a.b/2"),
        ),
    )


def test_an_index_lists_sitemaps() -> None:
    body = f"""<sitemapindex {NS}><sitemap><loc>http://a.b/s1.xml.gz</loc>
    <lastmod>2024</lastmod></sitemap></sitemapindex>"""
    assert parse(body.encode()) == Sitemap("index", (Entry("http://a.b/s1.xml.gz", "2024"),))


@pytest.mark.parametrize(
    "body",
    [
        b"<urlset><url><loc>http://a.b/1</loc></url></urlset>",
        b"<s:urlset xmlns:s='x'><s:url><s:loc>http://a.b/1</s:loc></s:url></s:urlset>",
        b"<s:urlset><s:url><s:loc>http://a.b/1</s:loc></s:url></s:urlset>",
        b"<URLSET><URL><LOC>http://a.b/1</LOC></URL></URLSET>",
        b"<urlset><url><loc><![CDATA[ http://a.b/1 ]]></loc></url></urlset>",
        b"\xef\xbb\xbf\n\n<?xml version='1.0'?><urlset><url><loc>http://a.b/1</loc></url></urlset>",
        "\ufeff<urlset><url><loc>http://a.b/1</loc></url></urlset>".encode("utf-16-le"),
        b"<!DOCTYPE urlset SYSTEM 'http://no.example/x.dtd'><urlset><url><loc>http://a.b/1</loc></url></urlset>",
        b"<urlset><url><priority>nan</priority><loc>http://a.b/1</loc></url></urlset>",
        b"<urlset><url><loc>http://a.b/1</loc><x:y><x:url><x:loc>http://no/</x:loc></x:url></x:y>"
        b"<image:image><image:loc>http://a.b/i.png</image:loc></image:image></url></urlset>",
    ],
)
def test_a_urlset_is_read_however_it_is_written(body: bytes) -> None:
    assert parse(body) == Sitemap("urlset", (Entry("http://a.b/1"),))


def test_declared_encodings_are_honoured() -> None:
    xml = "<?xml version='1.0' encoding='windows-1251'?><urlset><url><loc>http://a.b/да</loc></url>"
    assert found((xml + "</urlset>").encode("windows-1251")) == ["http://a.b/%D0%B4%D0%B0"]


def test_plain_text_is_one_url_a_line() -> None:
    body = b"\xef\xbb\xbfhttp://a.b/1\r\n  http://a.b/2 \n\nnot a url\nhttp://a.b/3"
    assert parse(body).kind == "text"
    assert found(body) == ["http://a.b/1", "http://a.b/2", "http://a.b/3"]


def test_feeds_are_read() -> None:
    rss = b"""<rss version="2.0"><channel><link>http://a.b/</link><item><title>x</title>
    <link>http://a.b/1</link><pubDate>Mon, 06 May 2024 00:00:00 GMT</pubDate></item></channel>
    </rss>"""
    atom = b"""<feed xmlns="http://www.w3.org/2005/Atom"><link href="http://a.b/"/><entry>
    <link rel="self" href="http://a.b/no"/><link href="http://a.b/1"/><updated>2024</updated>
    </entry></feed>"""
    dated = "Mon, 06 May 2024 00:00:00 GMT"
    assert parse(rss) == Sitemap("feed", (Entry("http://a.b/1", dated),))
    assert parse(atom) == Sitemap("feed", (Entry("http://a.b/1", "2024"),))


def test_older_feeds_are_read_too() -> None:
    netscape = b"""<?xml version="1.0"?><!DOCTYPE rss PUBLIC
    "-//Netscape Communications//DTD RSS 0.91//EN"
    "http://my.netscape.com/publish/formats/rss-0.91.dtd"><rss version="0.91"><channel>
    <item><title>caf&eacute;</title><link>http://a.b/1</link></item></channel></rss>"""
    rdf = b"""<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
    xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/">
    <channel rdf:about="http://a.b/"><link>http://a.b/</link></channel>
    <item rdf:about="http://a.b/1"><link>http://a.b/1</link><dc:date>2024-05-06</dc:date></item>
    </rdf:RDF>"""
    assert parse(netscape) == Sitemap("feed", (Entry("http://a.b/1"),))
    assert parse(rdf) == Sitemap("feed", (Entry("http://a.b/1", "2024-05-06"),))


def test_a_permalink_stands_for_a_link() -> None:
    items = (
        "<item><guid>http://a.b/1</guid></item>"
        "<item><guid isPermaLink='false'>http://a.b/no</guid></item>"
        "<item><guid isPermaLink='true'>http://a.b/no</guid><link>http://a.b/2</link></item>"
        "<item><link/><atom:link rel='self' href='http://a.b/no'/><guid>http://a.b/3</guid></item>"
    )
    body = f"<rss><channel>{items}</channel></rss>".encode()
    assert found(body) == ["http://a.b/1", "http://a.b/2", "http://a.b/3"]


def test_relative_links_of_feeds_are_resolved() -> None:
    entries = (
        "<entry><link href='1'/></entry>"
        "<entry xml:base='deep/'><link rel='alternate' href='2'/><link href='no'/></entry>"
        "<entry><link rel='edit' href='no'/><link href='../3'/></entry>"
        "<entry xml:base='http://['><link href='4'/></entry>"
    )
    atom = f"<feed xmlns='http://www.w3.org/2005/Atom' xml:base='/blog/'>{entries}</feed>".encode()
    assert [entry.url for entry in parse(atom, "http://a.b/feed.xml").entries] == [
        "http://a.b/blog/1",
        "http://a.b/blog/deep/2",
        "http://a.b/3",
        "http://a.b/blog/4",
    ]
    assert found(atom) == []
    rss = b"<rss><item><link>/1</link></item><item><link> </link></item></rss>"
    assert [entry.url for entry in parse(rss, "http://a.b/f").entries] == ["http://a.b/1"]


def test_relative_locations_of_sitemaps_are_resolved_where_the_sitemap_is_known() -> None:
    # By the protocol they are absolute.
    sitemap = parse(urlset("/1", "2", "//c.d/3", "HTTP://A.b/4"), "http://a.b/x/s.xml")
    urls = ["http://a.b/1", "http://a.b/x/2", "http://c.d/3", "http://a.b/4"]
    assert [entry.url for entry in sitemap.entries] == urls
    assert found(urlset("/1")) == []


def test_invalid_urls_are_skipped() -> None:
    assert found(urlset("/1", "", "ftp://a/", "http://[", "http://a.b/ok")) == ["http://a.b/ok"]


@pytest.mark.parametrize(
    "rest", ["<url><loc>http://a.b/3</lo", "<url></urlset>", "\x00", "<url><loc>&nope;</loc>", ""]
)
def test_what_stands_before_a_fault_is_kept(rest: str) -> None:
    sitemap = parse(
        urlset("http://a.b/1", "http://a.b/2").removesuffix(b"</urlset>") + rest.encode()
    )
    assert [entry.url for entry in sitemap.entries] == ["http://a.b/1", "http://a.b/2"]
    assert sitemap.truncated


def test_a_bare_ampersand_does_not_end_a_sitemap() -> None:
    body = urlset("http://a.b/?x=1&amp;y=2", "http://a.b/?x=1&y=2&z", "http://a.b/3")
    assert parse(body) == Sitemap(
        "urlset",
        (Entry("http://a.b/?x=1&y=2"), Entry("http://a.b/?x=1&y=2&z"), Entry("http://a.b/3")),
    )


def test_entities_of_html_are_the_characters_that_they_are_in_html() -> None:
    locs = [
        "http://a.b/caf&eacute;?x=1&nbsp;2",
        "http://a.b/?x&AMP;y&lt;&LT;",
        "http://a.b/?&nope;",
    ]
    urls = ["http://a.b/caf%C3%A9?x=1%C2%A02", "http://a.b/?x&y%3C%3C", "http://a.b/?&nope;"]
    assert found(urlset(*locs)) == urls
    dtd = b'<!DOCTYPE urlset SYSTEM "http://no.example/x.dtd">'
    assert found(dtd + urlset("http://a.b/caf&eacute;?x&nope;")[38:]) == [
        "http://a.b/caf%C3%A9?x&nope;"
    ]


def numbered(pattern: bytes, number: int) -> bytes:
    return b"".join(pattern % n for n in range(number))


FAULTS = {
    urlset("http://a.b/1", "//", "http://[")[:-5]: "it is cut off",
    gzip.compress(urlset("http://a.b/1"))[:-8]: "it is cut off, or larger than 50 MB",
    urlset("http://a.b/1", "</x>"): "mismatched tag: line 1, column ",
    urlset("http://a.b/1", "<![CDATA[x]]>&y"): "not well-formed: a bare &",
    b"<!DOCTYPE x [<!ENTITY a 'b'>]><urlset/>": "a DOCTYPE with declarations of its own",
    b"<urlset>" + numbered(b"<n%d/>", 2_000): "it has too many kinds of elements",
    b"<urlset><url " + numbered(b"a%d='>' ", 200_000): "a tag or text without end",
    b"<urlset><url>" + b"x" * 2_000_000: "a tag or text without end",
    b"<a>" * 200: "its root element is <a>",
    b"<!doctype html><html><br></html>": "it is an HTML page",
    b"<HTML lang=en><urlset/></HTML>": "it is an HTML page",
    b"<!-- x --><html/>": "its root element is <html>",
    b"<" + b"x" * 90 + b"/>": f"its root element is <{'x' * 40}>",
    urlset(): "it lists nothing",
    urlset("http://["): "it lists nothing",
    b"": "it lists nothing",
    b"Not found": "it lists nothing",
}


@pytest.mark.parametrize("body", FAULTS, ids=FAULTS.values())
def test_a_listing_says_what_is_wrong_with_it(body: bytes) -> None:
    listing = Listing(body)
    assert len(list(listing)) <= 1
    assert listing.fault is not None
    assert listing.fault.startswith(FAULTS[body])


@pytest.mark.parametrize(
    ("body", "invalid"),
    [
        (urlset("http://a.b/1"), 0),
        (urlset("http://a.b/?x&y", "http://["), 1),
        (urlset("http://[", "", "ftp://a/", "http://a.b/1", "y"), 3),
        (b"http://a.b/1\n\n# x\nhttp://[\n" + b"x" * 20_000, 3),
        (b"<rss><item><title>x</title></item><item><link>http://a.b/</link></item></rss>", 0),
    ],
)
def test_a_listing_without_a_fault_may_have_what_is_no_url(body: bytes, invalid: int) -> None:
    listing = Listing(body)
    assert len(list(listing)) == 1
    assert (listing.fault, listing.invalid) == (None, invalid)


def test_entities_are_not_expanded() -> None:
    bomb = b'<!DOCTYPE u [<!ENTITY a "http://a.b/"><!ENTITY b "&a;&a;">]>' + urlset("&b;")[38:]
    assert parse(bomb) == Sitemap("urlset", (), truncated=True)
    file = b'<!DOCTYPE u [<!ENTITY a SYSTEM "file:///etc/hostname">]>' + urlset("&a;")[38:]
    assert parse(file) == Sitemap("urlset", (), truncated=True)


def test_a_doctype_with_declarations_of_its_own_ends_a_sitemap() -> None:
    for subset in ("", "<!ELEMENT urlset ANY>", "<!ATTLIST url x CDATA 'y'>", "%x;"):
        body = f"<!DOCTYPE urlset [{subset}]>".encode() + urlset("http://a.b/1")[38:]
        assert parse(body) == Sitemap("urlset", (), truncated=True)


def test_elements_may_not_nest_without_end() -> None:
    body = urlset("http://a.b/1").removesuffix(b"</urlset>") + b"<a>" * 5_000_000
    assert parse(body) == Sitemap("urlset", (Entry("http://a.b/1"),), truncated=True)


def test_a_field_of_a_megabyte_is_none() -> None:
    assert found(urlset("http://a.b/" + "x" * 1_000_000, "http://a.b/2")) == ["http://a.b/2"]
    lines = b"http://a.b/1\n" + b"x" * 3_000_000 + b"\nhttp://a.b/2"
    assert found(lines) == ["http://a.b/1", "http://a.b/2"]


def test_gzip_is_unpacked() -> None:
    assert parse(gzip.compress(urlset("http://a.b/1"))) == parse(urlset("http://a.b/1"))


def test_a_gzip_may_have_members() -> None:
    whole = urlset("http://a.b/1", "http://a.b/2")
    body = gzip.compress(whole[:90]) + gzip.compress(b"") + gzip.compress(whole[90:])
    assert parse(body) == parse(whole)
    assert parse(body + b"junk") == parse(whole)


def test_what_is_cut_into_pieces_comes_out_whole() -> None:
    urls = [f"http://a.b/{number}?a=1&b={'é' * 20}" for number in range(30_000)]
    escaped = [url.replace("&", "&amp;") for url in urls]
    expected = found(urlset(*escaped))
    assert (len(expected), len(set(expected))) == (30_000, 30_000)
    assert len(urlset(*escaped)) > 2_000_000
    assert found(urlset(*urls)) == expected  # bare ampersands, mended from the first on
    assert found("\n".join(urls).encode()) == expected
    assert found("\ufeff".encode("utf-16-le") + urlset(*escaped).decode().encode("utf-16-le")) == (
        expected
    )
    latin = urlset(*escaped).decode().replace("UTF-8", "windows-1252").encode("windows-1252")
    assert found(latin) == expected
    mixed = urlset(*escaped[:20_000], *urls[20_000:])
    assert found(mixed) == expected


def test_memory_is_that_of_a_piece_not_of_the_sitemap() -> None:
    body = gzip.compress(urlset(*(f"http://a.b/{n}" for n in range(100_000))), 1)
    entries = iter(Listing(body))
    tracemalloc.start()
    try:
        assert sum(1 for _ in entries) == 100_000
        assert tracemalloc.get_traced_memory()[1] < 12_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "piece",
    ["<url>", "<url><loc>", "&", "&amp;", "<!--", "<![CDATA[", "]]>", "<a b='", "x", "<a x='1'/>"],
)
def test_no_sitemap_takes_time_that_grows_with_its_square(piece: str) -> None:
    def seconds(size: int) -> float:
        body = b"<urlset><url><loc>" + piece.encode() * (size // len(piece))
        return cpu_seconds(lambda: parse(body))

    assert_costs(
        lambda: seconds(3_200_000), at_most=24, times=lambda: seconds(400_000), slack=0.005
    )


def test_half_a_gzip_is_read_as_far_as_it_goes() -> None:
    whole = gzip.compress(urlset(*(f"http://a.b/{n * n}" for n in range(50_000))))
    sitemap = parse(whole[: len(whole) // 2])
    assert sitemap.truncated
    assert 10_000 < len(sitemap.entries) < 40_000


def test_a_gzip_bomb_is_cut() -> None:
    body = urlset("http://a.b/1").removesuffix(b"</urlset>") + b" " * 60_000_000 + b"</urlset>"
    assert parse(gzip.compress(body, 1)) == Sitemap(
        "urlset", (Entry("http://a.b/1"),), truncated=True
    )


def test_an_html_page_is_an_empty_sitemap() -> None:
    assert parse(b"<!doctype html><html><body><a href=x>y<br>z</a>&nbsp;</html>").entries == ()
    assert parse(b"") == Sitemap("text")


def test_every_entry_is_kept() -> None:
    assert len(found(urlset(*(f"http://a.b/{n}" for n in range(50_001))))) == 50_001


PIECES = (
    *("<url>", "</url>", "<loc>", "</loc>", "http://a.b/", "&", "<![CDATA[", "]]>", "<urlset>"),
    *("</urlset>", "<entry>", "<link href='http://x/'/>", "<!--", "-->", "<?xml ", "\x1f\x8b"),
)


@given(
    st.binary(max_size=200)
    | st.lists(st.sampled_from(PIECES)).map(lambda parts: "".join(parts).encode("latin-1"))
)
def test_nothing_is_too_strange_for_a_sitemap(body: bytes) -> None:
    sitemap = parse(body)
    assert all(entry.url.startswith("http") for entry in sitemap.entries)
    assert parse(gzip.compress(body)).entries == sitemap.entries or body.startswith(b"\x1f\x8b")
