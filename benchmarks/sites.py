"""Real documentation sites behind nginx, on several loopback addresses."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

_CONFIG = """
daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log; worker_processes 1;
events {{ worker_connections 4096; }}
http {{
  types {{ text/html html; text/css css; application/javascript js; image/png png; }}
  default_type application/octet-stream;
  log_format seen '$request_method $request_uri $status $sent_http_content_type';
  access_log {log}; sendfile on; tcp_nopush on; keepalive_requests 1000000; keepalive_timeout 600;
  open_file_cache max=4096; open_file_cache_valid 600;  # it stands still without free descriptors
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  gzip {coding}; server {{ {listen} {tls} root {root}; }}
}}
"""
_TLS = "ssl_certificate {certificate}; ssl_certificate_key {key}; ssl_session_cache shared:tls:8m;"
# Debian keeps nginx in /usr/sbin, which is not in everybody's PATH.
_PATH = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin"


@contextmanager
def serve(
    root: Path,
    *,
    addresses: int,
    cpu: int | None = None,
    tls: tuple[Path, Path] | None = None,
    log: Path | None = None,
    gzip: bool = False,
) -> Iterator[Sequence[str]]:
    """Serve `root` on so many loopback addresses, pinned to a core; gives their base URLs.

    `tls`: a certificate and its key. `log`: a line a request, of method, path, status and type.
    `gzip`: HTML comes compressed as it is sent, and so in chunks.
    """
    server = nginx_path()
    if server is None:
        raise SystemExit("nginx is missing: apt-get install nginx-light")
    hosts = [f"127.0.0.{number}" for number in range(1, addresses + 1)]
    with tempfile.TemporaryDirectory(prefix="bench-nginx-") as folder, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        ssl = " ssl" if tls else ""
        keys = _TLS.format(certificate=tls[0], key=tls[1]) if tls else ""
        config = Path(folder) / "nginx.conf"
        listen = " ".join(f"listen {host}:{port}{ssl};" for host in hosts)
        seen = f"{log} seen" if log is not None else "off"
        config.write_text(
            _CONFIG.format(
                folder=folder,
                listen=listen,
                tls=keys,
                root=root,
                log=seen,
                coding="on" if gzip else "off",
            )
        )
        # Its workers may be another user's, who has to get at the folder's content.
        Path(folder).chmod(0o755)
        pin = ["taskset", "-c", str(cpu)] if cpu is not None else []
        nginx = subprocess.Popen([*pin, server, "-c", str(config), "-e", f"{folder}/error.log"])
        try:
            _await(hosts[0], port)
            yield [f"http{'s' if tls else ''}://{host}:{port}/" for host in hosts]
        finally:
            nginx.terminate()
            nginx.wait(10)


def nginx_path() -> str | None:
    """Return where nginx is, if it is installed."""
    return shutil.which("nginx", path=_PATH)


def _await(host: str, port: int) -> None:
    for _ in range(500):
        try:
            socket.create_connection((host, port)).close()
        except ConnectionRefusedError:
            time.sleep(0.01)
        else:
            return
    raise SystemExit("nginx did not start")
