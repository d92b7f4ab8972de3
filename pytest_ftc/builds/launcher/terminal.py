"""The terminal of a shell that replaces a build."""

from __future__ import annotations

import fcntl
import os
import termios


def take_terminal(descriptor: int) -> None:
    """Make `descriptor` the controlling terminal of this session and its standard streams, see ioctl_tty(2)."""
    fcntl.ioctl(descriptor, termios.TIOCSCTTY, 0)
    for target in (0, 1, 2):
        os.dup2(descriptor, target)
    os.close(descriptor)
