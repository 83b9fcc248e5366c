"""What only its own origin may see."""

from base64 import b64encode
from collections.abc import Container, Mapping
from typing import Final

from msgspec import structs

from crawler import urls
from crawler.errors import InvalidUrl, SettingError
from crawler.request import Headers
from crawler.rules.hops import FOR_ORIGIN
from crawler.setting_values import LOGIN, TOKEN, is_login
from crawler.settings import Settings

HIDDEN: Final = "***"
_KEPT: Final = "origin "
_IS_SEED: Final = b"1"
_MOST_SEEDS: Final = 100_000


class Credentials:
    """The `auth` setting, and what of `headers` is secret: both for their own origins alone.

    `auth` says whose it is. Secret `headers` are for the origins of seeds: a `Memory`, so the whole
    run knows these. Raises `SettingError`.
    """

    def __init__(self, settings: Settings) -> None:
        self.secret = secret_names(settings)
        """Names of headers, lower case, that no redirect takes to another origin."""
        self._auth = {
            _origin(key): ("Authorization", _authorization(key, value))
            for key, value in settings.auth.items()
        }
        self._headers = secret_part(settings.headers, self.secret)
        self._seeds: set[str] = set()
        self._new: dict[str, bytes] = {}

    def add_seed(self, url: str) -> None:
        """Hear of a seed; its origin may see the secret headers of the settings."""
        if not self._headers or len(self._seeds) >= _MOST_SEEDS:
            return
        if (origin := urls.origin_of(url)) not in self._seeds:
            self._seeds.add(origin)
            self._new[_KEPT + origin] = _IS_SEED

    def changes(self) -> Mapping[str, bytes]:
        """Return the seeds' origins that are new."""
        new, self._new = self._new, {}
        return new

    def learn(self, name: str, value: bytes) -> None:  # noqa: ARG002  # the name says it all
        """Hear of a seed's origin."""
        if name.startswith(_KEPT):
            self._seeds.add(name.removeprefix(_KEPT))

    def of(self, url: str) -> Headers:
        """Return the headers that a request to `url` has besides its own and everybody's."""
        if not self._auth and not self._headers:
            return ()
        origin = urls.origin_of(url)
        own = self._auth.get(origin)
        more = self._headers if origin in self._seeds else ()
        if own is None:
            return more
        return (own, *(pair for pair in more if pair[0].lower() != "authorization"))


def secret_names(settings: Settings) -> frozenset[str]:
    """Return the names of headers, in lower case, that stay with their origin."""
    return FOR_ORIGIN | {name.lower() for name in settings.secret_headers}


def secret_part(headers: Mapping[str, str], secret: Container[str]) -> Headers:
    """Return those of `headers` whose names are secret."""
    return tuple(pair for pair in headers.items() if pair[0].lower() in secret)


def masked(settings: Settings) -> Settings:
    """Return settings that may be shown: passwords, tokens and secret headers are `***`."""
    secret = secret_part(settings.headers, secret_names(settings))
    hidden = dict.fromkeys((name for name, _ in secret), HIDDEN)
    return structs.replace(
        settings,
        auth=dict.fromkeys(settings.auth, HIDDEN),
        headers={**settings.headers, **hidden},
        proxy=None if settings.proxy is None else without_password(settings.proxy),
    )


def without_password(proxy: str) -> str:
    """Return a proxy's URL, which may be none, with `***` for user and password."""
    head, at, place = proxy.rpartition("@")
    if not at:
        return proxy
    scheme, slashes, _ = head.partition("://")
    return f"{scheme}://{HIDDEN}@{place}" if slashes else f"{HIDDEN}@{place}"


def _origin(key: str) -> str:
    """Return the origin that a key of `auth` names."""
    shown = key
    try:
        url = urls.canonicalize(key)
        origin = urls.origin_of(url)
        shown = urls.without_credentials(url)
    except InvalidUrl as error:
        origin, url, shown = "", key, error.url
    if url != f"{origin}/" or "#" in key:
        raise SettingError(f"auth must be for origins, as https://example.com, got {shown!r}")
    return origin


def _authorization(key: str, value: str) -> str:
    """Return an Authorization header for the credentials given; never shows them."""
    if not is_login(value):
        raise SettingError(f"auth for {_origin(key)} must be {LOGIN}")
    if token := TOKEN.fullmatch(value.strip()):
        return f"{token[1].capitalize()} {token[2]}"
    return f"Basic {b64encode(value.encode()).decode()}"
