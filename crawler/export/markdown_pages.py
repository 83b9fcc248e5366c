"""Pages as Markdown files."""

from typing import Final

import msgspec

from crawler.parse.markdown import markdown_of
from crawler.parse.markup import markup_of
from crawler.response import Response
from crawler.words import one_line

# No path of a page ends like that: "+" is what `crawler.export.paths` escapes, and marks with.
MARK: Final = "+.md"


def as_markdown(page: Response) -> tuple[str, bytes]:
    """Return the mark of a page's file, and what it holds: Markdown, or the body as it came.

    That is for what is not HTML, has no text, or would take too much. The same page gives the same
    file. Parses it again, as its tree went with its callback.
    """
    if not page.is_html:
        return "", page.body
    text = markdown_of(markup_of(page.lexbor), url=page.url, base=page.base)
    title = one_line(page.text("title", default=""))
    page.detach()  # of its tree
    if not text:
        return "", page.body
    lines = [b"---", b"url: " + msgspec.json.encode(page.url)]
    if title:
        lines.append(b"title: " + msgspec.json.encode(title))  # which is a string of YAML, too
    return MARK, b"\n".join([*lines, b"---", b"", text.encode("utf-8", "replace")])
