"""The command line: one file a command, imported when it is called."""

from importlib import import_module

import click

from crawler.settings import VERSION

# What each does stands here, so that `crawl --help` imports none of them.
COMMANDS = {
    "run": "Run a spider; `crawl NAME` is the same.",
    "list": "List the spiders of ./spiders/.",
    "runs": "List the runs there are, and how far each got.",
    "export": "Write the items of a run to other files.",
    "diff": "Show how the items of two runs differ.",
    "pages": "Print a stored page of a run, or list them.",
    "wacz": "Pack the archive of a run into one WACZ file.",
    "new": "Begin a spider: write spiders/NAME.py.",
    "demo": "Crawl a shop of 1,000 pages, served here.",
    "settings": "List every setting and what set it.",
}


class _Commands(click.Group):
    """Imports a command when it is asked for; any other word is the name of a spider to run."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:  # noqa: ARG002
        if name not in COMMANDS:
            return None
        command: click.Command = import_module(f"crawler.cli.{name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            return "run", self.get_command(ctx, "run"), args
        return super().resolve_command(ctx, args)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            name = error.option_name
            words = f"{error.format_message()} Options stand behind a name: crawl NAME {name}"
            raise click.UsageError(words, ctx) from None

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write_usage(ctx.command_path, "NAME [OPTIONS]")
        formatter.write_usage(ctx.command_path, "COMMAND [OPTIONS]")

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, prog_name="crawl", message="%(prog)s %(version)s")
def commands() -> None:
    """Crawl sites with the spiders in ./spiders/.

    `crawl NAME` runs a spider and leaves its data in output/NAME/; `crawl run --help` lists the
    options.
    """
