"""What a request sends besides its line."""

import re

from multidict import CIMultiDict

from crawler.errors import SettingError
from crawler.request import Request
from crawler.rules.credentials import HIDDEN, Credentials, secret_part
from crawler.rules.hops import referer_of
from crawler.settings import Settings

_ACCEPT = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
_ACCEPT_ENCODING = "gzip, deflate, br, zstd"
_FIELD_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROL = re.compile(r"[\0\r\n]")


class Outgoing:
    """The headers of each request: everybody's, its origin's, its own.

    Raises `SettingError` for settings that cannot be sent.
    """

    def __init__(self, settings: Settings, credentials: Credentials) -> None:
        self.everybodys = CIMultiDict({"Accept": _ACCEPT, "Accept-Encoding": _ACCEPT_ENCODING})
        """What every request sends that has none of its own by the same name."""
        self._credentials = credentials
        self._referer: tuple[tuple[str, str], ...] = ()
        secret = dict(secret_part(settings.headers, credentials.secret))
        for name, value in {"User-Agent": settings.user_agent, **settings.headers}.items():
            if not _FIELD_NAME.fullmatch(name) or _CONTROL.search(value):
                shown = HIDDEN if name in secret else value
                raise SettingError(f"headers: {name!r}: {shown!r} is not a header that can be sent")
            if name.lower() == "referer":
                self._referer = ((name, value),)
            elif name not in secret:
                self.everybodys[name] = value

    def of(self, request: Request, *, tunnelled: bool) -> CIMultiDict[str] | None:
        """Return what `request` sends in place of everybody's headers of the same names.

        `tunnelled`: the target itself reads it, not a proxy.
        """
        added = (*self._credentials.of(request.url), *self._referer)
        if not request.headers and not added:
            return None
        headers: CIMultiDict[str] = CIMultiDict()
        spelled: dict[str, str] = {}  # one spelling a name: aiohttp keeps only the last of several
        own = {name.lower() for name, _ in request.headers}
        for name, value in (*request.headers, *(p for p in added if p[0].lower() not in own)):
            lower = name.lower()
            told: str | None = value
            if lower == "referer":
                told = referer_of(value, to=request.url)
            elif lower == "proxy-authorization" and tunnelled:
                told = None
            if told is not None:
                headers.add(spelled.setdefault(lower, name), told)
        return headers
