"""Kills at named steps: each process kills itself."""

from collections import Counter
from pathlib import Path

from tests.torture.processes import ROOT, Crawl, Life
from tests.torture.trial import Log, Trial, Unfinished

_KILLED = 128 + 9


STEPS = {
    "after_fetch": 0.04,
    "before_commit": 0.1,
    "in_commit": 0.1,
    "after_commit": 0.1,
    "within_write": 0.1,
    "within_body": 0.04,
    "before_rename_body": 0.04,
    "after_rename_body": 0.04,
    "before_rename_file": 0.5,
    "after_rename_file": 0.5,
    "before_unlink_file": 0.5,
    "after_unlink_file": 0.5,
    "before_truncate": 0.5,
    "after_truncate": 0.5,
}
"""The steps, each with its odds: how often a process that comes there dies."""
_ANYWAY = {"before_commit": 0.1}
"""Processes die here as well: what one has left is cut off and removed by the next."""


def die_at(trial: Trial, crawl: Crawl, log: Log, *, step: str, most: int) -> None:
    """Crawl to the end; processes die at a step until so many have."""
    marks = crawl.folder / "marks"
    marks.mkdir(parents=True)
    status: int | None = _KILLED
    died = 0
    # 1: the workers died so often in a row that their parent gave the crawl up.
    while status == _KILLED or (status == 1 and died):
        is_enough = _deaths(marks)[step] >= most
        before = _deaths(marks).total()
        with Life(
            crawl, {} if is_enough else armed(marks, **{**_ANYWAY, step: STEPS[step]})
        ) as life:
            trial.watch(life)
            status = life.status
        log.kills = _deaths(marks)
        if died := log.kills.total() - before:
            trial.site.mark()
            log.together.append(died)
    if status != 0:
        raise Unfinished(f"exit status {status}")


def armed(marks: Path, **odds: float) -> dict[str, str]:
    """Return the environment in which Python processes die at these steps, so often."""
    hook = Path(__file__).with_name("hook")
    return {
        "PYTHONPATH": f"{hook}:{ROOT}",
        "TORTURE_STEPS": " ".join(f"{step}:{lot}" for step, lot in odds.items()),
        "TORTURE_MARKS": str(marks),
    }


def _deaths(marks: Path) -> Counter[str]:
    return Counter(mark.name.partition("-")[0] for mark in marks.iterdir())
