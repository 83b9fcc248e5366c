"""Which run a word names."""

import os
from pathlib import Path

from crawler.errors import RunError
from crawler.export.run_folder import RECORD
from crawler.jobs import runs_in

_KEPT = ("pages", "warc")
_WARCS = (".warc", ".warc.gz", ".wacz")


def named_run(text: str, output_dir: Path) -> Path:
    """Return the folder of a run: `text` is its path, NAME/RUN, or NAME, whose newest is meant.

    Raises `RunError`.
    """
    for folder in (Path(text), output_dir / text):
        if (folder / RECORD).exists():
            return folder
    if "/" not in text and (runs := runs_in(output_dir, text)):
        return runs[-1]
    spider = text.partition("/")[0]
    if "/" in text and (runs := runs_in(output_dir, spider)):
        newest = ", ".join(run.name for run in runs[-3:])
        raise RunError(f"{text}: is no run; the newest of {spider} are {newest}")
    there = sorted(path.name for path in output_dir.glob("*/") if any(path.glob(f"*/{RECORD}")))
    known = f"; there are runs of {', '.join(there[:10])}" if there else ""
    raise RunError(f"{text}: is no run, and no spider with runs in {output_dir}{known}")


def named_source(text: str, output_dir: Path, *, name: str = "") -> Path:
    """Return the whole path of stored pages: of a run, a WARC file, or a folder of those.

    `text` names a run as for `named_run`, the newest that has kept its pages, or is its RUN, of the
    spider `name`. Raises `RunError`.
    """
    here, runs = Path(text), runs_in(output_dir, text) if "/" not in text else []
    if not (here / RECORD).exists():
        if here.is_file() or (here.is_dir() and not runs):
            return _whole(here)
        if name and (output_dir / name / text / RECORD).exists():
            return _whole(output_dir / name / text)
    if here.name.endswith(_WARCS) and not here.exists():
        raise RunError(f"{here}: there is no such file")
    found = named_run(text, output_dir)
    if found not in runs:
        return _whole(found)
    kept = [run for run in runs if any((run / part).is_dir() for part in _KEPT)]
    if not kept:
        raise RunError(f"{output_dir / text}: no run in it has kept its pages")
    return _whole(kept[-1])


def _whole(path: Path) -> Path:
    return Path(os.path.abspath(path))
