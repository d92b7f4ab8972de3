"""The outputs that a worker lists, held against what our program can have collected for the action."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from itertools import pairwise

from pytest_ftc.builds.launcher.globs import may_match
from pytest_ftc.builds.worker_request import MOST_OUTPUTS
from pytest_ftc.integrations.reapi.errors import RemoteError
from pytest_ftc.model import Action, BuildResult, BuildStatus, Output, OutputType
from pytest_ftc.model.support.contents import is_name
from pytest_ftc.model.support.printable import shorten

_MODE = re.compile(r"[0-7]{4}")
_LONGEST = 4096
"""Bytes of a path or of a link's target, PATH_MAX of Linux."""


def check_outputs(build: BuildResult, action: Action) -> None:
    """Raise RemoteError if the outputs of `build` cannot be all that the outputs of `action` name."""
    outputs = build.outputs
    if build.status is not BuildStatus.OK:
        if outputs:
            raise _wrong(f"outputs of a build with the status {build.status.value}")
        return
    if len(outputs) > MOST_OUTPUTS:
        raise RemoteError(f"the build left {len(outputs)} outputs; a farm's answer may have {MOST_OUTPUTS}")
    for output in outputs:
        _check_output(output)
    paths = [output.path for output in outputs]
    if any(one >= other for one, other in pairwise(paths)):
        raise _wrong("outputs that are not sorted, or there twice")
    _check_folders(outputs)
    _check_declared(outputs, action.outputs)


def _check_output(output: Output) -> None:
    path = output.path
    if not _is_text_of_a_path(path) or not {"", ".", ".."}.isdisjoint(path.split("/")):
        raise _wrong(f"the output {shorten(repr(path))}, which is no path in the build tree")
    if not _MODE.fullmatch(output.mode):
        raise _wrong(f"the mode {shorten(repr(output.mode))} of the output {shorten(repr(path))}")
    is_file, is_link = output.type is OutputType.FILE, output.type is OutputType.SYMLINK
    if is_file != is_name(output.sha256) or bool(output.sha256) != is_file or (output.size and not is_file):
        raise _wrong(f"no content of the file, or one of a folder or link, {shorten(repr(path))}")
    if bool(output.target) != is_link or not _is_text_of_a_path(output.target or "."):
        raise _wrong(f"a link without a target, or one of something else, {shorten(repr(path))}")


def _is_text_of_a_path(text: str) -> bool:
    try:
        return "\0" not in text and len(os.fsencode(text)) < _LONGEST
    except UnicodeEncodeError:
        return False


def _check_folders(outputs: Sequence[Output]) -> None:
    """Raise RemoteError if an output lies in a file or in a link: who writes it could be led elsewhere."""
    outer = ""
    # So that what is in a folder follows it at once.
    for output in sorted(outputs, key=lambda output: output.path.replace("/", "\0")):
        if outer and output.path.startswith(f"{outer}/"):
            raise _wrong(f"the output {shorten(repr(output.path))} in {shorten(repr(outer))}, which is no folder")
        outer = "" if output.type is OutputType.DIR else output.path


def _check_declared(outputs: Sequence[Output], patterns: Sequence[str]) -> None:
    """Raise RemoteError for a pattern without output, and for an output that no pattern names.

    What a link leads to is an output too.
    """
    left = set(patterns)
    follows_links = any(output.type is OutputType.SYMLINK for output in outputs)
    for output in outputs:
        matched = {pattern for pattern in patterns if may_match(output.path, pattern)}
        if not matched and not follows_links:
            raise _wrong(f"the output {shorten(repr(output.path))}, which the action does not declare")
        left -= matched
    if left:
        raise _wrong(f"nothing that matches {min(left)!r}")


def _wrong(what: str) -> RemoteError:
    return RemoteError(f"the worker's answer is not one that our program writes: it has {what}")
