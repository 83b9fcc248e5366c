"""Files in object stores and on other machines: whole there, or absent."""

import hashlib
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from msgspec import Struct

from crawler.errors import OutputError, TargetError
from crawler.export.naming import any_part, has_gap, part_number, whole
from crawler.extras import require
from crawler.urls import without_credentials

_PART = ".part"


class Scheme(Struct, frozen=True):
    """How files of a scheme are reached.

    `extra` installs what fsspec needs for it. `errors()` are what it raises
    when something is refused or gone, besides `OSError`. `renames`: a file appears there while it
    is written, so it is written beside its place.
    """

    extra: str
    errors: Callable[[], tuple[type[Exception], ...]]
    renames: bool = False


def _s3() -> tuple[type[Exception], ...]:
    from botocore.exceptions import BotoCoreError, ClientError

    return (BotoCoreError, ClientError)


def _gcs() -> tuple[type[Exception], ...]:
    from aiohttp import ClientError
    from gcsfs.retry import HttpError
    from google.auth.exceptions import GoogleAuthError

    return (HttpError, ClientError, GoogleAuthError)


def _azure() -> tuple[type[Exception], ...]:
    from azure.core.exceptions import AzureError

    return (AzureError, ValueError)  # ValueError: no account or credential is named


def _sftp() -> tuple[type[Exception], ...]:
    from asyncssh import Error

    return (Error,)


SCHEMES: dict[str, Scheme] = {
    "s3": Scheme("s3", _s3),
    "gs": Scheme("gcs", _gcs),
    "az": Scheme("azure", _azure),
    "sftp": Scheme("sftp", _sftp, renames=True),
}


def scheme_of(path: str) -> str:
    """Return the scheme of a URL, "" for a path."""
    scheme, found, _ = path.partition("://")
    return scheme.lower() if found and scheme.isalnum() else ""


def check_installed(path: str) -> None:
    """Raise `MissingExtra` if what a remote file is reached with is not installed."""
    require(shown(path), SCHEMES[scheme_of(path)].extra)


def shown(path: str) -> str:
    """Return a remote file's name for people: without a password."""
    return without_credentials(path)


class Uploads:
    """Where the files of one target are made before they are uploaded, and how that is done.

    `url` is the target's; `folder` has its files as its host has them. All methods block.
    """

    def __init__(self, url: str, folder: Path, *, replaces: bool = False) -> None:
        scheme, _, rest = url.partition("://")
        host, _, self._rest = rest.partition("/")
        self._scheme = scheme.lower()
        self._origin = f"{self._scheme}://{host}/"
        # Of two hosts, or users, one must not find the other's files; a password is in no name.
        self._folder = folder / hashlib.sha256(self._origin.encode()).hexdigest()[:12]
        self._replaces = replaces

    @property
    def path(self) -> str:
        """The name, here, of what the URL names; its gaps stay."""
        folder = str(self._folder).replace("{", "{{").replace("}", "}}")
        return os.path.join(folder, self._rest.lstrip("/"))

    def check_absent(self, name: str) -> None:
        """Raise `OutputError` if a file of another's would be replaced; `TargetError`.

        `name` has no gap but for the number of a part: none may be there.
        """
        if self._replaces:
            return
        if has_gap(name, "part"):
            there = min(map(self._url_of, self._parts(name)), default="")
        else:
            url = self._url_of(whole(name))
            there = url if self._try(url, lambda system, place: system.exists(place)) else ""
        if there:
            raise OutputError(f"{shown(there)}: exists; use --overwrite")

    def drop_parts(self, name: str, *, beyond: int) -> None:
        """Remove parts of others that this run, which replaces them, has no part for.

        `name` has a gap for the number of a part only. Raises `TargetError`.
        """
        if self._replaces and has_gap(name, "part"):
            for part, number in self._parts(name).items():
                if number > beyond:
                    self._try(self._url_of(part), lambda system, there: system.rm(there))

    def upload(self, path: Path) -> None:
        """Put a file in its place there, whole or not at all. Raises `TargetError`."""

        def put(system: Any, name: str) -> None:
            beside = name + _PART if SCHEMES[self._scheme].renames else name
            system.put_file(str(path), beside)
            if beside != name:
                system.mv(beside, name)

        self._try(self._url_of(str(path)), put)

    def discard(self, path: Path) -> None:
        """Remove a file that is uploaded from here."""
        with suppress(FileNotFoundError):
            path.unlink()

    def _parts(self, name: str) -> dict[str, int]:
        """Return the numbers of the parts that are there, by their paths here."""
        url = self._url_of(any_part(name))
        path = url.removeprefix(self._origin)
        found = self._try(url, lambda system, there: _found(system, there, tail=path))
        numbers = {part: part_number(part, name) for part in map(self._here, found)}
        return {part: number for part, number in numbers.items() if number is not None}

    def _here(self, name: str) -> str:
        return str(self._folder / name)

    def _url_of(self, path: str) -> str:
        return self._origin + Path(path).relative_to(self._folder).as_posix()

    def _try(self, url: str, work: Callable[[Any, str], Any]) -> Any:
        """Do something with the file system and the name of a URL; map what it raises."""
        import fsspec

        refusals: tuple[type[Exception], ...] = (OSError, *SCHEMES[self._scheme].errors())
        try:
            # None that was made before: its connection, or its key, may be why it failed.
            system, name = fsspec.url_to_fs(url, skip_instance_cache=True)
            return work(system, name)
        except refusals as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            raise TargetError(f"{shown(url)}: {reason}") from None


def _found(system: Any, name: str, *, tail: str) -> list[str]:
    """Return what matches a pattern, as paths below the host: `name` ends with `tail`."""
    start = len(name) - len(tail)
    return [found[start:] for found in system.glob(name)]
