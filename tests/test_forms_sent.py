"""Forms of a page, filled in and sent, as the site gets them."""

from email import message_from_bytes
from email.policy import HTTP
from typing import Any
from urllib.parse import parse_qsl

import pytest

from crawler import Response, Spider, stream
from tests.site import Site

CONTROLS = (
    "<input type=hidden name=token value='t&amp;1'><input name=user><input type=password name=word>"
    "<input type=checkbox name=keep checked><input type=checkbox name=news>"
    "<input type=radio name=kind value=a><input type=radio name=kind value=b checked>"
    "<select name=lang><option>de<option selected>en</select><textarea name=note>x y</textarea>"
    "<button name=go value=1>Go</button>"
)
FILLED = [
    *(("token", "t&1"), ("user", "mé"), ("word", ""), ("news", "on"), ("kind", "a")),
    *(("lang", "de"), ("note", "x\r\ny"), ("go", "1")),
]
PLAIN = "".join(f"{name}={value}\r\n" for name, value in FILLED)


class Sends(Spider[dict[str, Any]], delay=0, retries=0):
    def __init__(self, start: str) -> None:
        self.start_urls = [start]

    def parse(self, page: Response) -> Any:
        form = page.form("form.search")
        form = form.fill(user="mé", keep=False, news=True, kind="a", lang="de", note="x\ny")
        return form.submit(callback=self.sent)

    def sent(self, page: Response) -> dict[str, Any]:
        return {"url": page.url, "parent": page.request.parent, "depth": page.depth}


@pytest.mark.parametrize("enctype", ["", "multipart/form-data", "text/plain"])
@pytest.mark.parametrize("method", ["get", "post"])
async def test_a_form_is_sent_where_it_points_as_a_browser_would(
    method: str, enctype: str, site: Site
) -> None:
    tag = f"class=search action='find?old=1' method={method} enctype='{enctype}'"
    site.page("/dir/page", body=f"<form><input name=other></form><form {tag}>{CONTROLS}</form>")
    async with stream(Sends(site.url("/dir/page")), statuses=(404,), obey_robots=False) as items:
        found = [item async for item in items]
    assert [(item["parent"], item["depth"]) for item in found] == [(site.url("/dir/page"), 1)]
    hit = site.log[-1]
    path, _, query = hit.path.partition("?")
    assert (path, hit.method) == ("/dir/find", method.upper())
    if method == "post":
        assert query == "old=1"
        assert read(hit.headers["Content-Type"], hit.body, enctype) == FILLED
    else:
        assert parse_qsl(query, keep_blank_values=True) == FILLED


def read(content_type: str, body: bytes, enctype: str) -> list[tuple[str, str]]:
    """Read a body as others do: a mail parser for its parts."""
    assert content_type.startswith(enctype or "application/x-www-form-urlencoded")
    if enctype == "text/plain":
        return FILLED if body == PLAIN.encode() else []
    if not enctype:
        return parse_qsl(body.decode(), keep_blank_values=True)
    mail = message_from_bytes(f"Content-Type: {content_type}\r\n\r\n".encode() + body, policy=HTTP)
    parts = []
    for part in mail.walk():
        if not part.is_multipart():
            content = part.get_payload(decode=True)
            assert isinstance(content, bytes)
            parts.append((str(part.get_param("name", header="content-disposition")), content))
    return [(name, content.decode()) for name, content in parts]


async def test_the_same_form_is_sent_once_unless_it_is_to_be_sent_again(site: Site) -> None:
    class Sends(Spider[Any], delay=0, obey_robots=False):
        start_urls = (site.url(),)

        def parse(self, page: Response) -> Any:
            form = page.form()
            yield form.submit(callback=self.sent)
            yield form.submit(callback=self.sent)
            yield form.submit(callback=self.sent, again=True)

        def sent(self, page: Response) -> None:
            pass

    site.page(body="<form method=post action=/a><input name=x></form>")
    site.page("/a")
    async with stream(Sends()) as items:
        assert [item async for item in items] == []
    assert site.paths == ["/", "/a", "/a"]
