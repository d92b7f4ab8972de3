"""The languages that a program with its own translations could use; the machine's locales do not limit them."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence

from pytest_ftc.model import BuildResult

_OWN_TRANSLATIONS = frozenset({"bun", "deno", "dotnet", "jar", "java", "javac", "javadoc", "node"})
"""Programs that use only the name of the locale: the JDK, and programs with ICU."""


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
