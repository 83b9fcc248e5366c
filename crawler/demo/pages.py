"""The pages of the demo shop."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from html import escape
from urllib.parse import quote

from msgspec import Struct

from crawler.demo.goods import CATEGORIES, LISTED, OFFERED, WARES, Category, Ware

FORBIDDEN = ("/cart", "/account")
"""What robots.txt disallows, and many pages link to."""

WITHDRAWN = tuple(f"/p/withdrawn-{number}.html" for number in range(8))
"""Pages that are gone, and still linked to."""

_RENAMED = LISTED[::34]
_ON_A_PAGE = 12
_STYLE = """
body { font: 16px/1.5 sans-serif; max-width: 48em; margin: 2em auto; padding: 0 1em; color: #222 }
header, footer { color: #666 } li { margin: .3em 0 } a { color: #06c } .price { font-weight: bold }
"""
_LOGO = bytes.fromhex(  # a disc, 16 by 16
    "89504e470d0a1a0a0000000d49484452000000100000001001000000003788c2cc000000214944415478da63"
    "f8ff9fe1033fc303768603cc0c0d8cd811500aa800a8ecff7f0044c20d57a17d6ffa0000000049454e44ae42"
    "6082"
)


class Answer(Struct, frozen=True):
    """What one URL of the shop answers.

    `rest` is how many seconds it takes; a `busy` one is 503 the first time.
    """

    body: bytes = b""
    status: int = 200
    content_type: str = "text/html; charset=utf-8"
    location: str = ""
    rest: float = 0.0
    busy: bool = False

    @property
    def is_page(self) -> bool:
        """True for HTML that is delivered."""
        return self.status == 200 and self.content_type.startswith("text/html")


@cache
def answers() -> Mapping[str, Answer]:
    """Return what each path (percent-encoded, with its query) answers; robots.txt is the shop's."""
    return {quote(path, safe="/?=&"): answer for path, answer in _everything()}


def missing(path: str) -> Answer:
    """Return the answer for a path the shop does not have."""
    return Answer(_html("Not found", f"<p>There is no {escape(path)} here.</p>"), status=404)


def _everything() -> Iterator[tuple[str, Answer]]:
    yield "/", Answer(_front())
    for category in CATEGORIES:
        yield from _category(category)
    for ware in WARES:
        yield ware.path, Answer(_ware(ware))
    yield from _information()
    yield from _search()
    yield from _moved()
    for path in FORBIDDEN:
        yield path, Answer(_html("Yours alone", "<p>Robots are asked to stay out.</p>"))
    yield "/logo.png", Answer(_LOGO, content_type="image/png")
    yield "/style.css", Answer(_STYLE.encode(), content_type="text/css")


def _front() -> bytes:
    shelves = _list(_link(category.path, category.name) for category in CATEGORIES)
    more = _list(
        [
            _link("/offers.html", "Offers"),
            _link("/about.html#people", "About us"),
            _link("/about.html#mail", "Write to us"),
            _link("delivery.html", "Delivery"),
            _link("./stock-take.html", "Stock-take"),
            _link("news.html", "News"),
            _link("/search?q=lamp", "Popular: lamps"),
            _link("logo.png", "Our logo"),
            _link("style.css", "Our style sheet"),
        ]
    )
    form = '<form action="/search"><input name="q"><button>Search</button></form>'
    return _html("The demo shop", f"{form}<h2>Shelves</h2>{shelves}<h2>More</h2>{more}")


def _category(category: Category) -> Iterator[tuple[str, Answer]]:
    wares = [ware for ware in LISTED if ware.category == category]
    last = -(-len(wares) // _ON_A_PAGE)
    for page in range(1, last + 1):
        shown = wares[(page - 1) * _ON_A_PAGE : page * _ON_A_PAGE]
        # Relative on purpose, as many shops write them.
        body = _shelf(shown, folder="../../p/")
        if page < last:
            body += f'<p class="next">{_link(f"?page={page + 1}", "Next page")}</p>'
        if page == 1 and (number := CATEGORIES.index(category)) < len(WITHDRAWN):
            body += f"<p>{_link(WITHDRAWN[number], 'An old favourite')} is back soon.</p>"
        path = category.path if page == 1 else f"{category.path}?page={page}"
        yield path, Answer(_html(f"{category.name}, page {page} of {last}", body))


def _ware(ware: Ware) -> bytes:
    stars = f"{ware.rating} of 5 stars" if ware.rating else "Not rated yet"
    stock = f"{ware.stock} in stock" if ware.stock else "Sold out"
    shelf = _link(f"..{ware.category.path}", ware.category.name)
    cart = f'<a href="/cart?add={ware.number}">Add to cart</a>'
    others = "".join(_teaser(other, folder="") for other in ware.related)
    return _html(
        ware.name,
        f'<p class="shelf">{shelf}</p><p class="price">€ {ware.price:.2f}</p>'
        f'<p class="stock" data-pieces="{ware.stock}">{stock}</p><p class="rating">{stars}</p>'
        f'<p>{cart}</p><h2>Goes well with</h2><ul class="related">{others}</ul>',
    )


def _information() -> Iterator[tuple[str, Answer]]:
    """Give the few pages of text, each of them odd in one way."""
    offers = _shelf(OFFERED, folder="")  # below <base>, so these are /p/…
    yield "/offers.html", Answer(_html("Offers", offers, head='<base href="/p/">'))
    about = (
        '<h2 id="people">Über uns</h2><p>Zoë Müller, señor García: schön, daß Sie da sind.</p>'
        f'<p id="mail">{_link("mailto:hello@shop.example", "Mail")}, '
        f"{_link('javascript:void(0)', 'chat')}, {_link('https://maker.example/', 'partner')}</p>"
    )
    yield (
        "/about.html",
        Answer(_html("About us", about, charset="latin-1"), content_type="text/html"),
    )
    yield "/delivery.html", Answer(_html("Delivery", "<p>Slow, but it comes.</p>"), rest=1.0)
    yield "/stock-take.html", Answer(_html("Stock-take", "<p>All counted.</p>"), busy=True)
    old = [_link(f"/product.php?id={ware.number}", ware.name) for ware in _RENAMED]
    old += [_link("/old/stools", "Stools"), _link("/shop", "The old front page")]
    yield "/news.html", Answer(_html("News", f"<p>Pages have moved:</p>{_list(old)}"))


def _search() -> Iterator[tuple[str, Answer]]:
    found = [ware for ware in LISTED if ware.category.name == "Lamp"][:_ON_A_PAGE]
    by_price = _link("?q=lamp&sort=price", "By price")
    yield "/search?q=lamp", Answer(_html("Lamps", by_price + _shelf(found, folder="/p/")))
    found.sort(key=lambda ware: ware.price)
    yield "/search?q=lamp&sort=price", Answer(_html("Lamps", _shelf(found, folder="/p/")))


def _moved() -> Iterator[tuple[str, Answer]]:
    for ware in _RENAMED:
        yield f"/product.php?id={ware.number}", Answer(status=301, location=ware.path)
    yield "/old/stools", Answer(status=302, location="/older/stools")
    yield "/older/stools", Answer(status=307, location="/c/stool/")
    yield "/shop", Answer(status=308, location="/")


def _shelf(wares: Iterable[Ware], *, folder: str) -> str:
    teasers = "".join(_teaser(ware, folder=folder) for ware in wares)
    return f'<ul class="wares">{teasers}</ul>'


def _teaser(ware: Ware, *, folder: str) -> str:
    name = ware.path.rpartition("/")[2]
    return f"<li>{_link(folder + name, ware.name)} € {ware.price:.2f}</li>"


def _list(entries: Iterable[str]) -> str:
    return "<ul>" + "".join(f"<li>{entry}</li>" for entry in entries) + "</ul>"


def _link(href: str, text: str) -> str:
    return f'<a href="{escape(href)}">{escape(text)}</a>'


def _html(title: str, body: str, *, head: str = "", charset: str = "utf-8") -> bytes:
    links = [_link("/", "The demo shop")]
    links += [_link(path, path[1:].capitalize()) for path in FORBIDDEN]
    text = (
        f'<!doctype html>\n<html lang="en"><head><meta charset="{charset}">{head}'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>\n"
        f"<body><header>{' · '.join(links)}</header>\n<h1>{escape(title)}</h1>\n{body}\n"
        "<footer>Nothing here can be bought.</footer></body></html>\n"
    )
    return text.encode(charset)
