"""An async web crawler and scraper framework: `from crawler import Item, Out, Response, Spider`.

Names are resolved when they are first used (PEP 562), so that `crawl --help` does not pay for
aiohttp. Type checkers read `__init__.pyi`.
"""

from importlib import import_module

_HOMES = {
    "Article": "parse.article",
    "ContentError": "errors",
    "CrawlerError": "errors",
    "Download": "downloads",
    "Drop": "errors",
    "Failure": "outcome",
    "FetchError": "errors",
    "Form": "parse.forms",
    "InvalidUrl": "errors",
    "Item": "items",
    "Link": "parse.links",
    "Media": "media",
    "Metadata": "parse.metadata",
    "MissingValue": "errors",
    "Node": "parse.nodes",
    "Out": "spider",
    "Report": "outcome",
    "Request": "request",
    "Response": "response",
    "Retry": "errors",
    "Settings": "settings",
    "Spider": "spider",
    "Stop": "errors",
    "TargetError": "errors",
    "UsageError": "errors",
    "WrongValue": "errors",
    "crawl": "app",
    "css": "parse.markers",
    "extract": "parse.extraction",
    "fetch_all": "library",
    "stream": "library",
    "xpath": "parse.markers",
}

__all__ = list(_HOMES)  # strings they are


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'crawler' has no attribute {name!r}")
    value = getattr(import_module(f"crawler.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
