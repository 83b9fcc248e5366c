"""Which proxy does a request take?"""

from urllib.request import getproxies_environment, proxy_bypass

from yarl import URL

from crawler.errors import SettingError
from crawler.rules.credentials import without_password
from crawler.settings import Settings


class Proxies:
    """The `proxy` setting, or with `trust_env` HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY.

    The proxies are read once. Raises `SettingError` for a proxy that is not http(s).
    """

    def __init__(self, settings: Settings) -> None:
        self._one = None if settings.proxy is None else _checked("proxy", settings.proxy)
        trusted = settings.trust_env and self._one is None
        self._by_scheme = {
            scheme: _checked(f"{scheme.upper()}_PROXY", text)
            for scheme, text in (getproxies_environment() if trusted else {}).items()
            if scheme in ("http", "https", "all")
        }

    def proxy_of(self, url: URL) -> URL | None:
        """Return the proxy for `url`, or None to ask its host itself."""
        if self._one is not None or not self._by_scheme:
            return self._one
        if proxy_bypass(url.raw_host or ""):
            return None
        return self._by_scheme.get(url.scheme) or self._by_scheme.get("all")


def _checked(name: str, text: str) -> URL:
    shown = without_password(text)
    refusal = SettingError(f"{name} must be an http:// or https:// URL, got {shown!r}")
    try:
        url = URL(text if "://" in text else f"http://{text}")
    except ValueError:
        raise refusal from None
    if url.scheme not in ("http", "https") or not url.host:
        raise refusal
    return url
