"""What the parts of a crawl hear of other processes."""

from collections.abc import Mapping, Sequence

from crawler.engine import STOP, Engine
from crawler.keeping import tell
from crawler.outcome import HostLease
from crawler.protocols import Memory


class Listening:
    """Lets the crawl's memories and its engine hear what earlier lives and others keep."""

    def __init__(self, memories: Sequence[Memory]) -> None:
        self.engine: Engine | None = None
        self._memories = memories

    def restart(self, kept: Mapping[str, bytes]) -> None:
        """Hear what was kept before."""
        tell(self._memories, kept)

    def wished(self, wish: int, lease: HostLease) -> None:
        """Hear that another process wishes to ask a host that is held here."""
        if self.engine is not None:
            self.engine.lend(wish, lease)

    def __call__(self, kept: Mapping[str, bytes]) -> None:
        """Hear what another process keeps."""
        self.restart(kept)
        if self.engine is None:
            return
        if reason := kept.get(STOP):
            self.engine.stop(reason.decode(), is_over=True)
        self.engine.look_again()
