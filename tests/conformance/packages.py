"""Outside suites, as they come in packages of PyPI and npm.

Nothing of them is in this repository: each is downloaded when it is first asked for, and its hash
is compared. Code of theirs that runs: the build backend's metadata step of a source distribution,
and the two packages that Node.js decodes and sniffs with.
"""

import hashlib
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parent / ".suites"


class Package(NamedTuple):
    """One archive; `sdist` says that a wheel of PyPI lacks the tests."""

    registry: str
    name: str
    version: str
    file: str
    sha256: str
    sdist: bool = False

    def fetched(self) -> Path:
        """Return where the archive is, downloaded if it is not there yet."""
        archive = FOLDER / self.file
        if not archive.exists():
            FOLDER.mkdir(exist_ok=True)
            command = self._pip() if self.registry == "pypi" else self._npm()
            subprocess.run(command, cwd=FOLDER, check=True, stdout=subprocess.DEVNULL)
        found = hashlib.sha256(archive.read_bytes()).hexdigest()
        if found != self.sha256:
            raise SystemExit(f"{archive}: expected the hash {self.sha256}, got {found}")
        return archive

    def read(self, member: str) -> str:
        """Return a text file of the archive."""
        archive = self.fetched()
        if archive.suffix == ".whl":
            with zipfile.ZipFile(archive) as files:
                return files.read(member).decode()
        with tarfile.open(archive) as tar:
            file = tar.extractfile(member)
            assert file is not None, member
            return file.read().decode()

    def installed(self) -> Path:
        """Return the package's folder where Node.js looks for it."""
        where = FOLDER / "node_modules" / self.name
        if not where.exists():
            where.parent.mkdir(parents=True, exist_ok=True)
            with tarfile.open(self.fetched()) as tar:
                tar.extractall(FOLDER, filter="data")
            (FOLDER / "package").rename(where)
        return where

    def _pip(self) -> list[str]:
        kind = "--no-binary" if self.sdist else "--only-binary"
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
        return [*pip, "--no-deps", kind, ":all:", f"{self.name}=={self.version}"]

    def _npm(self) -> list[str]:
        npm = shutil.which("npm")
        if npm is None:
            raise SystemExit("npm is missing: apt-get install npm, or https://nodejs.org")
        return [npm, "pack", "--silent", f"{self.name}@{self.version}"]
