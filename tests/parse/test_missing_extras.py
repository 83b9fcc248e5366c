"""What is said where an extra is not installed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

CODE = """
import asyncio
from crawler import Request, Response, UsageError
page = Response("https://a.example/", request=Request("https://a.example/"), body=b"<p>x")
try:
    asyncio.run(page.{method}())
except UsageError as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("module", "method", "what"),
    [
        ("html_to_markdown", "markdown", "Markdown needs an extra"),
        ("trafilatura", "article", "page.article() needs an extra"),
    ],
)
def test_an_extra_that_is_missing_is_named(
    tmp_path: Path, module: str, method: str, what: str
) -> None:
    (tmp_path / f"{module}.py").write_text("raise ImportError")
    path = os.pathsep.join([str(tmp_path), str(Path(__file__).parents[2])])
    done = subprocess.run(
        [sys.executable, "-c", CODE.format(method=method)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert done.stdout == f"{what}: pip install 'crawlkeeper[text]'\n"


def test_what_needs_no_extra_imports_none() -> None:
    code = """
import sys
from crawler import Request, Response
page = Response("https://a.example/", request=Request("https://a.example/"), body=b"<p>x")
page.metadata(), page.text()
print(sorted({"html_to_markdown", "trafilatura", "lxml", "extruct"} & sys.modules.keys()))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
