"""Which languages a program that brings its own translations could see."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_ftc.model import BuildResult, BuildStatus, Program, Role, Trace
from pytest_ftc.verification.claims.languages import describe_languages


def ran(*programs: str) -> BuildResult:
    trace = Trace(
        programs=tuple(
            Program(pid=1, argv=(path,), folder="/", program=path, parent=-1, exit_code=0) for path in programs
        ),
        read=(),
        written=(),
        contents=(),
        moved=(),
        connected=(),
        gaps=(),
    )
    return BuildResult(
        id="a-control", role=Role.CONTROL, environment={"locales": "C.UTF-8"}, status=BuildStatus.OK, trace=trace
    )


@pytest.mark.parametrize(
    ("programs", "said"),
    [
        (("/usr/lib/jvm/bin/javadoc", "/bin/sh"), "javadoc brings its own translations"),
        (("/usr/bin/node", "/usr/bin/java"), "java and node bring their own translations"),
    ],
)
def test_programs_with_their_own_translations_are_named(programs: tuple[str, ...], said: str) -> None:
    control = ran(*programs)
    experiments = [replace(control, environment={"locales": one}, trace=None) for one in ("et_EE.utf8", "de_DE.utf8")]
    assert describe_languages([control, *experiments]) == (
        f"{said}; the builds used only the locales C.UTF-8, et_EE.utf8, de_DE.utf8",
    )


def test_nothing_is_said_of_other_programs_or_where_the_locale_was_not_varied() -> None:
    other = replace(ran(), environment={"locales": "et_EE.utf8"})
    assert describe_languages([ran("/usr/bin/gcc", "/bin/date"), other]) == ()
    assert describe_languages([ran("/usr/bin/java"), replace(other, environment={"locales": "C.UTF-8"})]) == ()
    assert describe_languages([replace(ran(), trace=None), other]) == ()
