"""Kills at named steps: each process kills itself."""

from itertools import cycle
from pathlib import Path
from typing import NamedTuple

from tests.torture.processes import ROOT, Crawl, Life
from tests.torture.trial import Log, Trial, Unfinished

_KILLED = 128 + 9


class Step(NamedTuple):
    """How often a process that comes to a step dies there; `after` which death it is looked for."""

    odds: float
    after: str = ""


STEPS = {
    "after_fetch": Step(0.04),
    "before_commit": Step(0.1),
    "in_commit": Step(0.1),
    "after_commit": Step(0.1),
    "within_write": Step(0.1),
    "within_body": Step(0.04),
    "before_rename_body": Step(0.04),
    "after_rename_body": Step(0.04),
    # A crawl puts files in their place when it begins, and when it ends.
    "before_rename_file": Step(0.5),
    "after_rename_file": Step(0.5),
    # What a killed process left is cut off, and removed, when the next one begins.
    "before_unlink_file": Step(0.5, after="before_commit"),
    "after_unlink_file": Step(0.5, after="before_commit"),
    "before_truncate": Step(0.5, after="before_commit"),
    "after_truncate": Step(0.5, after="before_commit"),
}


def die_at(trial: Trial, crawl: Crawl, log: Log, *, step: str, most: int) -> None:
    """Crawl to the end; processes die at a step until so many have."""
    marks = crawl.folder / "marks"
    marks.mkdir(parents=True)
    lead = STEPS[step].after
    for one in cycle([lead, step] if lead else [step]):
        is_enough = _deaths(marks, step) >= most
        before = len(list(marks.iterdir()))
        with Life(crawl, {} if is_enough else armed(one, marks, odds=STEPS[one].odds)) as life:
            trial.watch(life)
        for _ in range(len(list(marks.iterdir())) - before):
            trial.site.mark()
        log.kills.clear()
        log.kills.update(mark.name.partition("-")[0] for mark in marks.iterdir())
        if life.status == 0:
            return
        if life.status != _KILLED:
            raise Unfinished(f"exit status {life.status}")


def armed(step: str, marks: Path, *, odds: float) -> dict[str, str]:
    """Return the environment in which Python processes die at a step, so often."""
    hook = Path(__file__).with_name("hook")
    return {
        "PYTHONPATH": f"{hook}:{ROOT}",
        "TORTURE_STEP": f"{step}:{odds}",
        "TORTURE_MARKS": str(marks),
    }


def _deaths(marks: Path, step: str) -> int:
    return len(list(marks.glob(f"{step}-*")))
