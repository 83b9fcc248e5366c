"""What is asked for."""

import hashlib
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args
from urllib.parse import urlencode

import msgspec
from msgspec import Meta, Struct, StructMeta
from yarl import URL

from crawler import urls
from crawler.errors import InvalidUrl, SpiderError
from crawler.media import Wanted
from crawler.plain import encode, not_a_number, refuse
from crawler.setting_values import is_header, unknown

Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
Callback = str | Callable[..., Any]
Headers = tuple[tuple[str, str], ...]
Params = Mapping[str, object] | Sequence[tuple[str, object]]
"""Names and values: text, numbers, true and false, or lists of these; None is left out."""

Kind = Literal["page", "seed", "robots", "sitemap", "probe", "media"]
"""What a request is for: only a `page` is counted, limited and exported as one."""

_NO_RULES = urls.KeyRules()
_JSON = ("Content-Type", "application/json")
_FORM = ("Content-Type", "application/x-www-form-urlencoded")
_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder().decode


class _RequestMeta(StructMeta):
    """Gives `Request(...)` its friendly arguments; copies and decoded requests skip it."""

    def __call__(
        cls,  # noqa: N805  # a metaclass's self is a class
        url: str | URL,
        *,
        callback: Callback = "parse",
        data: object = None,
        method: str | None = None,
        headers: Mapping[str, str] | Sequence[tuple[str, str]] = (),
        params: Params | None = None,
        body: bytes | str | None = None,
        json: object = None,
        form: Params | None = None,
        **rest: Any,
    ) -> Any:
        payload, content_type = _payload(body=body, json=json, form=form)
        given = _headers(headers)
        if content_type and not any(name.lower() == "content-type" for name, _ in given):
            given = (*given, content_type)
        return _checked(
            {
                "url": _address(url, params),
                # What is downloaded need not be heard of.
                "callback": name_of(callback) if callback or rest.get("kind") != "media" else "",
                "data": _plain(data),
                "method": _method(method or ("GET" if payload is None else "POST")),
                "headers": given,
                "body": payload,
                **rest,
            }
        )


class Request(
    Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True, metaclass=_RequestMeta
):
    """One thing to ask for: frozen, and made of plain values, so it survives restarts and travels.

    `callback` is kept by name and `data` as plain values; `params` are added to the URL's query;
    one of `body`, `json` and `form` is sent (the method is POST then, if none is given).
    `priority`: higher goes first. `depth` 0 means one more than the page it is yielded from.
    `timeout` (seconds) and `retries` replace the settings. `again` skips the check for known URLs.
    `jar` names the cookie jar. User and password in `url` are left out. Raises `InvalidUrl`, and
    `SpiderError` for what cannot be sent, or not be kept as plain values.
    """

    url: str
    callback: str = "parse"
    data: Any = None
    method: Method = "GET"
    headers: Headers = ()
    body: bytes | None = None
    priority: Annotated[int, Meta(ge=-(2**31), lt=2**31)] = 0
    depth: Annotated[int, Meta(ge=0)] = 0
    timeout: Annotated[float, Meta(gt=0, lt=1e9)] | None = None
    retries: Annotated[int, Meta(ge=0)] | None = None
    again: bool = False
    jar: str = ""
    # Kept by the crawl, not given by users.
    parent: str = ""
    kind: Kind = "page"
    saving: Wanted | None = None  # how the file of a `media` is wanted
    id: int = 0
    attempt: int = 1
    crashes: int = 0
    suspect: bool = False  # it may be what killed a process; it is alone when it is made again
    redirects: tuple[str, ...] = ()
    lag: int = 0  # by how many levels it is queued deeper than it is: see rules.crowds
    seeded: int = 0  # which of the seeds made `again` it is, so that a seeding may run again

    if TYPE_CHECKING:

        def __init__(
            self,
            url: str | URL,
            *,
            callback: Callback = "parse",
            data: object = None,
            method: Method | None = None,
            headers: Mapping[str, str] | Sequence[tuple[str, str]] = (),
            params: Params | None = None,
            body: bytes | str | None = None,
            json: object = None,
            form: Params | None = None,
            priority: int = 0,
            depth: int = 0,
            timeout: float | None = None,
            retries: int | None = None,
            again: bool = False,
            jar: str = "",
            parent: str = "",
            kind: Kind = "page",
            saving: Wanted | None = None,
        ) -> None: ...

    def replace(self, **changes: Any) -> "Request":
        """Return a request with other arguments, checked as `Request(...)` checks them.

        It is one of its own: how often this one was tried is forgotten.
        """
        fields = {name: getattr(self, name) for name in _GIVEN}
        if not changes.keys().isdisjoint(_PAYLOADS):
            fields["body"] = None
            fields["headers"] = tuple(p for p in self.headers if p[0].lower() != "content-type")
        return Request(**fields | changes)

    @property
    def host(self) -> str:
        """The host as politeness sees it: name, and port if the URL shows one; "" for seeding."""
        return "" if self.kind == "seed" else urls.host_of(self.url)

    def fingerprint(self, rules: urls.KeyRules = _NO_RULES) -> int:
        """Return the 64 bits (signed) that say whether two requests are the same.

        They stand for URL, method and body, and for a page or a file. Of 10 million different
        requests two are taken for one with a probability of 3 in a million, of 100 million with one
        of 3 in 10,000.
        """
        # `url` is canonical, so without rules it is its own key: half the cost of every found link.
        text = (
            self.url if rules == _NO_RULES or self.kind == "seed" else urls.key(self.url, rules)
        ).encode()
        if self.kind == "media":
            text = b"media " + text
        if self.method != "GET" or self.body is not None:
            text = b"%s %s\n%s" % (self.method.encode(), text, self.body or b"")
        digest = hashlib.blake2b(text, digest_size=8).digest()
        return int.from_bytes(digest, "little", signed=True)


link_request: Callable[..., Request] = partial(StructMeta.__call__, Request)
"""Make a Request from fields that are canonical already; the fast way for found links."""

_FIELDS = frozenset(Request.__struct_fields__)
_GIVEN = _FIELDS - {"id", "attempt", "crashes", "suspect", "redirects", "lag", "seeded"}
_PAYLOADS = frozenset({"body", "json", "form"})
_ARGUMENTS = (*sorted(_GIVEN), "params", "json", "form")


def name_of(callback: Callback) -> str:
    """Return a callback's name; a function must be a method of the spider, or it cannot be kept."""
    name = getattr(callback, "__name__", "") if inspect.ismethod(callback) else callback
    if not isinstance(name, str) or not name.isidentifier():
        raise SpiderError(f"callback must be a method of the spider or its name, got {callback!r}")
    return name


def _checked(fields: dict[str, Any]) -> Request:
    """Return the request, every field of its own type."""
    if stray := fields.keys() - _FIELDS:
        raise TypeError(f"Request: {unknown('argument', min(stray), _ARGUMENTS)}")
    try:
        return msgspec.convert(fields, Request)
    except msgspec.ValidationError as error:
        words, _, where = str(error).partition(" - at `$.")
        name = where.rstrip("`")
        reason = words[:1].lower() + words[1:]
        raise SpiderError(f"a request's {name}={fields[name]!r}: {reason}") from None


def _address(url: object, params: Params | None) -> str:
    if not isinstance(url, str | URL):
        raise InvalidUrl(str(url), f"a URL must be text or a yarl.URL, got {type(url).__name__}")
    address = urls.without_credentials(urls.canonicalize(str(url)))
    if not params:
        return address
    join = "?" if "?" not in address else "" if address[-1] in "?&" else "&"
    return urls.canonicalize(address + join + _query("params", params))


def _method(method: object) -> str:
    known = get_args(Method)
    if not isinstance(method, str) or method.upper() not in known:
        raise SpiderError(f"a request's method must be one of {', '.join(known)}, got {method!r}")
    return method.upper()


def _headers(headers: Mapping[str, str] | Sequence[tuple[str, str]]) -> Headers:
    """Refuse here, with the user's own line, what could not be sent later."""
    if not headers:
        return ()
    given = _pairs("headers", headers)
    for name, value in given:
        if not isinstance(value, str) or not is_header(name, value):
            raise SpiderError(f"a request's headers cannot hold {name!r}: {value!r}")
    return given


def _pairs(argument: str, given: Any) -> tuple[tuple[str, Any], ...]:
    """Return names and values, each name text."""
    try:
        listed = given.items() if isinstance(given, Mapping) else given
        pairs = tuple((name, value) for name, value in listed)
    except (TypeError, ValueError):
        pairs = ((None, None),)
    if isinstance(given, str) or not all(isinstance(name, str) for name, _ in pairs):
        raise SpiderError(f"a request's {argument} must be names and values, got {given!r}")
    return pairs


def _query(argument: str, given: Params) -> str:
    """Return names and values as a URL's query and a form's body hold them."""
    flat: list[tuple[str, str]] = []
    for name, value in _pairs(argument, given):
        several: Iterable[object] = value if isinstance(value, list | tuple) else (value,)
        for one in several:
            if isinstance(one, Mapping | bytes | set | frozenset | list | tuple):
                raise SpiderError(
                    f"a request's {argument} must hold text, numbers or lists of these, "
                    f"got {name!r}: {value!r}"
                )
            if one is not None:
                flat.append((name, str(one).lower() if isinstance(one, bool) else str(one)))
    try:
        return urlencode(flat)
    except UnicodeEncodeError as error:
        raise SpiderError(f"a request's {argument}: {error}") from None


def _payload(
    *, body: object, json: object, form: Params | None
) -> tuple[bytes | None, tuple[str, str] | None]:
    if sum(value is not None for value in (body, json, form)) > 1:
        raise SpiderError("a request takes one of body, json and form")
    if json is not None:
        return _json(json), _JSON
    if form is not None:
        return _query("form", form).encode(), _FORM
    if body is None or isinstance(body, bytes):
        return body, None
    if isinstance(body, bytearray | memoryview):
        return bytes(body), None
    if not isinstance(body, str):
        raise SpiderError(f"a request's body must be bytes or text, got {type(body).__name__}")
    try:
        return body.encode(), None
    except UnicodeEncodeError as error:
        raise SpiderError(f"a request's body: {error}") from None


def _json(value: object) -> bytes:
    try:
        text = encode(value)
        where = not_a_number(value, "json")
    except (TypeError, ValueError, RecursionError) as error:
        raise SpiderError(f"a request's json cannot be encoded: {error}") from None
    if where:
        raise SpiderError(f"a request's {where} is not a number that JSON has")
    return text


def _plain(data: object) -> Any:
    """Return `data` as plain values, cut loose from what the callback may still change.

    They are what a store on disk gives back, lists for tuples, so no frontier makes a difference.
    """
    if data is None:
        return None
    try:
        return _unpack(_pack(msgspec.to_builtins(data, builtin_types=(bytes,), enc_hook=refuse)))
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise SpiderError(f"a request's data must be plain values: {error}") from None
