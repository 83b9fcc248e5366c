"""What it costs to start `crawl`: CPU milliseconds of a whole process, beside the bare interpreter.

They take turns, so that a noisy machine is noisy for all of them; read the ratios.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

SPIDERS = Path(__file__).parent.parent / "spiders"
CRAWL = (sys.executable, "-m", "crawler")
INTERPRETER = "python -c pass"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=15)
    parser.add_argument("--spiders", type=int, default=50, help="files of the larger folder")
    parser.add_argument(
        "--no-bytecode", action="store_true", help="compile the package each time: no .pyc"
    )
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        few, many = folder / "few", folder / "many"
        write(few, len(list(SPIDERS.glob("*.py"))))
        write(many, args.spiders)
        starts: dict[str, tuple[tuple[str, ...], Path]] = {
            INTERPRETER: ((sys.executable, "-c", "pass"), few),
            "python -c 'import click'": ((sys.executable, "-c", "import click"), few),
            "crawl --help": ((*CRAWL, "--help"), few),
            "crawl list": ((*CRAWL, "list"), few),
            f"crawl list, {args.spiders} files": ((*CRAWL, "list"), many),
        }
        env = environment(None if args.no_bytecode else folder / "bytecode")
        rounds = [
            {title: cpu_ms(command, cwd, env) for title, (command, cwd) in starts.items()}
            for _ in range(args.repeat + 1)
        ][1:]  # the first one writes the bytecode
    show(rounds)


def write(folder: Path, files: int) -> None:
    """Write `files` spiders: the examples, over and over, under names of their own."""
    (folder / "spiders").mkdir(parents=True)
    examples = sorted(SPIDERS.glob("*.py"))
    for number in range(files):
        text = examples[number % len(examples)].read_text()
        named = text.replace("(Spider[", f"{number}(Spider[")
        (folder / "spiders" / f"spider_{number}.py").write_text(named)


def environment(bytecode: Path | None) -> dict[str, str]:
    """Return our environment, with bytecode kept in a folder, or not at all."""
    env = {name: text for name, text in os.environ.items() if not name.startswith("PYTHON")}
    env["PYTHONPATH"] = str(SPIDERS.parent)
    if bytecode is None:
        return env | {"PYTHONDONTWRITEBYTECODE": "1"}
    return env | {"PYTHONPYCACHEPREFIX": str(bytecode)}


def cpu_ms(command: tuple[str, ...], cwd: Path, env: dict[str, str]) -> float:
    """Return user and system time of one process."""
    process = subprocess.Popen(command, cwd=cwd, env=env, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(command)} ended with status {process.returncode}")
    return (usage.ru_utime + usage.ru_stime) * 1000


def show(rounds: list[dict[str, float]]) -> None:
    print(f"median CPU ms of {len(rounds)} (least-most), times the bare interpreter")
    bare = statistics.median(each[INTERPRETER] for each in rounds)
    for title in rounds[0]:
        times = [each[title] for each in rounds]
        middle = statistics.median(times)
        spread = f"({min(times):.0f}-{max(times):.0f})"
        print(f"{title:26}{middle:6.0f}  {spread:10}{middle / bare:6.1f}x")


if __name__ == "__main__":
    main()
