"""Servers that files are uploaded to: S3, Google's, SFTP; real ones, on loopback ports."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

SFTP = """
import asyncio, asyncssh, sys
class Server(asyncssh.SSHServer):
    def begin_auth(self, username): return True
    def password_auth_supported(self): return True
    def validate_password(self, username, password): return password == "secret"
async def main(port, folder, key):
    asyncssh.set_log_level("ERROR")
    files = lambda channel: asyncssh.SFTPServer(channel, chroot=folder)
    options = {"server_host_keys": [key], "sftp_factory": files}
    await asyncssh.create_server(Server, "127.0.0.1", port, **options)
    await asyncio.Event().wait()
asyncio.run(main(int(sys.argv[1]), sys.argv[2].encode(), sys.argv[3]))
"""


class Store(NamedTuple):
    """Where files may be put: below `url`, with `environment`; `process` is the server."""

    url: str
    environment: Mapping[str, str]
    process: "subprocess.Popen[bytes]"
    port: int


def free_port() -> int:
    with socket.socket() as some:
        some.bind(("127.0.0.1", 0))
        port: int = some.getsockname()[1]
        return port


@contextmanager
def serving(command: list[str], port: int) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a server until the end of the block, from when it answers on."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            assert process.poll() is None, f"{command[0]} ended at once"
            time.sleep(0.05)
        yield process
    finally:
        process.kill()
        process.wait()


@contextmanager
def s3(port: int | None = None) -> Iterator[Store]:
    """moto's S3, with a bucket `books`."""
    port = port or free_port()
    environment = {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": "k",
        "AWS_SECRET_ACCESS_KEY": "s",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_MAX_ATTEMPTS": "1",  # one that is gone is said to be so at once
    }
    program = str(Path(sys.executable).with_name("moto_server"))
    with serving([program, "-H", "127.0.0.1", "-p", str(port)], port) as process:
        script = "import boto3; boto3.client('s3').create_bucket(Bucket='books')"
        subprocess.run(
            [sys.executable, "-c", script], check=True, env={**os.environ, **environment}
        )
        yield Store("s3://books/", environment, process, port)


@contextmanager
def gcs() -> Iterator[Store]:
    """An emulator of Google's storage, with a bucket `books`."""
    port = free_port()
    environment = {"STORAGE_EMULATOR_HOST": f"http://127.0.0.1:{port}", "GOOGLE_CLOUD_PROJECT": "p"}
    program = str(Path(sys.executable).with_name("gcp-storage-emulator"))
    command = [program, "start", "--host", "127.0.0.1", "--port", str(port), "--in-memory"]
    with serving([*command, "--default-bucket", "books"], port) as process:
        yield Store("gs://books/", environment, process, port)


@contextmanager
def sftp(folder: Path) -> Iterator[Store]:
    """An SSH server that knows one password, `secret`, and has one folder."""
    import asyncssh

    port, key = free_port(), asyncssh.generate_private_key("ssh-ed25519")
    (folder / "home" / ".ssh").mkdir(parents=True)
    (folder / "files").mkdir()
    key.write_private_key(folder / "key")
    public = key.export_public_key().decode()
    (folder / "home" / ".ssh" / "known_hosts").write_text(f"[127.0.0.1]:{port} {public}")
    command = [sys.executable, "-c", SFTP, str(port), str(folder / "files"), str(folder / "key")]
    with serving(command, port) as process:
        url = f"sftp://me:secret@127.0.0.1:{port}/"
        yield Store(url, {"HOME": str(folder / "home")}, process, port)
