"""Where on a page the fields of an item are."""

from typing import Literal

from msgspec import Struct, structs

Point = Literal[".", ","]

ENGLISH = ("en",)


class Marker(Struct, frozen=True, kw_only=True):
    """Says in an annotation where a field's value is; `css` and `xpath` make them.

    `query` is the selector, None for the element itself. The other fields are the arguments of
    `css`.
    """

    query: str | None = None
    attr: str | None = None
    all: bool = False
    regex: str | None = None
    url: bool | None = None
    exists: bool = False
    decimal: Point | None = None
    languages: tuple[str, ...] = ENGLISH
    is_xpath: bool = False

    def __repr__(self) -> str:
        said = {
            name: getattr(self, name) for name in ("attr", "all", "regex") if getattr(self, name)
        }
        words = [] if self.query is None else [repr(self.query)]
        words += [f"{name}={value!r}" for name, value in said.items()]
        return f"{'xpath' if self.is_xpath else 'css'}({', '.join(words)})"


def css(
    selector: str | None = None,
    *,
    attr: str | None = None,
    all: bool = False,  # noqa: A002  # no other word says it
    regex: str | None = None,
    url: bool | None = None,
    exists: bool = False,
    decimal: Point | None = None,
    languages: tuple[str, ...] = ENGLISH,
) -> Marker:
    """Mark a field with its selector.

    `title: Annotated[str, css("h1")]` is all that most fields need.
    Its value is the text of the first match, of every match where the field is a list; without a
    selector that of the element itself. `all` joins every match in a field that is text. `attr`
    takes an attribute instead of the text, `regex` what it finds there, or its first group. `url`
    says whether it is made an absolute URL, as `href`, `src` and their like are. `exists` asks only
    whether there is such a value: True or False. `decimal` is what stands before decimals, where
    `1.234` may mean both; `languages` are those of dates that are not ISO 8601, such as `("de",
    "en-GB")`.
    """
    return Marker(
        query=selector,
        attr=attr,
        all=all,
        regex=regex,
        url=url,
        exists=exists,
        decimal=decimal,
        languages=languages,
    )


def xpath(
    query: str,
    *,
    attr: str | None = None,
    all: bool = False,  # noqa: A002  # no other word says it
    regex: str | None = None,
    url: bool | None = None,
    exists: bool = False,
    decimal: Point | None = None,
    languages: tuple[str, ...] = ENGLISH,
) -> Marker:
    """Mark a field with an XPath query.

    `title: Annotated[str, xpath("//h1")]`; it may also find text and attributes (`//a/@title`). The
    arguments are those of `css`. Needs the extra `xpath`.
    """
    marker = css(
        query,
        attr=attr,
        all=all,
        regex=regex,
        url=url,
        exists=exists,
        decimal=decimal,
        languages=languages,
    )
    return structs.replace(marker, is_xpath=True)
