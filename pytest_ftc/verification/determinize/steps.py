"""The changes to a build that its findings propose, in words that hold for later versions too."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from typing import NamedTuple

from pytest_ftc.builds.launcher.globs import may_match
from pytest_ftc.model import Artifact, Finding, Verification

EPOCH = "SOURCE_DATE_EPOCH"
_VERSION = re.compile(r"((?:^|[-_])v?)(?:\d+\.\d|\d{6,}).*?((?:\.tar)?\.[A-Za-z][A-Za-z0-9]*|$)$")
"""A version or date in a file's name, with what is before it and the suffix behind it."""
_SHELL_SAFE = re.compile(r"[A-Za-z0-9_./*+,@%:=-]*")


class Step(NamedTuple):
    """One change to a build: a variable to set, or a command to run before or after it."""

    kind: str
    """``set``, ``before`` or ``after``."""
    name: str
    value: str

    def __str__(self) -> str:
        if self.name == EPOCH:
            return "the time of the commit"
        first, cut, _ = self.value.strip().partition("\n")
        return f"{self.name}={self.value}" if self.kind == "set" else f"{first} …" if cut else first


def proved_steps(verification: Verification, artifact: Artifact) -> tuple[Step, ...]:
    """Return the steps of all proved remedies, each once."""
    proved = (one for one in verification.findings if one.remedy and one.remedy.proved)
    return tuple(dict.fromkeys(step for finding in proved for step in steps_of(finding, artifact)))


def open_steps(verification: Verification, artifact: Artifact) -> dict[Step, list[Finding]]:
    """Return the steps of remedies that may still help, each with its findings.

    They were not tested, or their place has other causes too, so that it differs with them as well.
    """
    causes = Counter(_place(one) for one in verification.findings)
    found: dict[Step, list[Finding]] = {}
    for finding in verification.findings:
        if finding.remedy and not finding.remedy.proved and (not finding.remedy.tried or causes[_place(finding)] > 1):
            for step in steps_of(finding, artifact):
                found.setdefault(step, []).append(finding)
    return found


def has_gone(finding: Finding, verification: Verification) -> bool:
    """Return whether `verification` has no finding of that place and cause."""
    return not any((_place(one), one.cause) == (_place(finding), finding.cause) for one in verification.findings)


def _place(finding: Finding) -> tuple[str, str, str]:
    return finding.output, finding.member, finding.location


def steps_of(finding: Finding, artifact: Artifact) -> tuple[Step, ...]:
    """Return the steps of the remedy of `finding`; none if it is only advice."""
    remedy = finding.remedy
    if remedy is None:
        return ()
    glob = _quote_glob(name_lastingly(finding.output, artifact.outputs))
    steps = [Step("set", *item) for item in remedy.settings.items()]
    if remedy.before:
        steps.append(Step("before", "", remedy.before))
    if remedy.after:
        steps.append(Step("after", "", remedy.after.replace(shlex.quote(finding.output), glob)))
    return tuple(steps)


def name_lastingly(output: str, globs: tuple[str, ...]) -> str:
    """Return a glob for the path `output` without version: one of `globs` that declares it, if the shell knows it.

    A name without a version stays as it is.
    """
    for glob in globs:
        plain = glob.removeprefix("./")
        known = "*" in plain and "**" not in plain and _SHELL_SAFE.fullmatch(plain)
        alike = (plain.count("/"), _suffix(plain)) == (output.count("/"), _suffix(output))
        if known and alike and may_match(output, plain):
            return plain
    return "/".join(_VERSION.sub(r"\1*\2", part) for part in output.split("/"))


def _suffix(path: str) -> str:
    return path.rpartition("/")[2].rpartition(".")[2]


def _quote_glob(glob: str) -> str:
    """Return `glob` for the shell: all but ``*`` is taken literally."""
    return "*".join(shlex.quote(part) if part else "" for part in glob.split("*"))
