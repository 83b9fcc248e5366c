"""`crawl list`."""

import inspect
import sys
from pathlib import Path

import click

from crawler.cli.finding import note_on, spiders_in


@click.command("list")
def command() -> None:
    """List the spiders of ./spiders/, with the first line of what each says of itself."""
    here = spiders_in(Path("spiders"))
    width = max((len(name) for name in here.spiders), default=0)
    for name, found in sorted(here.spiders.items()):
        words = (inspect.getdoc(found.kind) or "").partition("\n")[0]
        inherited = found.kind.__doc__ is None
        click.echo(f"{name:{width}}  {found.path}" + ("" if inherited else f"  {words}"))
        if note := note_on(name):
            click.echo(f"crawl: note: {note}", err=True)
    for reason in here.broken:
        click.echo(f"crawl: {reason}", err=True)
    if not here.spiders and not here.broken:
        click.echo("no spiders in ./spiders/; `crawl new NAME URL` begins one", err=True)
    sys.exit(2 if here.broken else 0)
