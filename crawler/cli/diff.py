"""`crawl diff`."""

import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec

from crawler.cli.layers import layers
from crawler.cli.naming import named_run
from crawler.cli.streams import tell, warn
from crawler.differing import differences
from crawler.exporting import kept_items
from crawler.settings import merge

_WORDS = ("added", "changed", "removed")


@click.command("diff")
@click.argument("before", metavar="RUN")
@click.argument("after", metavar="RUN")
@click.option(
    "--key",
    "keys",
    multiple=True,
    metavar="FIELD",
    help="What tells two items apart, if their type has no key; repeatable.",
)
@click.option("-q", "--quiet", is_flag=True, help="Only say how many, on standard error.")
def command(before: str, after: str, keys: tuple[str, ...], *, quiet: bool) -> None:
    """Show how the items of two runs differ, as JSON lines: added, changed, removed.

    RUN is a run's folder, NAME/RUN, or NAME: its newest run. Items are told apart by the key of
    their type, or --key; others are compared whole. Exit status: 0 no difference, 1 some, 2 usage.
    """
    below, above = layers((), {})
    output_dir = Path(merge([*below, *above]).output_dir)
    runs = [kept_items(named_run(run, output_dir)) for run in (before, after)]
    seen: Counter[str] = Counter()

    def lines() -> Iterator[str]:
        for change in differences(*runs, keys=keys):
            seen[change.change] += 1
            if not quiet:
                yield json.dumps(msgspec.to_builtins(change))  # ASCII: nothing drives a terminal

    tell(lines())
    warn(", ".join(f"{seen[word]:,} {word}" for word in _WORDS))
    sys.exit(1 if seen else 0)
