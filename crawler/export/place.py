"""What is in the place of an output."""

import os
import stat
from pathlib import Path

from crawler.errors import OutputError
from crawler.oserrors import refused


def check_place(file: Path, *, may_exist: bool) -> None:
    """Make the folders of a file that is to be written. Raises `OutputError` if it cannot be."""
    try:
        mode = os.stat(file).st_mode
    except (FileNotFoundError, NotADirectoryError):
        mode = None
    except OSError as error:
        raise OutputError(str(refused(file, error))) from None
    if mode is not None and stat.S_ISDIR(mode):
        raise OutputError(f"{file}: is a folder; -o needs a file")
    if mode is not None and not stat.S_ISREG(mode):
        raise OutputError(f"{file}: is not a regular file; use -o - for a pipe")
    if mode is not None and not may_exist:
        raise OutputError(f"{file}: exists; use --overwrite or --append")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{refused(file.parent, error)}; -o needs a folder to write in") from None
    if not os.access(file.parent if mode is None else file, os.W_OK):
        raise OutputError(f"{file}: no permission to write")
