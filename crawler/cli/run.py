"""`crawl run NAME`, or `crawl NAME`."""

import sys
from typing import Any

import click

from crawler.cli.finding import build, find, note_on
from crawler.cli.layers import layers, split
from crawler.settings import Settings


@click.command("run")
@click.argument("name")
@click.option(
    "-o",
    "--output",
    "outputs",
    multiple=True,
    metavar="FILE",
    help="Write items here as well; the suffix is the format (.jsonl .json .csv; - for stdout).",
)
@click.option(
    "-a",
    "--argument",
    "arguments",
    multiple=True,
    metavar="NAME=VALUE",
    help="An argument of the spider.",
)
@click.option(
    "-s",
    "--setting",
    "settings",
    multiple=True,
    metavar="NAME=VALUE",
    help="A setting; see `crawl settings`.",
)
@click.option("--max-pages", metavar="N", help="Stop after N pages.")
@click.option("--max-items", metavar="N", help="Stop after the page that brings the Nth item.")
@click.option("--max-seconds", metavar="S", help="Stop after S seconds.")
@click.option("--pages", metavar="KIND", help="Where bodies are kept: files or none.")
@click.option("--overwrite", is_flag=True, help="Replace output files that exist.")
@click.option("--append", is_flag=True, help="Add to output files that exist.")
@click.option("-q", "--quiet", is_flag=True, help="Show nothing but errors.")
@click.option("-v", "--verbose", count=True, help="Show the log; twice for more.")
@click.option("--log-json", is_flag=True, help="Log lines as JSON objects.")
def command(
    name: str,
    outputs: tuple[str, ...],
    arguments: tuple[str, ...],
    settings: tuple[str, ...],
    *,
    overwrite: bool,
    append: bool,
    quiet: bool,
    verbose: int,
    log_json: bool,
    **limits: Any,
) -> None:
    """Run the spider NAME of ./spiders/, or the one in path/file.py[:Class].

    Its data are files in output/NAME/RUN/. Exit status: 0 done, 1 failed, 2 usage, 3 a target is
    full or gone, 130 and 143 stopped by a signal.
    """
    from crawler.app import settings_of
    from crawler.cli.session import Face, run_crawl

    kind = find(name)
    if note := note_on(kind.name):
        print(f"crawl: note: {note}", file=sys.stderr)
    below, above = layers(settings, limits)
    merged: Settings = settings_of(kind, below=below, above=above)
    status = run_crawl(
        build(kind, split(arguments, "-a")),
        settings=merged,
        face=Face(quiet=quiet, verbose=verbose, log_json=log_json),
        outputs=outputs,
        overwrite=overwrite,
        append=append,
    )
    sys.exit(status)
