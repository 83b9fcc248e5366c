"""`crawl`, and `python -m crawler`."""

import gc
import sys

import click

from crawler.cli import commands
from crawler.cli.streams import reopen_missing, warn
from crawler.errors import CrawlerError, TargetError, UsageError

# Imports leave what stays, and a page hundreds of objects that are gone with it: after the usual
# 700 the collector runs for nothing, in 5 % of a crawl's CPU. Other people's processes we leave be.
_COLLECTED_AFTER = 10_000


def main() -> None:
    """Run the command line; a user's mistake is one line and exit status 2, never a traceback."""
    gc.set_threshold(_COLLECTED_AFTER, *gc.get_threshold()[1:])
    reopen_missing()
    try:
        _check(sys.argv[1:])
        # Not standalone: click would say three lines where one is enough.
        status = commands(prog_name="crawl", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        sys.exit(2)
    except click.Abort:
        sys.exit(130)
    except click.ClickException as error:
        warn(error.format_message())
        sys.exit(2)
    except CrawlerError as error:
        warn(str(error))
        sys.exit(_status_of(error))
    sys.exit(status if isinstance(status, int) else 0)


def _check(words: list[str]) -> None:
    """Raise `UsageError` for what a run cannot keep in its JSON: bytes that are no text."""
    for word in words:
        try:
            word.encode()
        except UnicodeEncodeError:
            raise UsageError(f"{word!r}: is no text in UTF-8") from None


def _status_of(error: CrawlerError) -> int:
    if isinstance(error, UsageError):
        return 2
    return 3 if isinstance(error, TargetError) else 1


if __name__ == "__main__":
    main()
