"""Is a spider fit to run?"""

import inspect
import sys
from collections.abc import Callable, Iterator
from typing import Any, get_type_hints

import msgspec
from msgspec import Struct

from crawler import urls
from crawler.errors import CallbackError, InvalidUrl, SpiderError
from crawler.media import Media
from crawler.request import Request
from crawler.response import Response
from crawler.setting_values import unknown
from crawler.spider import Spider

_OPEN = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
_TAKEN = (Response, "Response", "crawler.Response", Media, "Media", "crawler.Media")


class Call(Struct, frozen=True):
    """A callback, ready to be called: the parameter that takes the request's data, and its type."""

    method: Callable[..., Any]
    data: inspect.Parameter | None = None
    data_type: Any = Any

    def __call__(self, page: Response | Media, request: Request) -> Any:
        """Call it on what a request brought.

        Raises `CallbackError` if the data does not fit the annotation.
        """
        given = request.data
        if self.data is None or (given is None and self.data.default is not self.data.empty):
            return self.method(page)
        try:
            # A copy, also as Any: what the callback does to it is not there when it runs again.
            plain = msgspec.to_builtins(given, builtin_types=(bytes,))
            values = _arguments(self.data, msgspec.convert(plain, self.data_type))
        except msgspec.ValidationError as error:
            raise CallbackError(f"the request's data does not fit: {error}") from None
        return self.method(page, *values[0], **values[1])


def prepare(spider: Spider[Any], name: str) -> Call:
    """Return the callback of that name. Raises `SpiderError` if it could never be called."""
    method = getattr(spider, name, None)
    if not callable(method):
        raise SpiderError(f"spider {spider.name}: {unknown('callback', name, _methods(spider))}")
    where = f"{type(spider).__name__}.{name}"
    signature = inspect.signature(method)
    named = [p for p in signature.parameters.values() if p.kind not in _OPEN]
    data = named[1] if len(named) > 1 else None
    positional, by_name = ((), {}) if data is None else _arguments(data, None)
    try:
        signature.bind(None, *positional, **by_name)
    except TypeError as error:
        raise SpiderError(f"{where} must take a page, and may take data: {error}") from None
    if data is None:
        return Call(method)
    return Call(method, data=data, data_type=_data_type(method, data.name, where))


def callbacks_of(spider: Spider[Any]) -> Iterator[str]:
    """Yield `parse`, and the methods that are callbacks by their first parameter's annotation."""
    kind = type(spider)
    for name in dir(kind):
        method = inspect.getattr_static(kind, name)
        if name == "parse" and method is not Spider.parse:
            yield name
        elif inspect.isfunction(method) and not name.startswith("_"):
            annotations = [p.annotation for p in inspect.signature(method).parameters.values()]
            if len(annotations) > 1 and annotations[1] in _TAKEN:
                yield name


def check_parts(spider: Spider[Any]) -> None:
    """Raise `SpiderError` for hooks, steps, listeners and layers that could never be called."""
    for attribute in ("steps", "listeners", "layers"):
        listed = getattr(spider, attribute)
        if not isinstance(listed, list | tuple) or not all(callable(part) for part in listed):
            raise SpiderError(
                f"spider {spider.name}: {attribute} must be a list of functions, got {listed!r}"
            )
    for listener in spider.listeners:
        if inspect.iscoroutinefunction(listener):
            raise SpiderError(
                f"spider {spider.name}: a listener must be a plain function, got {listener!r}"
            )
    try:
        inspect.signature(spider.on_error).bind(None)
    except TypeError as error:
        raise SpiderError(
            f"{type(spider).__name__}.on_error must take a failure: {error}"
        ) from None


def check_seeds(spider: Spider[Any], *, url_bytes: int = sys.maxsize) -> None:
    """Raise `SpiderError` if a spider has nowhere to begin, or nothing to do with a page.

    Nor may a URL that it begins with be longer than `url_bytes`.
    """
    kind = type(spider)
    own_start = kind.start is not Spider.start
    if not own_start and not spider.start_urls and not spider.sitemaps:
        raise SpiderError(
            f"spider {spider.name} has no seeds: give it start_urls, sitemaps, or start()"
        )
    if not own_start and kind.parse is Spider.parse:
        raise SpiderError(f"spider {spider.name} has no parse(self, page) method")
    for attribute in ("start_urls", "sitemaps"):
        _check_urls(spider.name, attribute, getattr(spider, attribute), url_bytes)


def _check_urls(name: str, attribute: str, listed: object, longest: int) -> None:
    if isinstance(listed, str):
        raise SpiderError(f"spider {name}: {attribute} must be a list of URLs, got a string")
    for url in listed if isinstance(listed, list | tuple) else ():
        try:
            seed = urls.canonicalize(url)
        except (InvalidUrl, TypeError) as error:
            raise SpiderError(f"spider {name}: {attribute}: {error}") from None
        if len(seed) > longest:
            raise SpiderError(f"spider {name}: {attribute}: {too_long(seed, longest)}")


def too_long(url: str, most: int) -> str:
    """Say that a URL is longer than `url_bytes`."""
    return f"a URL may have {most:,} bytes (url_bytes), got one of {len(url):,}: {url[:100]}…"


def _methods(spider: Spider[Any]) -> list[str]:
    """Return the names of the methods that the spider has of its own."""
    return sorted(set(dir(type(spider))) - (set(dir(Spider)) - {"parse"}))


def _arguments(
    parameter: inspect.Parameter, value: object
) -> tuple[tuple[object, ...], dict[str, object]]:
    """Return `value` as the positional or named argument that the parameter wants."""
    if parameter.kind is parameter.KEYWORD_ONLY:
        return (), {parameter.name: value}
    return (value,), {}


def _data_type(method: Callable[..., Any], parameter: str, where: str) -> Any:
    try:
        annotation = get_type_hints(method).get(parameter, Any)
        msgspec.json.Decoder(annotation)
        foreign = _foreign(msgspec.inspect.type_info(annotation), set())
    except (NameError, TypeError) as error:
        reason = " ".join(str(error).split())
        raise SpiderError(f"{where}: {parameter} cannot be read as annotated: {reason}") from None
    if foreign is not None:
        reason = f"{foreign.__name__} is not made of plain values"
        raise SpiderError(f"{where}: {parameter} cannot be read as annotated: {reason}")
    return annotation


def _foreign(info: object, seen: set[int]) -> type | None:
    """Return a type in `info` that msgspec would take from Python only, never from stored data."""
    if isinstance(info, msgspec.inspect.CustomType):
        return info.cls
    if id(info) in seen or not isinstance(
        info, tuple | msgspec.inspect.Type | msgspec.inspect.Field
    ):
        return None
    seen.add(id(info))
    parts = info if isinstance(info, tuple) else msgspec.structs.astuple(info)
    return next((found for part in parts if (found := _foreign(part, seen))), None)
