"""Run a command and write down the most memory it had: `measured FILE command ...`."""

import os
import sys
from pathlib import Path

if __name__ == "__main__":
    file, *command = sys.argv[1:]
    child = os.spawnvp(os.P_NOWAIT, command[0], command)
    _, status, usage = os.wait4(child, 0)
    unit = 1 if sys.platform == "darwin" else 1_024  # what ru_maxrss is counted in
    Path(file).write_text(f"{usage.ru_maxrss * unit}")
    sys.exit(os.waitstatus_to_exitcode(status))
