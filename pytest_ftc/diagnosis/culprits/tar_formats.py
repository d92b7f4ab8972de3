"""Whether a build fixes the format of the tar archives that it makes, which options of remedies then must suit."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from pytest_ftc.model import RemedyTemplate, Trace

OLD_FORMAT = "tar (not of POSIX.1-2001)"
"""Stands among the names of programs for a tar that makes archives of an older format."""
_TARS = ("tar", "gtar", "gnutar")
_OLD = re.compile(r"v7|ustar|oldgnu|gnu")
_OPTIONS = re.compile(r"--(old-archive|portability)|(--format=|-[A-Za-z]*H)(v7|ustar|oldgnu|gnu)")
_OF_OPTIONS = re.compile(r"-([ac-eh-zABDEGJMO-SUWYZ]*)")
"""Options in one word, before the first that takes the rest of the word as its value."""
_TAKES_FORMAT = re.compile(r"--format|-?[A-Za-z]*H")
_PAX_OPTION = re.compile(r" ?--pax-option=\S+")


def makes_old_format(trace: Trace) -> bool:
    """Return whether a tar was told to make archives of an older format, such as that of make dist (``tar chof``).

    GNU tar refuses ``--pax-option`` then; in a pipe, an empty archive and no error are what remains of it.
    """
    return any(
        posixpath.basename(program.argv[0]) in _TARS and _is_old(program.argv[1:])
        for program in trace.programs
        if program.argv
    )


def _is_old(words: Sequence[str]) -> bool:
    if any(_OPTIONS.fullmatch(word) for word in words):
        return True
    letters = [found[1] for found in map(_OF_OPTIONS.match, words) if found]
    if words and words[0].isalpha():
        # The old way: all letters are options, and their values follow.
        letters.append(words[0])
    # -o means another thing for what is unpacked.
    if any("o" in one for one in letters) and not any("x" in one for one in letters):
        return True
    return any(_OLD.fullmatch(other) and _TAKES_FORMAT.fullmatch(word) for word, other in pairwise(words))


def suit_old_format(template: RemedyTemplate) -> RemedyTemplate:
    """Return `template` without the options of tar that older formats do not have."""
    settings = {name: _PAX_OPTION.sub("", value) for name, value in template.settings.items()}
    return template if settings == dict(template.settings) else replace(template, settings=settings)
