"""`crawl settings`."""

import click
import msgspec

from crawler.cli.layers import layers
from crawler.cli.streams import tell
from crawler.settings import NAMES, Layer, describe, merge


@click.command("settings")
@click.argument("name", required=False)
@click.option("-s", "--setting", "pairs", multiple=True, metavar="NAME=VALUE", help="A setting.")
def command(name: str | None, pairs: tuple[str, ...]) -> None:
    """List every setting: its value, which layer set it, and what it is for."""
    from crawler.cli.finding import find
    from crawler.rules.credentials import masked

    below, above = layers(pairs, {})
    own = []
    if name is not None:
        spider = find(name)
        own = [Layer(f"spider {spider.name}", spider.settings)]
    stack = [*below, *own, *above]
    merged = masked(merge(stack))
    sources = {key: layer.name for layer in stack for key in layer.values}
    words = describe()
    lines = []
    for setting in NAMES:
        value = shown(getattr(merged, setting))
        source = f"  ({sources[setting]})" if setting in sources else ""
        lines += [f"{setting} = {value}{source}", f"    {words[setting]}"]
    tell(lines)


def shown(value: object) -> str:
    """Return a value as it would be written after `-s NAME=`."""
    if isinstance(value, tuple):
        return ",".join(str(part) for part in value)
    if isinstance(value, bool | dict):
        return msgspec.json.encode(value).decode()
    return "none" if value is None else str(value)
