"""The mirror of the run's counters."""

from pathlib import Path

from crawler.frontier.books import Books
from crawler.frontier.counters import Counters
from crawler.frontier.schema import connect
from crawler.outcome import Batch


def test_only_what_changed_is_told_and_what_nobody_learned_is_told_again(tmp_path: Path) -> None:
    connection = connect(tmp_path / "frontier.db")
    books = Books(connection)
    counters = Counters(books)

    def commit(**counts: int) -> None:
        books.commit(Batch(counts=counts), 0.0, process=1)

    commit(a=1, b=1)
    assert counters.learn(counters.look()) == {"a": 1, "b": 1}
    commit(b=1)
    counters.look()  # for a caller that was cancelled meanwhile
    commit(c=1)
    news = counters.look()
    assert news[1] == {"b": 2, "c": 1}
    assert counters.learn(news) == {"a": 1, "b": 2, "c": 1}
    books.add("a", 1)  # as a death is counted: with no commit
    assert counters.learn(counters.look()) == {"a": 2, "b": 2, "c": 1}
    connection.close()
