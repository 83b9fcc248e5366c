"""What comes back to a frontier with a batch."""

from collections import Counter

from crawler.frontier.hosts import Held
from crawler.outcome import Batch


class Returned:
    """What comes back with a batch: ids, and how many requests made out of turn, by host."""

    def __init__(self, batch: Batch) -> None:
        self.ids: dict[str, set[int]] = {}
        self.errands: Counter[str] = Counter()
        for request in batch.settled:
            self.ids.setdefault(request.host, set()).add(request.id)
            if request.id < 0 and request.kind != "robots":
                self.errands[request.host] += 1
        for request, _ in batch.retried:
            self.ids.setdefault(request.host, set()).add(request.id)

    def of(self, held: Held) -> set[int]:
        """Return the ids of a host that come back."""
        return self.ids.get(held.name, set())

    def leaves_idle(self, held: Held, batch: Batch) -> bool:
        """True if nothing holds a host any more once `batch`, which these come with, is done."""
        asking = held.asking and held.name not in batch.notes
        borrowed = held.borrowed - self.errands[held.name]
        return not (asking or borrowed > 0 or held.out.keys() - self.of(held))
