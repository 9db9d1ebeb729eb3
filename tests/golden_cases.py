"""Golden cases: small report files as Amazon delivers them, and what `flask audit` says of them.

A case is a folder `tests/golden/<claim type>/<what it proves>/` with report files, `case.toml` (why it is there, the
as-of date, what the files are known to cover) and `expected.json`. `make golden` rewrites the latter: read the diff.
"""

import json
import os
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wsgi import create_app

HOME = Path(__file__).parent / "golden"
_OURS = ("case.toml", "expected.json")


@dataclass(frozen=True)
class Case:
    """One folder of report files with what is asked of them and what has to come out."""

    folder: Path

    def __str__(self) -> str:
        return self.folder.name

    def arguments(self) -> list[str]:
        """What the command line of this case says."""
        asked = tomllib.loads((self.folder / "case.toml").read_text())
        covers = [f"--covers={report}={days}" for report, days in sorted(asked.get("covers", {}).items())]
        marketplace = asked.get("marketplace", "US")
        files = sorted(str(path) for path in self.folder.iterdir() if path.name not in _OURS)
        return [*files, f"--as-of={asked['as_of']}", f"--marketplace={marketplace}", *covers, "--format=json"]

    def check(self) -> None:
        """Audit the files and compare with what is expected; rewrite it instead where that is asked for."""
        found = self.audit()
        expected = self.folder / "expected.json"
        if os.environ.get("RECOUP_REWRITE_GOLDEN"):
            expected.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        assert found == json.loads(expected.read_text(encoding="utf-8"))

    def audit(self) -> dict[str, Any]:
        """What the audit says, but for how the files are called and how its warnings are worded."""
        run = create_app(with_web=False).test_cli_runner().invoke(args=["audit", *self.arguments()])
        assert run.exit_code == 0, run.output
        document = json.loads(run.stdout)
        kept = ("as_of", "warnings", "discrepancies", "observations", "summary")
        return {name: _without_words(document[name]) for name in kept}


def golden_cases(claim_type: str) -> list[Case]:
    """Return the cases of a rule, by name."""
    return [Case(folder) for folder in sorted((HOME / claim_type).iterdir())]


def _without_words(part: Any) -> Any:
    if not isinstance(part, list):
        return part
    return [{name: value for name, value in each.items() if name != "message"} for each in part]
