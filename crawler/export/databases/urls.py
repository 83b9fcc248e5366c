"""URLs of databases: `postgresql://user:password@host/name#table`."""

import logging
from collections.abc import Mapping
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit, urlunsplit

from crawler.errors import OutputError
from crawler.export.naming import check_gaps, filled, has_gap

log = logging.getLogger(__name__)

_EACH = "{item}"
_OF_LIBPQ = frozenset({
    "channel_binding", "connect_timeout", "fallback_application_name", "gssdelegation",
    "gssencmode", "keepalives", "keepalives_count", "keepalives_idle", "keepalives_interval",
    "load_balance_hosts", "require_auth", "requirepeer", "sslcertmode", "sslcompression", "sslsni",
    "tcp_user_timeout",
})  # fmt: skip
_REQUIRING = frozenset({"channel_binding", "gssencmode", "require_auth", "requirepeer"})
_SHOWN = ("host", "port", "dbname", "database", "user")


def check_url(text: str) -> None:
    """Raise `OutputError` for what is no URL at all; a password that may be in it is not shown."""
    try:
        urlsplit(text)
    except ValueError as error:
        raise OutputError(f"{text.partition('://')[0]}://…: {error}") from None


def planned(text: str, *, names: Mapping[str, str], several: bool) -> str:
    """Return a URL of which the table's name has gaps for `run` and `item` at most.

    Where there are several types of items it has one for them. Raises `OutputError`, which never
    has a password in it.
    """
    parts = urlsplit(text)
    if "@" in parts.path + parts.query + parts.fragment or parts.netloc.count("@") > 1:
        raise OutputError(
            f"{parts.scheme}://…: an @ that is not before the host; in a URL a password has "
            "%40 for @, %2F for /, %3F for ?, %23 for #"
        )
    try:
        _ = parts.port if "," not in parts.netloc else None
    except ValueError:
        raise OutputError(f"{without_password(text)}: its port is no number") from None
    table = parts.fragment or _EACH
    check_gaps(table)
    if has_gap(table, "part"):
        raise OutputError(f"{without_password(text)}: {{part}} is for files; a table has all items")
    table = filled(table, **names)
    if several and not has_gap(table, "item"):
        table += "_{item}"
    return _joined(parts._replace(fragment=table))


def without_password(url: str) -> str:
    """Return a URL for people: without a password."""
    parts = urlsplit(url)
    login, at, host = parts.netloc.rpartition("@")
    asked = {name: value for name, value in parse_qsl(parts.query) if name in _SHOWN}
    table = "" if parts.fragment == _EACH else parts.fragment
    return _joined(
        parts._replace(
            netloc=login.partition(":")[0] + at + host,
            query=urlencode(asked, safe="/"),
            fragment=table,
        )
    )


def _joined(parts: SplitResult) -> str:
    """Return a URL that has its `//` also where it names no host, as those of sockets do."""
    scheme, _, rest = urlunsplit(parts).partition(":")
    return f"{scheme}:{rest if rest.startswith('//') else f'//{rest}'}"


def for_server(url: str) -> str:
    """Return a URL without what only libpq has a meaning for: servers refuse what they do not know.

    Providers put such options into the URLs that they show. Of what would have made the connection
    safer the log says that it is not heeded.
    """
    parts = urlsplit(url)
    asked = parse_qsl(parts.query, keep_blank_values=True)
    for name, value in asked:
        if name in _REQUIRING and value not in ("", "disable", "prefer"):
            log.warning("%s=%s is not heeded, as asyncpg has no such option", name, value)
    kept = [(name, value) for name, value in asked if name not in _OF_LIBPQ]
    return url if kept == asked else _joined(parts._replace(query=urlencode(kept)))


def split(url: str) -> tuple[str, str]:
    """Return a URL without its table, and the table."""
    url, _, table = url.partition("#")
    return url, table
