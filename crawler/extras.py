"""What only extras install."""

from importlib.util import find_spec
from typing import Final

from crawler.errors import MissingExtra

PACKAGES: Final[dict[str, tuple[str, ...]]] = {
    "parquet": ("pyarrow",),
    "duckdb": ("duckdb", "pyarrow"),
    "postgres": ("asyncpg",),
    "s3": ("fsspec", "s3fs"),
    "gcs": ("fsspec", "gcsfs"),
    "azure": ("fsspec", "adlfs"),
    "sftp": ("fsspec", "sshfs"),
}
"""What is looked for before a crawl begins, as its outputs need it; a test holds that these are
the packages of the extras. Others are found missing when they are first used."""


def require(what: str, extra: str) -> None:
    """Raise `MissingExtra` for `what` if the packages of an extra are not all there."""
    if any(find_spec(package) is None for package in PACKAGES[extra]):
        raise MissingExtra(what, extra)
