"""Which runs write to the same files."""

import os
from datetime import datetime
from pathlib import Path

from crawler.errors import RunError
from crawler.export.run_folder import RECORD, REPORT, Record, read_record
from crawler.frontier.glance import glance
from crawler.frontier.schema import FILE


def check_outputs(folder: Path, record: Record, output_dir: Path) -> None:
    """Raise `RunError` if another run wrote to an output since: going on would cut that off."""
    if not (own := _files(folder, record, shared=False)):
        return
    for path in {*output_dir.glob(f"*/*/{RECORD}"), *folder.parent.glob(f"*/{RECORD}")}:
        try:
            other = read_record(path.parent)
        except RunError:
            continue
        is_copy = other.created == record.created  # made for safety's sake
        shared = set() if is_copy else own & _files(path.parent, other, shared=False)
        if shared and not path.parent.samefile(folder) and _wrote(path.parent, record.created):
            raise RunError(f"{folder}: {min(shared)} was since written to by run {path.parent}")


def is_one_of(output: str, folder: Path, record: Record) -> bool:
    """True if a run has an output already, however its path is written now."""
    return output in record.outputs or os.path.abspath(output) in _files(
        folder, record, shared=True
    )


def _wrote(folder: Path, since: datetime) -> bool:
    """True if a run was crawled since then; one that could not open its output is still fresh."""
    files = [folder / name for name in (FILE, f"{FILE}-wal", REPORT)]
    stirred = max((file.stat().st_mtime for file in files if file.exists()), default=0.0)
    fresh = (folder / FILE).exists() and glance(folder).fresh
    return stirred >= since.timestamp() and not fresh


def _files(folder: Path, record: Record, *, shared: bool) -> set[str]:
    """Return where a run's `-o` lead, those files too that runs may have in common if `shared`."""
    run = folder.absolute().name
    files = {
        str(file)
        for target in record.plan.targets
        if shared or not target.is_database
        for file in target.files(record.streams, run=run)
    }
    return files if record.plan.spool is None else {*files, record.plan.spool}
