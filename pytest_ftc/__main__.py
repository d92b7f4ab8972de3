"""``python -m pytest_ftc`` is ``ftc``."""

import sys

from pytest_ftc.cli import main

sys.exit(main())
