"""What may not change in a run."""

import hashlib
import os
import re
from collections.abc import Iterable, Mapping, Set
from typing import Any

import msgspec

from crawler import urls
from crawler.records.streams import streams_of
from crawler.settings import Settings
from crawler.spider import Spider

_MOST_LISTED = 1_000
_LONGEST = 200
_KEYS = ("max_depth", "ignore_query_order", "ignore_params")
_SCOPE = ("start_urls", "allowed_domains", "allowed_prefixes", "deny", "sitemaps")


def meaning_of(
    spider: Spider[Any], settings: Settings, arguments: Mapping[str, str] | None
) -> dict[str, Any]:
    """Return what may not change in a run, as plain values; arguments only if they are known."""
    meaning: dict[str, Any] = {name: _listed(getattr(spider, name)) for name in _SCOPE}
    meaning |= {name: msgspec.to_builtins(getattr(settings, name)) for name in _KEYS}
    meaning["source"] = [os.path.abspath(path) for path in settings.source]
    meaning["item types"] = list(streams_of(spider.item_types).fields)
    return meaning if arguments is None else {**meaning, "arguments": dict(arguments)}


def _listed(values: Any) -> list[str]:
    """Return a spider's list as texts; of a very long one a digest, so that none is written out."""
    if not isinstance(values, Iterable) or iter(values) is values:
        return []  # an iterator can be read once only, and that is the seeding's
    texts = [v.pattern if isinstance(v, re.Pattern) else _plain(str(v)) for v in values]
    if isinstance(values, Set):
        texts.sort()  # its order is another in each process
    if len(texts) <= _MOST_LISTED:
        return texts
    digest = hashlib.blake2b("\n".join(texts).encode(errors="replace"), digest_size=8)
    return [f"{len(texts):,} entries, digest {digest.hexdigest()}"]


def _plain(text: str) -> str:
    """Return an entry without the password that a URL may have."""
    return urls.without_credentials(text) if text.startswith(urls.SCHEMES) else text


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def differences(was: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Return what changed between two meanings, one of them read from a file."""
    now = msgspec.json.decode(msgspec.json.encode(now))
    return [
        f"{name} was {_shown(was[name])}, is {_shown(now[name])}"
        for name in now
        if name in was and was[name] != now[name]
    ]
