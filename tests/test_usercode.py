"""What user code raises is told by its own lines."""

import asyncio
import importlib.util
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from crawler.errors import CallbackError, Retry, Signal
from crawler.request import Request
from crawler.response import Response
from crawler.spider import Spider
from crawler.usercode import Raised, load_guarded, run_guarded
from tests.harness import crawl, html

SPIDER = """
import asyncio
import json
import sys


async def plain():
    raise ValueError("two\\nlines")


async def silent():
    raise KeyError


async def helper():
    check("x")


def check(price):
    return float(price)


async def library():
    return json.loads("{")


async def ours(page):
    page.text("h1")


async def our_bug(page):
    page.text(3)


async def slow():
    await asyncio.sleep(60)


class Mute(Exception):
    def __str__(self):
        return self.nothing


async def mute():
    raise Mute


async def leaves():
    sys.exit(4)


async def forgets():
    waiting = slow()
    try:
        return waiting.css
    finally:
        waiting.close()


async def cancelled():
    future = asyncio.get_running_loop().create_future()
    future.cancel()
    await future
"""


def line_of(text: str) -> int:
    return 1 + SPIDER.splitlines().index(next(s for s in SPIDER.splitlines() if text in s))


# A folder named as the package is not the package.
@pytest.fixture(params=["project", "crawler"])
def code(tmp_path: Path, request: pytest.FixtureRequest) -> Any:
    path = tmp_path / request.param / "shop.py"
    path.parent.mkdir()
    path.write_text(SPIDER)
    spec = importlib.util.spec_from_file_location("shop", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


async def raised(call: Callable[[], Awaitable[Any]], *, timeout: float | None = None) -> Raised:
    ended = await run_guarded(call, timeout=timeout)
    assert isinstance(ended, Raised)
    return ended


def page() -> Response:
    return html(Request("http://a.example/"), "<p>x</p>")


@pytest.mark.parametrize(
    ("name", "reason", "line"),
    [
        ("plain", "ValueError: two lines", "two"),
        ("silent", "KeyError", "raise KeyError"),
        ("helper", "ValueError: could not convert string to float: 'x'", "return float"),
        ("library", "JSONDecodeError: Expecting property name", "json.loads"),
        ("mute", "Mute: its text cannot be shown", "raise Mute"),
        ("leaves", "CallbackError: sys.exit ends no crawl; raise Stop does", "sys.exit(4)"),
        ("forgets", "AttributeError: 'coroutine' object has no attribute 'css'; an await", "g.css"),
        ("cancelled", "CallbackError: something it waited for was cancelled", "await future"),
    ],
)
async def test_an_error_is_one_line_with_the_users_own_place(
    code: Any, name: str, reason: str, line: str
) -> None:
    ended = await raised(getattr(code, name))
    assert ended.reason.startswith(reason)
    assert ended.reason.endswith(f" (shop.py:{line_of(line)})")
    assert "\n" not in ended.reason


async def test_an_error_of_ours_is_placed_where_the_user_called_us(code: Any) -> None:
    ended = await raised(lambda: code.ours(page()))
    assert ended.where == f" (shop.py:{line_of('page.text(')})"
    assert "page.text" in ended.text
    assert "nodes.py" not in ended.text


async def test_the_traceback_begins_in_the_users_file(code: Any) -> None:
    ended = await raised(code.helper)
    first, *rest = (line for line in ended.text.splitlines() if line.startswith("  File"))
    assert f'shop.py", line {line_of("    check(")}' in first
    assert f'shop.py", line {line_of("return float")}' in rest[-1]
    assert "usercode.py" not in ended.text
    assert ended.text.splitlines()[-1].startswith("ValueError: ")


async def test_a_bug_of_ours_keeps_its_lines(code: Any) -> None:
    ended = await raised(lambda: code.our_bug(page()))
    assert "usercode.py" not in ended.text
    assert "nodes.py" in ended.text


async def test_a_timeout_is_placed_where_it_waited(code: Any) -> None:
    ended = await raised(code.slow, timeout=0.01)
    assert isinstance(ended.error, CallbackError)
    line = line_of("asyncio.sleep")
    assert ended.reason.endswith(f"took longer than callback_timeout, 0.01 s (shop.py:{line})")


async def test_a_timeout_of_the_users_own_is_theirs() -> None:
    async def call() -> None:
        raise TimeoutError("mine")

    assert (await raised(call, timeout=60)).reason.startswith("TimeoutError: mine")


async def test_a_signal_is_handed_on_and_success_is_nothing() -> None:
    signal = Retry("not yet")

    async def call() -> None:
        raise signal

    async def fine() -> None: ...

    ended: Signal | Raised | None = await run_guarded(call)
    assert ended is signal
    assert await run_guarded(fine) is None


async def test_cancelling_a_callback_from_outside_cancels_it() -> None:
    began = asyncio.Event()

    async def call() -> None:
        began.set()
        await asyncio.Event().wait()

    task = asyncio.ensure_future(run_guarded(call))
    await began.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_a_callback_whose_own_task_was_cancelled_fails_alone() -> None:
    class Cancels(Spider[Any], delay=0):
        start_urls = ("http://a.example/bad", "http://a.example/good")

        async def parse(self, page: Response) -> dict[str, str]:
            if page.url.endswith("bad"):
                raise asyncio.CancelledError
            return {"url": page.url}

    async def plain(request: Request) -> Response:
        return html(request)

    left = crawl(Cancels(), plain, concurrency=1)
    assert left.spool.lines["items"] == [b'{"url":"http://a.example/good"}']
    assert b"was cancelled" in left.spool.lines["failures"][0]


def test_a_file_that_does_not_load_is_told_by_its_line(tmp_path: Path) -> None:
    path = tmp_path / "broken.py"
    path.write_text("import json\n\njson.loads('')\n")

    def load() -> None:
        exec(compile(path.read_text(), path, "exec"), {})

    failed = load_guarded(load)
    assert failed is not None
    assert failed.reason.endswith("(broken.py:3)")
    assert load_guarded(lambda: None) is None
