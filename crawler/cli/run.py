"""`crawl run NAME`, or `crawl NAME`."""

import sys
from typing import Any

import click

from crawler.cli.finding import build, find, note_on
from crawler.cli.layers import layers, split
from crawler.cli.logs import Manner
from crawler.cli.options import crawl_options
from crawler.cli.streams import warn


@click.command("run", short_help="Run a spider; `crawl NAME` is the same.")
@click.argument("name")
@click.option(
    "-a",
    "--argument",
    "arguments",
    multiple=True,
    metavar="NAME=VALUE",
    help="An argument of the spider.",
)
@crawl_options
def command(
    name: str,
    arguments: tuple[str, ...],
    outputs: tuple[str, ...],
    pairs: tuple[str, ...],
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
    from crawler.cli.session import run_crawl

    kind = find(name)
    if note := note_on(kind.name):
        warn(f"note: {note}")
    below, above = layers(pairs, limits)
    settings = settings_of(kind, below=below, above=above)
    status = run_crawl(
        build(kind, split(arguments, "-a")),
        settings=settings,
        manner=Manner(quiet=quiet, verbose=verbose, log_json=log_json),
        outputs=outputs,
        overwrite=overwrite,
        append=append,
    )
    sys.exit(status)
