"""`crawl run NAME`, or `crawl NAME`."""

import sys
from typing import Any

import click

from crawler.cli.finding import find, note_on
from crawler.cli.layers import split
from crawler.cli.logs import Manner
from crawler.cli.options import crawl_options
from crawler.cli.streams import warn


@click.command("run")
@click.argument("name")
@click.option(
    "-a",
    "--argument",
    "arguments",
    multiple=True,
    metavar="NAME=VALUE",
    help="An argument of the spider.",
)
@click.option(
    "--processes", type=int, metavar="N", help="Crawl with N processes (as many as cores, say)."
)
@click.option(
    "--resume",
    is_flag=False,
    flag_value="",
    metavar="[RUN]",
    help="Go on with a run that ended early: the newest, or RUN.",
)
@click.option("--job", metavar="DIR", help="Begin a run in DIR, or go on with it; for supervisors.")
@click.option("--join", metavar="RUN", help="Add a process to a run that is being crawled.")
@click.option(
    "--from",
    "sources",
    multiple=True,
    metavar="RUN|FILE",
    help="Parse stored pages again, of a run or a WARC file; nothing is asked.",
)
@click.option("--worker", is_flag=True, hidden=True)
@click.option("--retry-failed", metavar="RUN", help="Ask again for what failed in RUN.")
@crawl_options
def command(
    name: str,
    arguments: tuple[str, ...],
    processes: int | None,
    resume: str | None,
    job: str | None,
    join: str | None,
    retry_failed: str | None,
    sources: tuple[str, ...],
    outputs: tuple[str, ...],
    pairs: tuple[str, ...],
    *,
    overwrite: bool,
    append: bool,
    quiet: bool,
    verbose: int,
    log_json: bool,
    worker: bool,
    **limits: Any,
) -> None:
    """Run the spider NAME of ./spiders/, or the one in path/file.py[:Class].

    Its data are files in output/NAME/RUN/. What is killed goes on with --resume: nothing is lost,
    nothing is there twice. Exit status: 0 done, 1 failed, 2 usage, 3 a target is full or gone, 4 a
    promise on the items was broken, 130 and 143 stopped by a signal.
    """
    from crawler.cli.choosing import Asked, choose
    from crawler.cli.session import run_crawl, run_worker

    kind = find(name)
    if not worker and (note := note_on(kind.name)):
        warn(f"note: {note}")
    asked = Asked(
        name,
        kind,
        {key: str(value) for key, value in split(arguments, "-a").items()},
        pairs,
        {key: str(value) for key, value in limits.items() if value is not None},
        outputs=outputs,
        overwrite=overwrite,
        append=append,
        processes=processes,
        resume=resume,
        job=job,
        join=join,
        retry_failed=retry_failed,
        sources=sources,
    )
    chosen = choose(asked)
    if chosen is None:
        sys.exit(0)
    manner = Manner(quiet=quiet, verbose=verbose, log_json=log_json)
    given: dict[str, Any] = {"settings": chosen.settings, "manner": manner, "job": chosen.job}
    if worker:
        sys.exit(run_worker(chosen.spider, **given))
    sys.exit(
        run_crawl(
            chosen.spider,
            **given,
            role="only" if join is None else "worker",
            again=chosen.again,
        )
    )
