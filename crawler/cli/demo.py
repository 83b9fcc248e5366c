"""`crawl demo`."""

import sys

import click


@click.command("demo")
@click.option("-o", "--output", "outputs", multiple=True, metavar="FILE", help="Write items here.")
@click.option("-s", "--setting", "pairs", multiple=True, metavar="NAME=VALUE", help="A setting.")
@click.option("--overwrite", is_flag=True, help="Replace output files that exist.")
@click.option("-q", "--quiet", is_flag=True, help="Show nothing but errors.")
@click.option("-v", "--verbose", count=True, help="Show the log.")
def command(
    outputs: tuple[str, ...],
    pairs: tuple[str, ...],
    *,
    overwrite: bool,
    quiet: bool,
    verbose: int,
) -> None:
    """Crawl a shop of about 1,000 pages that this command serves itself, on a loopback port."""
    from crawler.app import settings_of
    from crawler.cli.layers import layers
    from crawler.cli.session import Face, run_crawl
    from crawler.demo.shop import Shop
    from crawler.demo.spider import Demo

    below, above = layers(pairs, {})
    settings = settings_of(Demo, below=below, above=above)
    with Shop.in_thread() as shop:
        status = run_crawl(
            Demo(shop=shop.url),
            settings=settings,
            face=Face(quiet=quiet, verbose=verbose),
            outputs=outputs,
            overwrite=overwrite,
        )
    sys.exit(status)
