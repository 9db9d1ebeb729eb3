"""How long `flask audit` takes on a large seller's year, against a process that only reads the same files."""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks import big_seller

HOME = Path(__file__).resolve().parent.parent
GOAL = 2.5

_READ = """
import sys
import polars as pl
for path in sys.argv[1:]:
    pl.read_csv(path, separator="\\t", infer_schema=False, quote_char='"' if "/ledger-" in path else None)
"""


@dataclass(frozen=True)
class Run:
    """One process: wall clock in seconds, highest memory in MB."""

    seconds: float
    megabytes: int


def main() -> None:
    """Make the files, run both processes in turn, print medians, ratio and peak memory."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="recoup-bench-") as name:
        folder = Path(name) / "reports"
        _say(f"Writing {options.rows:,} ledger rows and what belongs to them")
        reports = big_seller.write(folder, options.rows)
        size = sum(path.stat().st_size for path in reports)
        reads, audits = [], []
        for turn in range(options.runs):
            _say(f"Run {turn + 1} of {options.runs}")
            reads.append(_measure([sys.executable, "-c", _READ, *map(str, reports)]))
            audits.append(_measure(_audit_command(folder, Path(name) / "found.json")))
        found = json.loads((Path(name) / "found.json").read_text())
    _print(reads, audits, rows=sum(report["rows"] for report in found["reports"]), size=size)
    print(f"discrepancies: {len(found['discrepancies']):,}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--rows", type=int, default=3_000_000, help="ledger rows")
    parser.add_argument("--runs", type=int, default=3, help="the median of so many runs counts")
    return parser.parse_args()


def _audit_command(folder: Path, output: Path) -> list[str]:
    flask = str(Path(sys.executable).parent / "flask")
    as_of = big_seller.LAST_DAY.isoformat()
    return [flask, "audit", str(folder), "--as-of", as_of, "--format", "json", "--output", str(output)]


def _measure(command: list[str]) -> Run:
    """Run one process to its end. Raises SystemExit where it failed, since its time would say nothing."""
    begin = time.monotonic()
    pid = os.posix_spawn(command[0], command, os.environ)
    _, status, used = os.wait4(pid, 0)
    seconds = time.monotonic() - begin
    if os.waitstatus_to_exitcode(status) != 0:
        raise SystemExit(f"failed: {' '.join(command[:3])} …")
    to_megabytes = 1024 if sys.platform == "linux" else 1024 * 1024  # Linux counts in kilobytes, macOS in bytes
    return Run(seconds, used.ru_maxrss // to_megabytes)


def _print(reads: list[Run], audits: list[Run], *, rows: int, size: int) -> None:
    print(f"{rows:,} rows in {size / 1e6:,.0f} MB; median of {len(reads)} runs, {os.cpu_count()} cores")
    for name, runs in (("polars reads the files", reads), ("flask audit", audits)):
        times = " ".join(f"{run.seconds:.2f}" for run in runs)
        print(f"{name:24}{_median(runs):8.2f} s {max(run.megabytes for run in runs):8,} MB   ({times})")
    print(f"{'ratio':24}{_median(audits) / _median(reads):8.2f}     goal {GOAL} or less")


def _median(runs: list[Run]) -> float:
    return statistics.median(run.seconds for run in runs)


def _say(words: str) -> None:
    print(words, file=sys.stderr)


if __name__ == "__main__":
    os.chdir(HOME)
    main()
