"""Whether a remedy that rewrites an output can do so at all, which takes no builds to know."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from pytest_ftc.diagnosis.trials.target import Applied
from pytest_ftc.model import BuildResult, Output
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
    asked = islice((one for one in remedies if one.rewrites), _MOST)
    outputs = {output.path: output for output in control.outputs}
    reasons = {one: _reason(control.blobs, outputs[one.rewrites], epoch) for one in asked if one.rewrites in outputs}
    return {one: f"it could not be tried: {reason}" for one, reason in reasons.items() if reason}


def _reason(blobs: str, output: Output, epoch: int) -> str:
    """Return why `output` is refused; empty if it is not, or is not looked at."""
    # A compiled module is known by its name, which contents do not have.
    if not output.sha256 or output.size > _LARGEST or output.path.endswith(".pyc"):
        return ""
    try:
        normalize_file(find_content(blobs, output.sha256), Rules(epoch=epoch, max_size=_LARGEST), write=False)
    except TooLargeError:
        return ""
    except FtcError as error:
        return str(error)
    return ""
