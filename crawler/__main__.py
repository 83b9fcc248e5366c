"""`crawl`, and `python -m crawler`."""

import sys

import click

from crawler.cli import commands
from crawler.errors import CrawlerError, UsageError


def main() -> None:
    """Run the command line; a user's mistake is one line and exit status 2, never a traceback."""
    try:
        # Not standalone: click would say three lines where one is enough.
        status = commands(prog_name="crawl", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        sys.exit(2)
    except click.Abort:
        sys.exit(130)
    except (UsageError, click.ClickException) as error:
        said = error.format_message() if isinstance(error, click.ClickException) else str(error)
        print(f"crawl: {said}", file=sys.stderr)
        sys.exit(2)
    except CrawlerError as error:
        print(f"crawl: {error}", file=sys.stderr)
        sys.exit(1)
    sys.exit(status if isinstance(status, int) else 0)


if __name__ == "__main__":
    main()
