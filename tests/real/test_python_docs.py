"""Debian's Python documentation behind nginx: the pages that wget reaches, none twice."""

import os
import shutil
import socket
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from crawler import Response, Spider, crawl

DOCS = Path("/usr/share/doc/python3-doc/html")
INSTALL = "apt-get install -y --no-install-recommends nginx-light wget python3-doc"
# Debian keeps nginx in /usr/sbin, which is not in everybody's PATH.
SERVER = shutil.which("nginx", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
NGINX = """
daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log; worker_processes 1;
events {{ worker_connections 256; }}
http {{
  types {{ text/html html; text/css css; application/javascript js; image/png png; }}
  default_type application/octet-stream;
  log_format seen '$request_method $request_uri $status $sent_http_content_type';
  access_log {folder}/access.log seen;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{ listen 127.0.0.1:{port}; location /python/ {{ alias {docs}/; }} }}
}}
"""

pytestmark = pytest.mark.skipif(
    not (SERVER and shutil.which("wget") and DOCS.is_dir()), reason=INSTALL
)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """The docs' URL and nginx's access log."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config = tmp_path / "nginx.conf"
    config.write_text(NGINX.format(folder=tmp_path, port=port, docs=DOCS.resolve()))
    assert SERVER is not None
    nginx = subprocess.Popen([SERVER, "-c", str(config), "-e", str(tmp_path / "error.log")])
    try:
        subprocess.run(
            ["wget", "-q", "--retry-connrefused", "--waitretry=1", "-t", "10", "-O", "/dev/null"]
            + [f"http://127.0.0.1:{port}/is-it-up"],
            check=False,  # 404, once it is
        )
        yield f"http://127.0.0.1:{port}/python/", tmp_path / "access.log"
    finally:
        nginx.terminate()
        nginx.wait(10)


class Docs(Spider[dict[str, str]], accept="text/html", delay=0, per_host=8):
    def __init__(self, start: str) -> None:
        self.start_urls = [start]
        self.allowed_prefixes = [start]

    def parse(self, page: Response) -> list[object]:
        return list(page.follow_all())


def _seen(log: Path) -> Counter[str]:
    """HTML pages served with 200, by path."""
    lines = [line.split(maxsplit=3) for line in log.read_text().splitlines()]
    return Counter(
        path
        for method, path, status, kind in lines
        if method == "GET" and status == "200" and kind.startswith("text/html")
    )


async def test_it_reaches_what_wget_reaches_and_nothing_twice(
    server: tuple[str, Path], tmp_path: Path
) -> None:
    start, log = server
    report = await crawl(Docs(start), output_dir=str(tmp_path / "out"), min_free_bytes=0)
    ours = _seen(log)
    log.write_text("")
    subprocess.run(
        ["wget", "-q", "-r", "-np", "-l", "inf", "-e", "robots=off", "-P", str(tmp_path / "wget")]
        + [start],
        check=False,  # 8 for the documentation's own dead links
        timeout=120,
    )
    theirs = _seen(log)
    files = sorted((tmp_path / "wget").rglob("*.html"))
    assert set(ours) == set(theirs)
    assert set(ours.values()) == {1}
    assert report.pages == len(ours)
    # The front page has two URLs, / and /index.html, which wget keeps as one file.
    assert {"/python/", "/python/index.html"} <= set(ours)
    assert len(ours) - 1 == len(files) > 500
