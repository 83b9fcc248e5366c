"""Whatever is done with a frontier, in whatever order: it comes to what a simple model says."""

import shutil
import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import rule, run_state_machine_as_test

from crawler.frontier.memory import MemoryFrontier
from crawler.frontier.sqlite import SqliteFrontier
from crawler.outcome import Restart
from tests.frontier.machine import Machine


class Memory(Machine):
    """The frontier in memory, which has one life."""

    def open(self) -> None:
        self.frontier = MemoryFrontier(**self.options)
        self.runner.run(self.frontier.open())


class Sqlite(Machine):
    """The frontier in a file, which is closed and opened again, or found as a kill left it."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.killed: list[SqliteFrontier] = []

    def open(self) -> None:
        self.life = self.frontier = SqliteFrontier(self._place(), **self.options)
        assert self.runner.run(self.life.open()).fresh

    def teardown(self) -> None:
        for frontier in self.killed:
            self.runner.run(frontier.aclose())
        super().teardown()
        shutil.rmtree(self.folder)

    @rule(is_kill=st.booleans())
    def live_again(self, is_kill: bool) -> None:
        before, in_flight = self._place(), 0
        self.lives += 1
        if is_kill:
            self.killed.append(self.life)
            in_flight = len(self.model.out())
        else:
            self.runner.run(self.life.aclose())
        for path in before.glob("frontier.db*"):
            if not path.name.endswith("-shm"):
                shutil.copy(path, self._place())
        self._end_life()
        self.life = self.frontier = SqliteFrontier(self._place(), **self.options)
        self._check(self.runner.run(self.life.open()), in_flight)

    def _place(self) -> Path:
        place = self.folder / str(self.lives)
        place.mkdir(exist_ok=True)
        return place

    def _check(self, restart: Restart, in_flight: int) -> None:
        delayed = [request for _, request in self.model.delayed]
        queued = [request for host in self.model.hosts.values() for request in host.queue]
        assert restart.in_flight == in_flight
        assert restart.queued == len(queued) + len(delayed)
        assert restart.callbacks == Counter(r.callback for r in (*queued, *delayed))
        assert +Counter(restart.counts) == +self.model.counts
        assert (restart.position, restart.kept) == (self.model.position, self.model.kept)


@pytest.mark.parametrize(("machine", "examples"), [(Memory, 150), (Sqlite, 60)])
def test_a_frontier_comes_to_what_the_model_says(machine: type[Machine], examples: int) -> None:
    run_state_machine_as_test(
        machine, settings=settings(max_examples=examples, stateful_step_count=40, deadline=None)
    )
