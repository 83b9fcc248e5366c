"""Forms of a page, filled in and sent, as the site gets them."""

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
    *(("token", "t&1"), ("user", "mé"), ("word", ""), ("keep", "on"), ("kind", "b")),
    *(("lang", "en"), ("note", "x y")),
]


class Sends(Spider[dict[str, Any]], delay=0):
    def __init__(self, start: str) -> None:
        self.start_urls = [start]

    def parse(self, page: Response) -> Any:
        form = page.form("form.search")
        fields = form.fields | {"user": "mé"}
        if form.method == "POST":
            return page.follow(form.url, form=fields, callback=self.sent)
        return page.follow(form.url, params=fields, callback=self.sent)

    def sent(self, page: Response) -> dict[str, Any]:
        return {"url": page.url}


@pytest.mark.parametrize("method", ["post", "get"])
async def test_a_form_is_sent_where_it_points_as_a_browser_would(method: str, site: Site) -> None:
    form = f"<form class=search action='find?old=1' method={method}>{CONTROLS}</form>"
    site.page("/dir/page", body=f"<form><input name=other></form>{form}")
    async with stream(Sends(site.url("/dir/page")), statuses=(404,)) as items:
        assert len([item async for item in items]) == 1
    hit = site.log[-1]
    path, _, query = hit.path.partition("?")
    assert (path, hit.method) == ("/dir/find", method.upper())
    if method == "post":
        assert (query, hit.headers["Content-Type"]) == (
            "old=1",
            "application/x-www-form-urlencoded",
        )
        query = hit.body.decode()
    assert parse_qsl(query, keep_blank_values=True) == FILLED
