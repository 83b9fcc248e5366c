"""Which run a word names."""

from pathlib import Path

from crawler.errors import RunError
from crawler.export.run_folder import RECORD
from crawler.jobs import runs_in


def named_run(text: str, output_dir: Path) -> Path:
    """Return the folder of a run: `text` is its path, NAME/RUN, or NAME, whose newest is meant.

    Raises `RunError`.
    """
    for folder in (Path(text), output_dir / text):
        if (folder / RECORD).exists():
            return folder
    if "/" not in text and (runs := runs_in(output_dir, text)):
        return runs[-1]
    there = sorted(path.name for path in output_dir.glob("*/") if any(path.glob(f"*/{RECORD}")))
    known = f"; there are runs of {', '.join(there[:10])}" if there else ""
    raise RunError(f"{text}: is no run, and no spider with runs in {output_dir}{known}")
