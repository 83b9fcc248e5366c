"""What every command that crawls can be told."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

_OPTIONS = (
    click.option(
        "-o",
        "--output",
        "outputs",
        multiple=True,
        metavar="FILE",
        help="Write items here as well: .jsonl .json .csv .xml .parquet .db .duckdb, also .gz "
        ".zst; postgresql:// s3:// gs:// az:// sftp://; - for stdout.",
    ),
    click.option(
        "-s",
        "--setting",
        "pairs",
        multiple=True,
        metavar="NAME=VALUE",
        help="A setting; see `crawl settings`.",
    ),
    click.option("--max-pages", metavar="N", help="Stop after N pages."),
    click.option("--max-items", metavar="N", help="Stop after the page that brings the Nth item."),
    click.option("--max-seconds", metavar="S", help="Stop after S seconds."),
    click.option(
        "--pages", metavar="KIND", help="How pages are kept: files, markdown, warc or none."
    ),
    click.option("--overwrite", is_flag=True, help="Replace output files that exist."),
    click.option("--append", is_flag=True, help="Add to output files that exist."),
    click.option("-q", "--quiet", is_flag=True, help="Show nothing but errors."),
    click.option("-v", "--verbose", count=True, help="Show the log; twice for more."),
    click.option("--log-json", is_flag=True, help="Log lines as JSON objects."),
)


def crawl_options(command: F) -> F:
    """Give a command the options of a crawl, in the order of its help."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command
