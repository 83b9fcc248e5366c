"""`crawl export`."""

import asyncio
from pathlib import Path

import click

from crawler.cli.layers import layers
from crawler.cli.naming import named_run
from crawler.cli.streams import check_stdout, warn
from crawler.cli.units import size_of
from crawler.errors import UsageError
from crawler.settings import merge


@click.command("export")
@click.argument("run")
@click.option(
    "-o",
    "--output",
    "outputs",
    multiple=True,
    metavar="FILE",
    help="Where to write the items, as `crawl run -o` has it; repeatable.",
)
@click.option("-s", "--setting", "pairs", multiple=True, metavar="NAME=VALUE", help="A setting.")
@click.option("--overwrite", is_flag=True, help="Replace output files that exist.")
@click.option("--append", is_flag=True, help="Add to output files that exist.")
@click.option("-q", "--quiet", is_flag=True, help="Show nothing but errors.")
def command(
    run: str,
    outputs: tuple[str, ...],
    pairs: tuple[str, ...],
    *,
    overwrite: bool,
    append: bool,
    quiet: bool,
) -> None:
    """Write the items of a run to other files, databases or stores.

    RUN is a run's folder, NAME/RUN, or NAME: its newest run. A database that has a part of the
    run's items gets the rest. Exit status 3: a target is full or gone; the same again goes on.
    """
    from crawler.exporting import export, kept_items

    if not outputs:
        raise UsageError("crawl export takes at least one -o FILE")
    if "-" in outputs:
        check_stdout()
    below, above = layers(pairs, {})
    settings = merge([*below, *above])
    kept = kept_items(named_run(run, Path(settings.output_dir)))
    asyncio.run(export(kept, outputs, settings=settings, overwrite=overwrite, append=append))
    if not kept.is_whole:
        warn(f"note: {kept.folder} is unfinished; these are its items so far")
    if not quiet:
        number = sum(1 for _ in kept.lines())
        warn(f"{kept.folder}: {number:,} items ({size_of(kept.end - kept.begin)}) written")
