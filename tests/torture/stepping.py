"""Kills at named steps: each process kills itself."""

from pathlib import Path

from tests.torture.processes import ROOT, Crawl, Life
from tests.torture.trial import Log, Trial, Unfinished

_KILLED = 128 + 9

STEPS = {
    "after_fetch": 0.04,
    "before_commit": 0.1,
    "in_commit": 0.1,
    "after_commit": 0.1,
    "within_write": 0.05,
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


def die_at(trial: Trial, crawl: Crawl, log: Log, *, step: str, most: int) -> None:
    """Crawl to the end; processes die at a step until so many have."""
    marks = crawl.folder / "marks"
    marks.mkdir(parents=True)
    status: int | None = _KILLED
    while status == _KILLED:
        hits = _count(marks)
        with Life(crawl, armed(step, marks, odds=STEPS[step]) if hits < most else {}) as life:
            trial.watch(life)
            status = life.status
        for _ in range(_count(marks) - hits):
            trial.site.mark()
        log.kills[step] = _count(marks)
    if status != 0:
        raise Unfinished(f"exit status {status}")


def armed(step: str, marks: Path, *, odds: float) -> dict[str, str]:
    """Return the environment in which Python processes die at a step, so often."""
    hook = Path(__file__).with_name("hook")
    return {
        "PYTHONPATH": f"{hook}:{ROOT}",
        "TORTURE_STEP": f"{step}:{odds}",
        "TORTURE_MARKS": str(marks),
    }


def _count(marks: Path) -> int:
    return len(list(marks.iterdir()))
