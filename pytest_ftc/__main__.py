"""``python -m pytest_ftc`` is ``ftc``."""

import sys

from pytest_ftc.cli.main import main

sys.exit(main())
