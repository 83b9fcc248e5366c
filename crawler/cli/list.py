"""`crawl list`."""

import inspect
import sys
from pathlib import Path

import click

from crawler.cli.finding import note_on, spiders_in
from crawler.cli.streams import tell, warn


@click.command("list")
def command() -> None:
    """List the spiders of ./spiders/, with the first line of what each says of itself."""
    here = spiders_in(Path("spiders"))
    width = max((len(name) for name in here.spiders), default=0)
    reach = max((len(str(found.path)) for found in here.spiders.values()), default=0)
    lines = []
    for name, found in sorted(here.spiders.items()):
        words = "" if found.kind.__doc__ is None else inspect.getdoc(found.kind) or ""
        line = f"{name:{width}}  {found.path!s:{reach}}  {words.partition(chr(10))[0]}"
        lines.append(line.rstrip())
    tell(lines)
    for name in here.spiders:
        if note := note_on(name):
            warn(f"note: {note}")
    for reason in here.broken:
        warn(reason)
    if not here.spiders and not here.broken:
        warn("no spiders in ./spiders/; `crawl new NAME URL` begins one")
    sys.exit(2 if here.broken else 0)
