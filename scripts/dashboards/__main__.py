"""Writes the dashboards of `ftc kit`; with --check it only lists the outdated ones."""

from __future__ import annotations

import sys
from pathlib import Path

from debug import DEBUG
from executive import EXECUTIVE
from on_call import ON_CALL
from panels import render

FOLDER = Path(__file__).parents[2] / "pytest_ftc/integrations/kit/dashboards"
BOARDS = {"executive": EXECUTIVE, "on-call": ON_CALL, "debug": DEBUG}


def main() -> int:
    """Write all dashboards, or name those that are out of date; return the exit status."""
    files = {FOLDER / f"{name}.json": render(board).encode() for name, board in BOARDS.items()}
    old = [file for file, text in files.items() if not file.is_file() or file.read_bytes() != text]
    if "--check" in sys.argv[1:]:
        for file in old:
            print(f"{file.name} is out of date; run python scripts/dashboards")
        return 1 if old else 0
    FOLDER.mkdir(parents=True, exist_ok=True)
    for file in old:
        file.write_bytes(files[file])
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
