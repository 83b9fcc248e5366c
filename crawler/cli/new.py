"""`crawl new NAME URL`."""

from pathlib import Path

import click

from crawler import urls
from crawler.cli.finding import note_on
from crawler.cli.streams import tell
from crawler.errors import OutputError, UsageError
from crawler.items import snake_case

_TAKEN = {"Item", "Out", "Page", "Response", "Spider", "None", "True", "False"}
_TEMPLATE = '''\
"""{title}: run it with `crawl {name}`."""

from crawler import Item, Out, Response, Spider


class Page(Item):
    url: str
    title: str


class {title}(Spider[Page]):
{alias}    start_urls = ["{url}"]

    async def parse(self, page: Response) -> Out[Page]:
        yield Page(url=page.url, title=page.text("title", default=""))
        yield page.follow_all()
'''


@click.command("new")
@click.argument("name")
@click.argument("url")
def command(name: str, url: str) -> None:
    """Begin a spider: write spiders/NAME.py, which starts at URL."""
    name = snake_case(name.replace("-", "_").replace(" ", "_"))
    if not name.isidentifier():
        raise UsageError(
            f"a spider's name must be letters, digits and _, a digit not first, got {name!r}"
        )
    # Inside quotes: what ends a text of Python's is percent-encoded, a query's backslash is not.
    address = urls.canonicalize(url if "://" in url else f"https://{url}")
    address = urls.without_credentials(address).replace("\\", r"\\")
    path = Path("spiders") / f"{name}.py"
    title = _class_name(name)
    alias = "" if snake_case(title) == name else f'    name = "{name}"\n'
    text = _TEMPLATE.format(name=name, title=title, alias=alias, url=address)
    try:
        path.parent.mkdir(exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise OutputError(f"{path}: exists already") from None
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror}") from None
    run = "crawl run" if note_on(name) else "crawl"
    tell([f"{path} is written; run it with `{run} {name}`"])


def _class_name(name: str) -> str:
    """Return `my_site` as `MySite`, out of the way of every other name in the file."""
    title = "".join(part.capitalize() for part in name.split("_"))
    return title if title.isidentifier() and title not in _TAKEN else f"{title}Spider"
