"""A program for the Python of a build environment: gets the requirements from the backend of the current folder.

``ask_backend.py KIND ANSWER`` writes the requirements of a KIND (``sdist`` or ``wheel``) as JSON to the file ANSWER.
It runs in a separate process, because the session would otherwise report the backend's warnings as its own.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Literal

import build


def main(kind: Literal["sdist", "wheel"], answer: Path) -> None:
    """Ask the backend, or exit with an error message."""
    try:
        requires = build.ProjectBuilder(".").get_requires_for_build(kind)
    except build.BuildBackendException as error:
        sys.exit(f"{getattr(error.exception, 'traceback', '')}{error}")
    answer.write_text(json.dumps(sorted(requires)))


if __name__ == "__main__":
    main("sdist" if sys.argv[1] == "sdist" else "wheel", Path(sys.argv[2]))
