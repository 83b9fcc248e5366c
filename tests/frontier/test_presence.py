"""The file of a live process."""

import fcntl
import os
import threading
from pathlib import Path

from crawler.frontier.presence import Presence, is_there


def test_a_process_may_come_while_somebody_asks_whether_it_is_there(tmp_path: Path) -> None:
    asking = os.open(tmp_path / "1", os.O_RDWR | os.O_CREAT)
    fcntl.flock(asking, fcntl.LOCK_SH)  # as `is_there` does for a moment
    ending = threading.Timer(0.05, os.close, [asking])
    ending.start()
    presence = Presence(tmp_path / "1")
    assert is_there(tmp_path / "1")
    presence.close()
    ending.join()
