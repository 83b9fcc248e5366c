"""What does a page ask of who has it?"""

from crawler.outcome import Outcome
from crawler.parse.robots_words import NOT_KEPT
from crawler.response import Response
from crawler.rules.scope import Scope
from crawler.settings import Settings


class Wishes:
    """Whether a page may be kept, and of which other page it is a copy, as the settings heed it."""

    def __init__(self, settings: Settings, *, scope: Scope) -> None:
        self._withholds = settings.obey_meta_robots and settings.pages != "none"
        self._drops = settings.canonical == "drop"
        self._scope = scope

    def of(self, page: Response) -> tuple[str | None, str | None]:
        """Return why the page may not be kept, and the canonical URL in scope that is not its own.

        Asks for its tree, so not after its callback.
        """
        reasons = sorted(page.directives & NOT_KEPT) if self._withholds else None
        return reasons[0] if reasons else None, self._copy_of(page) if self._drops else None

    def _copy_of(self, page: Response) -> str | None:
        canonical = page.canonical
        if canonical is None or canonical == page.url:
            return None
        return None if self._scope.refusal(canonical, depth=page.depth) else canonical


def heed(outcome: Outcome, reason: str | None, copy_of: str | None) -> None:
    """Write into an outcome what `Wishes.of` its page gave."""
    if outcome.delivered and reason is not None:
        outcome.withheld = True
        outcome.counts[reason] = outcome.counts.get(reason, 0) + 1
    outcome.copy_of = copy_of
