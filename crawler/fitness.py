"""Is a spider fit to run?"""

import inspect
from collections.abc import Callable, Iterator
from typing import Any, get_type_hints

import msgspec
from msgspec import Struct

from crawler import urls
from crawler.errors import CallbackError, InvalidUrl, SpiderError
from crawler.response import Response
from crawler.spider import Spider


class Call(Struct, frozen=True):
    """A callback, ready to be called: whether it takes the request's data, and as what type."""

    method: Callable[..., Any]
    takes_data: bool = False
    data_type: Any = Any

    def __call__(self, page: Response) -> Any:
        """Call it on a page. Raises `CallbackError` if the data does not fit the annotation."""
        if not self.takes_data:
            return self.method(page)
        try:
            # A copy, also as Any: what the callback does to it is not there when it runs again.
            plain = msgspec.to_builtins(page.request.data, builtin_types=(bytes,))
            data = msgspec.convert(plain, self.data_type)
        except msgspec.ValidationError as error:
            raise CallbackError(f"the request's data does not fit: {error}") from None
        return self.method(page, data)


def prepare(spider: Spider[Any], name: str) -> Call:
    """Return the callback of that name. Raises `SpiderError` if it could never be called."""
    method = getattr(spider, name, None)
    if not callable(method):
        raise SpiderError(f"spider {spider.name} has no callback {name!r}")
    where = f"{type(spider).__name__}.{name}"
    needed = [p for p in inspect.signature(method).parameters.values() if _is_needed(p)]
    if not 1 <= len(needed) <= 2:
        raise SpiderError(f"{where} must take a page, and may take data; it takes {len(needed)}")
    if len(needed) == 1:
        return Call(method)
    return Call(method, takes_data=True, data_type=_data_type(method, needed[1].name, where))


def callbacks_of(spider: Spider[Any]) -> Iterator[str]:
    """Yield the names of the methods that are callbacks by their first parameter's annotation."""
    for name in dir(type(spider)):
        method = inspect.getattr_static(type(spider), name)
        if inspect.isfunction(method) and not name.startswith("_"):
            annotations = [p.annotation for p in inspect.signature(method).parameters.values()]
            if len(annotations) > 1 and annotations[1] in (Response, "Response"):
                yield name


def check_seeds(spider: Spider[Any]) -> None:
    """Raise `SpiderError` if a spider has nowhere to begin, or nothing to do with a page."""
    kind = type(spider)
    own_start = kind.start is not Spider.start
    if not own_start and not spider.start_urls and not spider.sitemaps:
        raise SpiderError(
            f"spider {spider.name} has no seeds: give it start_urls, sitemaps, or start()"
        )
    if not own_start and kind.parse is Spider.parse:
        raise SpiderError(f"spider {spider.name} has no parse(self, page) method")
    for attribute in ("start_urls", "sitemaps"):
        _check_urls(spider.name, attribute, getattr(spider, attribute))


def _check_urls(name: str, attribute: str, listed: object) -> None:
    if isinstance(listed, str):
        raise SpiderError(f"spider {name}: {attribute} must be a list of URLs, got a string")
    for url in listed if isinstance(listed, list | tuple) else ():
        try:
            urls.canonicalize(url)
        except (InvalidUrl, TypeError) as error:
            raise SpiderError(f"spider {name}: {attribute}: {error}") from None


def _is_needed(parameter: inspect.Parameter) -> bool:
    positional = (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
    return parameter.kind in positional


def _data_type(method: Callable[..., Any], parameter: str, where: str) -> Any:
    try:
        annotation = get_type_hints(method).get(parameter, Any)
        msgspec.json.Decoder(annotation)
    except (NameError, TypeError) as error:
        reason = " ".join(str(error).split())
        raise SpiderError(f"{where}: {parameter} cannot be read as annotated: {reason}") from None
    return annotation
