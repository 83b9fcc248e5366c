"""What is asked for."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlencode

import msgspec
from msgspec import Struct, StructMeta
from yarl import URL

from crawler import urls
from crawler.errors import SpiderError

Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
Callback = str | Callable[..., Any]
Headers = tuple[tuple[str, str], ...]
Kind = Literal["page", "seed", "robots", "sitemap"]
"""What a request is for: only a `page` is counted, limited and exported as one."""

_NO_RULES = urls.KeyRules()
_JSON = ("Content-Type", "application/json")
_FORM = ("Content-Type", "application/x-www-form-urlencoded")


class _RequestMeta(StructMeta):
    """Gives `Request(...)` its friendly arguments; copies and decoded requests skip it."""

    def __call__(
        cls,  # noqa: N805  # a metaclass's self is a class
        url: str | URL,
        *,
        callback: Callback = "parse",
        data: object = None,
        headers: Mapping[str, str] | Headers = (),
        params: Mapping[str, object] | None = None,
        body: bytes | str | None = None,
        json: object = None,
        form: Mapping[str, str] | Sequence[tuple[str, str]] | None = None,
        **rest: Any,
    ) -> Any:
        payload, content_type = _payload(body=body, json=json, form=form)
        if payload is not None:
            rest.setdefault("method", "POST")
        given = tuple(headers.items()) if isinstance(headers, Mapping) else tuple(headers)
        if content_type and not any(name.lower() == "content-type" for name, _ in given):
            given = (*given, content_type)
        return super().__call__(
            url=_address(url, params),
            callback=name_of(callback),
            data=_plain(data),
            headers=given,
            body=payload,
            **rest,
        )


class Request(Struct, frozen=True, kw_only=True, gc=False, metaclass=_RequestMeta):
    """One thing to ask for: frozen, and made of plain values, so it survives restarts and travels.

    `callback` is kept by name and `data` as plain values; `params` are added to the URL; `json` and
    `form` become the body (and the method POST). `priority`: higher goes first. `depth` 0 means one
    more than the page it is yielded from. `again` skips the check for known URLs. `jar` names the
    cookie jar. Raises `InvalidUrl`, and `SpiderError` for what cannot be kept as plain values.
    """

    url: str
    callback: str = "parse"
    data: Any = None
    method: str = "GET"
    headers: Headers = ()
    body: bytes | None = None
    priority: int = 0
    depth: int = 0
    timeout: float | None = None
    retries: int | None = None
    again: bool = False
    jar: str = ""
    # Kept by the crawl, not given by users.
    parent: str = ""
    kind: Kind = "page"
    id: int = 0
    attempt: int = 1
    crashes: int = 0
    hops: int = 0

    if TYPE_CHECKING:

        def __init__(
            self,
            url: str | URL,
            *,
            callback: Callback = "parse",
            data: object = None,
            method: Method | None = None,
            headers: Mapping[str, str] | Headers = (),
            params: Mapping[str, object] | None = None,
            body: bytes | str | None = None,
            json: object = None,
            form: Mapping[str, str] | Sequence[tuple[str, str]] | None = None,
            priority: int = 0,
            depth: int = 0,
            timeout: float | None = None,
            retries: int | None = None,
            again: bool = False,
            jar: str = "",
            parent: str = "",
            kind: Kind = "page",
        ) -> None: ...

    @property
    def host(self) -> str:
        """The host as politeness sees it: name, and port if the URL shows one; "" for seeding."""
        return "" if self.kind == "seed" else urls.host_of(self.url)

    def fingerprint(self, rules: urls.KeyRules = _NO_RULES) -> bytes:
        """Return the 16 bytes that say whether two requests are the same: URL, method, body."""
        # `url` is canonical, so without rules it is its own key: half the cost of every found link.
        text = (self.url if rules == _NO_RULES else urls.key(self.url, rules)).encode()
        if self.method != "GET" or self.body is not None:
            text = b"%s %s\n%s" % (self.method.encode(), text, self.body or b"")
        return hashlib.blake2b(text, digest_size=16).digest()


link_request: Callable[..., Request] = partial(StructMeta.__call__, Request)
"""Make a Request from fields that are canonical already; the fast way for found links."""


def name_of(callback: Callback) -> str:
    """Return a callback's name; a function must be a method of the spider, or it cannot be kept."""
    if isinstance(callback, str):
        return callback
    name = getattr(callback, "__name__", "")
    if not hasattr(callback, "__self__") or not name.isidentifier():
        raise SpiderError(f"callback must be a method of the spider or its name, got {callback!r}")
    return name


def _address(url: str | URL, params: Mapping[str, object] | None) -> str:
    address = urls.canonicalize(str(url))
    if not params:
        return address
    join = "&" if "?" in address else "?"
    return urls.canonicalize(address + join + urlencode(params, doseq=True))


def _payload(
    *,
    body: bytes | str | None,
    json: object,
    form: Mapping[str, str] | Sequence[tuple[str, str]] | None,
) -> tuple[bytes | None, tuple[str, str] | None]:
    if sum(value is not None for value in (body, json, form)) > 1:
        raise SpiderError("a request takes one of body, json and form")
    if json is not None:
        return msgspec.json.encode(json), _JSON
    if form is not None:
        return urlencode(form if isinstance(form, Mapping) else list(form)).encode(), _FORM
    return (body.encode() if isinstance(body, str) else body), None


def _plain(data: object) -> Any:
    """Return `data` as plain values, cut loose from what the callback may still change."""
    if data is None:
        return None
    try:
        return msgspec.to_builtins(data, builtin_types=(bytes,))
    except (TypeError, RecursionError) as error:
        raise SpiderError(f"a request's data must be plain values: {error}") from None
