"""`crawl wacz`."""

from pathlib import Path

import click

from crawler.cli.layers import layers
from crawler.cli.naming import named_run
from crawler.cli.streams import tell
from crawler.errors import RunError
from crawler.export.run_folder import read_record
from crawler.export.wacz import write_wacz
from crawler.jobs import state_of
from crawler.settings import merge
from crawler.words import harmless


@click.command("wacz")
@click.argument("run")
@click.option("-o", "output", type=click.Path(path_type=Path), metavar="FILE", help="Where to.")
@click.option("-s", "--setting", "pairs", multiple=True, metavar="NAME=VALUE", help="A setting.")
def command(run: str, output: Path | None, pairs: tuple[str, ...]) -> None:
    """Pack the archive of a run into one WACZ file, which ReplayWeb.page opens.

    RUN is the folder of a run that was crawled with `--pages warc`, NAME/RUN, or NAME: its newest
    run. Without -o the file is RUN.wacz in that folder.
    """
    below, above = layers(pairs, {})
    folder = named_run(run, Path(merge([*below, *above]).output_dir))
    record = read_record(folder)
    if state_of(folder) == "live":
        raise RunError(f"{folder}: is being crawled now")
    name = folder.absolute().name
    target = output or folder / f"{name}.wacz"
    write_wacz(folder, target, title=f"{record.spider} {name}")
    tell([harmless(str(target))])
