"""Several `flask` commands in one process, so that setting up takes one start of Python instead of ten.

Reads a JSON list of `{"words": [...], "given": "stdin"}` from stdin and writes the list of what each command wrote.
Ends at the first that fails, with its words.
"""

import json
import sys
from typing import Any

from wsgi import create_app


def main() -> None:
    """Run the commands that stdin names."""
    runner = create_app(with_web=False).test_cli_runner()
    written = []
    for command in json.load(sys.stdin):
        result = runner.invoke(args=command["words"], input=command["given"])
        if result.exit_code != 0:
            sys.exit(_told(command["words"], result))
        written.append(result.stdout)
    sys.stdout.write(json.dumps(written))


def _told(words: list[str], result: Any) -> str:
    said = (result.stderr or result.stdout).strip().splitlines()
    return f"flask {' '.join(words[:2])}: {said[-1] if said else result.exception!r}"


if __name__ == "__main__":
    main()
