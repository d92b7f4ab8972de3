"""An interactive shell in a build environment."""

from __future__ import annotations

import os
import shlex
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from pytest_ftc.model import Action, Shell

_BASH = Path("/bin/bash")
RUN = "ftc-build"
"""The command that runs the build in the shell."""
_SET_BY_SHELLS = ("_", "OLDPWD", "PWD", "SHLVL")
_SET_BY_WINDOWS = ("COLUMNS", "LINES")


@contextmanager
def shell_for(action: Action, prompt: str, terminal: int) -> Iterator[Shell]:
    """Yield a shell on `terminal` in which `ftc-build` runs the command of `action`.

    Its startup script is in no folder that a build could see, and is removed when it has been read.
    """
    is_bash = _BASH.exists()
    with tempfile.TemporaryFile() as script:
        script.write(os.fsencode(script_for(action, prompt, script.fileno(), is_bash=is_bash)))
        script.seek(0)
        os.set_inheritable(script.fileno(), True)
        yield Shell(argv=_argv(script.fileno(), is_bash=is_bash), terminal=terminal, script=script.fileno())


def _argv(script: int, *, is_bash: bool) -> tuple[str, ...]:
    if is_bash:
        return (str(_BASH), "--noprofile", "--rcfile", f"/dev/fd/{script}", "-i")
    # An interactive sh reads the file named by ENV, see sh(1p).
    return ("/bin/sh", "-c", f"ENV=/dev/fd/{script} exec /bin/sh -i")


def script_for(action: Action, prompt: str, descriptor: int, *, is_bash: bool) -> str:
    """Return the startup script, read from `descriptor`: it defines `ftc-build` and changes nothing else."""
    body = build_line(action.environment.build_path, action.command, action.environment.variables)
    if is_bash:
        lines = [f"exec {descriptor}<&-", "unset HISTFILE", f"{RUN}() {{ {body}; }}"]
    else:
        lines = ["unset ENV", f"ftc_build() {{ {body}; }}", f"alias {RUN}=ftc_build"]
    return "\n".join([*lines, f"PS1={shlex.quote(prompt)}", ""])


def build_line(folder: str, command: Sequence[str], variables: Mapping[str, str]) -> str:
    """Return shell text that runs `command` in `folder` like a build.

    Variables that shells set automatically have the values of a build; variables exported by the user are passed on.
    """
    fresh = [name for name in (*_SET_BY_SHELLS, *_SET_BY_WINDOWS) if name not in variables]
    again = [f"{name}={variables[name]}" for name in _SET_BY_WINDOWS if name in variables]
    words = ["env", *(word for name in fresh for word in ("-u", name)), *again, *command]
    return f"( cd {shlex.quote(folder)} && exec {shlex.join(words)} < /dev/null )"
