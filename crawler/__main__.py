"""`crawl`, and `python -m crawler`."""

import sys

from crawler.cli import commands
from crawler.errors import CrawlerError, UsageError


def main() -> None:
    """Run the command line; a user's mistake is one line and exit status 2, never a traceback."""
    try:
        commands(prog_name="crawl")
    except UsageError as error:
        print(f"crawl: {error}", file=sys.stderr)
        sys.exit(2)
    except CrawlerError as error:
        print(f"crawl: {error}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
