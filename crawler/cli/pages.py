"""`crawl pages`."""

from pathlib import Path

import click

from crawler import urls
from crawler.archive.answer import Answer
from crawler.archive.archive import Archive
from crawler.archive.sources import all_urls, sources_of
from crawler.cli.layers import layers
from crawler.cli.naming import named_source
from crawler.cli.streams import tell, write
from crawler.errors import FetchError, RunError
from crawler.fetch.stored import decoded
from crawler.settings import merge

_LARGEST = 1_000_000_000
_ENDINGS = ("/", "index.html")


@click.command("pages")
@click.argument("run")
@click.argument("url", required=False)
@click.option("--headers", is_flag=True, help="Print status and headers, not the body.")
@click.option("-s", "--setting", "pairs", multiple=True, metavar="NAME=VALUE", help="A setting.")
def command(run: str, url: str | None, pairs: tuple[str, ...], *, headers: bool) -> None:
    """Print the stored page at URL, or list the URLs of all stored pages.

    RUN is a run's folder, NAME/RUN, NAME (its newest run that has kept pages), or a WARC file. The
    body comes as it was received, its compression undone. A URL that was redirected finds the page
    that it led to.
    """
    below, above = layers(pairs, {})
    output_dir = Path(merge([*below, *above]).output_dir)
    sources = sources_of([str(named_source(run, output_dir))])
    if url is None:
        tell(all_urls(sources))
        return
    archive = Archive(sources)
    try:
        archive.open()
        where, answer = _page(archive, urls.without_credentials(urls.canonicalize(url)), run)
        if headers:
            tell([f"URL: {where}", f"Status: {answer.status}", *_lines(answer)])
        else:
            write(decoded(answer, limit=_LARGEST))
    except FetchError as error:
        raise RunError(f"{url}: {error}") from None
    finally:
        archive.close()


def _page(archive: Archive, url: str, run: str) -> tuple[str, Answer]:
    found = archive.page(url, limit=_LARGEST)
    if found is None:
        close = next((other for other in _others(url) if archive.has(other)), None)
        hint = f"; did you mean {close}?" if close else f"; `crawl pages {run}` lists them"
        raise RunError(f"{url}: is none of the stored pages{hint}")
    if not found[1].is_whole:
        raise RunError(f"{url}: was answered {found[1].status}, of which not all is stored")
    return found


def _others(url: str) -> list[str]:
    """Return what somebody may have meant who wrote this URL."""
    scheme, _, rest = url.partition("://")
    other = "http" if scheme == "https" else "https"
    path = rest.partition("?")[0]
    paths = [path, path + "/", path.rstrip("/"), path + "/index.html"]
    paths += [path.removesuffix(ending) for ending in _ENDINGS]
    hosts = [*paths, *(one.removeprefix("www.") for one in paths), *(f"www.{one}" for one in paths)]
    return [f"{one}://{place}" for one in (scheme, other) for place in [rest, *hosts]]


def _lines(answer: Answer) -> list[str]:
    return [f"{name}: {value}" for name, value in answer.headers]
