"""Several `flask` commands in one process, so that they take one start of Python instead of many.

Reads a JSON object `{"words": [...], "given": "stdin"}` a line from stdin and answers each with one on stdout: the exit
code, what the command wrote, and what it said last. Ends with its stdin.
"""

import json
import sys
from typing import Any

from wsgi import app


def main() -> None:
    """Run the commands that stdin names."""
    runner = app.test_cli_runner()
    answers = sys.stdout  # a command's own output is caught while it runs
    for line in sys.stdin:
        command = json.loads(line)
        result = runner.invoke(args=command["words"], input=command["given"])
        answers.write(json.dumps({"exit": result.exit_code, "out": result.stdout, "said": _last_said(result)}) + "\n")
        answers.flush()


def _last_said(result: Any) -> str:
    lines = (result.stderr or result.stdout).strip().splitlines()
    return lines[-1] if lines else repr(result.exception or "")


if __name__ == "__main__":
    main()
