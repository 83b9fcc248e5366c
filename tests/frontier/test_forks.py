"""A spider's own processes outlive a crawl that is killed."""

import os
import signal
import sys
from pathlib import Path
from subprocess import PIPE, Popen

from crawler.export.steady_file import SteadyFile
from crawler.frontier.presence import is_there

KILLED = """
import os, signal, sys
from pathlib import Path
from crawler.export.steady_file import SteadyFile
from crawler.frontier.presence import Presence
held = SteadyFile(Path("items.jsonl")), Presence(Path("1"))
child = os.fork()
if not child:
    print(os.getpid(), flush=True)  # only now it has run
    sys.stdin.read()
    os._exit(0)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_child_of_a_killed_crawl_holds_none_of_its_locks(tmp_path: Path) -> None:
    words = (sys.executable, "-W", "ignore", "-c", KILLED)
    path = os.pathsep.join(sys.path)
    with Popen(words, cwd=tmp_path, env={"PYTHONPATH": path}, stdin=PIPE, stdout=PIPE) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        assert process.wait() == -signal.SIGKILL
        os.kill(child, 0)  # it is there
        assert not is_there(tmp_path / "1")
        SteadyFile(tmp_path / "items.jsonl").close()
