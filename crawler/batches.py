"""What outcomes come to in the frontier."""

from collections.abc import Sequence

from msgspec import structs

from crawler.outcome import MOST_EXAMPLES, Batch, Outcome, Verdict
from crawler.stats import count_into
from crawler.turns import Turns


def batch_of(outcomes: Sequence[Outcome], *, turns: Turns) -> Batch:
    """Return what outcomes bring; without a position, and what is kept."""
    batch = Batch()
    for outcome in outcomes:
        request, host = outcome.request, outcome.request.host
        if outcome.verdict is Verdict.RETRY:
            again = structs.replace(request, attempt=request.attempt + 1)
            batch.retried.append((again, outcome.wait))
        elif outcome.verdict is not Verdict.PARTIAL:
            batch.settled.append(request)
        if outcome.verdict is Verdict.FAILED:
            batch.failed.append((request, [failure.kind for failure in outcome.failures]))
        if outcome.delivered:
            batch.pages[host] = batch.pages.get(host, 0) + 1
            if outcome.page is not None:
                _answer(batch, host, 1, outcome.page.seconds)
        if outcome.notes is not None:
            batch.notes[host] = outcome.notes
            turns.change_pace(host, outcome.notes)
        if outcome.gives_up:
            batch.given_up[host] = outcome.gives_up
        if host:
            batch.due[host] = turns.due(host)
            if (delay := turns.manners.delay(host)) is not None:
                batch.delays[host] = delay
        batch.found.extend(outcome.found)
        batch.examples += [
            f"{failure.kind}: {failure.reason}: {failure.url}" for failure in outcome.failures
        ]
        batch.item_keys += [line.key for line in outcome.items if line.key is not None]
        count_into(batch.counts, outcome)
    batch.alone = turns.manners.left_alone()
    for name, number in turns.manners.counted().items():
        batch.counts[name] = batch.counts.get(name, 0) + number
    batch.examples = batch.examples[:MOST_EXAMPLES]
    return batch


def may_be_posted(outcomes: Sequence[Outcome]) -> bool:
    """True if nothing of these outcomes has to be true at once."""
    return all(map(_may_be_posted, outcomes))


def _may_be_posted(outcome: Outcome) -> bool:
    if outcome.verdict is not Verdict.DONE:
        return False
    if outcome.notes is not None or outcome.gives_up or outcome.signal is not None:
        return False
    return outcome.page is None or not (outcome.page.redirects or outcome.copy_of)


def _answer(batch: Batch, host: str, answers: int, seconds: float) -> None:
    before = batch.answers.get(host, (0, 0.0))
    batch.answers[host] = (before[0] + answers, before[1] + seconds)
