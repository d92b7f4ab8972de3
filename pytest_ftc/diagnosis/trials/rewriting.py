"""Whether a remedy that rewrites an output can do so at all, which takes no builds to know."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from itertools import islice

from pytest_ftc.diagnosis.trials.target import Applied
from pytest_ftc.model import BuildResult
from pytest_ftc.model.errors import FtcError
from pytest_ftc.model.support.contents import find_content, is_remote
from pytest_ftc.normalize.replace import normalize_file
from pytest_ftc.normalize.rules import Rules, TooLargeError

_MOST = 8
"""Outputs that are looked at."""
_LARGEST = 64 << 20
"""Bytes, also after decompression; of larger outputs nothing is said."""


def find_refused(control: BuildResult | None, remedies: Iterable[Applied], epoch: int) -> dict[Applied, str]:
    """Return those of `remedies` that refuse the output of the `control` that they rewrite, with the reason."""
    if control is None or is_remote(control.blobs):
        return {}
    reason = _reasons(control, epoch)
    asked = islice((one for one in remedies if one.rewrites), _MOST)
    return {one: f"it could not be tried: {why}" for one in asked if (why := reason(one.rewrites))}


def _reasons(control: BuildResult, epoch: int) -> Callable[[str], str]:
    outputs = {output.path: output for output in control.outputs}

    @cache
    def reason(name: str) -> str:
        output = outputs.get(name)
        # A compiled module is known by its name, which contents do not have.
        if output is None or not output.sha256 or output.size > _LARGEST or name.endswith(".pyc"):
            return ""
        rules = Rules(epoch=epoch, max_size=_LARGEST)
        try:
            normalize_file(find_content(control.blobs, output.sha256), rules, write=False)
        except TooLargeError:
            return ""
        except FtcError as error:
            return str(error)
        return ""

    return reason
