"""`crawl demo`."""

import sys
from contextlib import ExitStack
from typing import Any

import click

from crawler.cli.options import crawl_options
from crawler.errors import CrawlerError


@click.command("demo")
@crawl_options
def command(
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
    """Crawl a shop of about 1,000 pages that this command serves itself, on a loopback port."""
    from crawler.app import settings_of
    from crawler.cli.layers import layers
    from crawler.cli.logs import Manner
    from crawler.cli.session import run_crawl
    from crawler.demo.shop import Shop
    from crawler.demo.spider import Demo
    from crawler.jobs import begin

    below, above = layers(pairs, limits)
    settings = settings_of(Demo, below=below, above=above)
    with ExitStack() as stack:
        try:
            shop = stack.enter_context(Shop.in_thread())
        except OSError as error:
            raise CrawlerError(f"the demo shop cannot open: {error.strerror}") from None
        spider = Demo(shop=shop.url)
        status = run_crawl(
            spider,
            settings=settings,
            manner=Manner(quiet=quiet, verbose=verbose, log_json=log_json),
            job=begin(spider, settings, outputs=outputs, overwrite=overwrite, append=append),
        )
    sys.exit(status)
