"""A real PostgreSQL on a loopback port and a private socket, in a folder of its own."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest

_FOLDERS = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
_FAST = ("fsync=off", "full_page_writes=off", "shared_buffers=16MB", "max_connections=20")
_SECONDS = 20


class Postgres:
    """A server with one superuser, `crawl`, whose password is `s3cret!`, and a database of it."""

    def __init__(self, bin_folder: Path, folder: Path) -> None:
        self.folder = folder
        self.port = _free_port()
        self._bin = bin_folder
        self._as: tuple[str, ...] = (
            "setpriv",
            "--reuid=postgres",
            "--regid=postgres",
            "--clear-groups",
        )
        self._process: subprocess.Popen[bytes] | None = None
        if os.getuid():
            self._as = ()
        else:
            shutil.chown(folder, "postgres", "postgres")
        password = folder / "password"
        password.write_text("s3cret!")
        password.chmod(0o644)
        self._run(
            "initdb", "-D", str(folder / "data"), "-U", "crawl", "-A", "scram-sha-256",
            f"--pwfile={password}", "-N", "-E", "UTF8", "--locale=C",
        )  # fmt: skip
        self.start()

    @property
    def url(self) -> str:
        """The URL of its database, password included."""
        return self.url_of()

    def url_of(self, schema: str = "public", *, port: int = 0, password: str = "s3cret!") -> str:
        login = f"crawl:{password}@127.0.0.1:{port or self.port}"
        return f"postgresql://{login}/postgres?search_path={schema}"

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        options = [f"-c{option}" for option in _FAST]
        self._process = subprocess.Popen(
            [
                *self._as, str(self._bin / "postgres"), "-D", str(self.folder / "data"),
                "-p", str(self.port), "-h", "127.0.0.1", "-k", str(self.folder), *options,
            ],
            cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        ready = [str(self._bin / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        for _ in range(_SECONDS * 20):
            if subprocess.run([*ready, "-t", "1"], check=False).returncode == 0:
                return
        raise AssertionError("PostgreSQL does not start")

    def stop(self) -> None:
        """Stop it as a crash does: connections break, nothing is written out."""
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(signal.SIGQUIT)  # `pg_ctl stop -m immediate`
            process.wait(_SECONDS)

    def remove(self) -> None:
        """Stop it, and leave nothing behind."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def sql(self, text: str, *, schema: str = "public") -> list[str]:
        """Return what psql says to some SQL: a line a row, columns between bars."""
        login = {"PGPASSWORD": "s3cret!", "PGOPTIONS": f"-c search_path={schema}"}
        done = subprocess.run(
            [
                "psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", text,
                "-h", "127.0.0.1", "-p", str(self.port), "-U", "crawl", "postgres",
            ],
            check=False, capture_output=True, text=True, env={**os.environ, **login},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout.removesuffix("\n").split("\n") if done.stdout else []

    def schema(self, name: str) -> str:
        """Make a place for tables; return its URL."""
        self.sql(f"CREATE SCHEMA {name}")
        return self.url_of(name)

    def _run(self, program: str, *words: str) -> None:
        command: Sequence[str] = [*self._as, str(self._bin / program), *words]
        subprocess.run(command, check=True, cwd=self.folder, stdout=subprocess.DEVNULL)


def start_postgres() -> Postgres:
    """Start one; skips the test where there is none."""
    if not _FOLDERS or shutil.which("psql") is None:
        pytest.skip("needs PostgreSQL: apt-get install postgresql")
    folder = Path(tempfile.mkdtemp(prefix="crawl-pg-"))  # a socket's path is short
    folder.chmod(0o755)
    return Postgres(_FOLDERS[-1], folder)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port
