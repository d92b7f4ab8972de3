"""Which languages a program that brings its own translations could see; the machine's locales do not limit it."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence

from pytest_ftc.model import BuildResult

_OWN_TRANSLATIONS = frozenset({"bun", "deno", "dotnet", "jar", "java", "javac", "javadoc", "node"})
"""Programs that take from the locale no more than its name: the JDK, and those with ICU."""


def describe_languages(builds: Sequence[BuildResult]) -> tuple[str, ...]:
    """Return a sentence that names such programs in the trace of the control, and the locales of the `builds`."""
    trace = builds[0].trace
    ran = {posixpath.basename(program.program) for program in trace.programs} if trace else set()
    programs = sorted(ran & _OWN_TRANSLATIONS)
    locales = dict.fromkeys(locale for build in builds if (locale := build.environment.get("locales")))
    if not programs or len(locales) < 2:
        return ()
    brings = "brings its own translations" if len(programs) == 1 else "bring their own translations"
    return (f"{' and '.join(programs)} {brings}; the builds used only the locales {', '.join(locales)}",)
