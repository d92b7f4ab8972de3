"""What plugins can add to pytest-ftc, and where they are told of its verdicts.

Implement any of these functions, by its name, in a plugin or in the ``conftest.py`` of the project's root; leave out
the argument if it is not needed.  ``config`` is pytest's.  A misspelt name is a usage error.  docs/hooks.md has an
example of each.

All but ``pytest_ftc_verified`` are called only where something is verified or built: with ``--ftc-verify``, for the
fixture ``ftc``, and by ``ftc doctor`` and ``ftc determinize``.  With pytest-xdist each worker asks for itself, and
the controller too.  They are asked before tests are collected, so a ``conftest.py`` below the root, which pytest
finds only then, comes too late: that is a usage error as well.  What an implementation raises is shown as one,
without a traceback.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pytest_ftc.model import RemedyTemplate, Verification
    from pytest_ftc.model.protocols import Comparator, Diagnoser, Executor, Store, Variation


@pytest.hookspec
def pytest_ftc_artifacts(config: pytest.Config) -> Iterable[Mapping[str, Any]] | None:
    """Declare artifacts, as tables: ``name`` and the keys of ``[tool.ftc.artifacts.NAME]``, with the same checks.

    Called once, when a session begins.  The artifacts come after those of the configuration, or after the sdist and
    the wheel of a Python project, and do not replace them.  They are collected below the same file, with node ids
    such as ``pyproject.toml::ftc::NAME``; in a project that has neither ``pyproject.toml`` nor ``ftc.toml``, below
    pytest's own ini-file.  Paths count from pytest's rootdir.  A name that is there already, or a wrong key or value,
    is a usage error.
    """


@pytest.hookspec
def pytest_ftc_variations(config: pytest.Config) -> Iterable[Variation] | None:
    """Add variations: objects that keep the promise `pytest_ftc.Variation`.

    Called once, when a session begins.  A variation is part of ``all``, can be named in ``--ftc-variations``, has the
    parameters that are fields of its dataclass made by `pytest_ftc.parameter`, and is a cause in findings.  Its
    ``vary`` returns the environment (`pytest_ftc.Environment`) with some field changed, mostly by
    ``environment.with_variables(NAME=value)``, and has to return the same for the same arguments.  What it plants
    should hold the ``token``, by which a value is recognised in outputs.

    It counts as varied only where a program sees what it changes: it is applied alone, and a probe in that
    environment compares each changed variable and field.  What is not seen, an error, or a variation that changes
    nothing for an artifact, stands in the report under "not varied".  Names have to be identifiers, and new.
    """


@pytest.hookspec
def pytest_ftc_comparators(config: pytest.Config) -> Iterable[Comparator] | None:
    """Add comparators, which say where inside an output of a format of theirs two builds differ.

    Called once, when a session begins.  Each output that differs is given to them in turn, as the two files, before
    our own look into it; the first that returns places decides, and an empty list passes it on.  A place is the
    `Difference` it was given, with `location`, `member` and `evidence` filled by `dataclasses.replace`.  The evidence
    is what the diagnosis searches for the cause, and the location has to be the same in all builds for the same
    place.  That an output differs is decided before, by its bytes.  A comparator that fails is passed over, with a
    note in the summary.
    """


@pytest.hookspec
def pytest_ftc_diagnosers(config: pytest.Config) -> Iterable[Diagnoser] | None:
    """Add diagnosers, which say what the values of a place that differs point to.

    Called once, when a session begins.  A diagnoser is given the two values (`pytest_ftc.Place`) and the
    conditions of the two builds (environment, and start and end by their own clocks), and returns
    `pytest_ftc.Suspicion`, or None.  The cause is the name of a variation, ``random`` or ``race``; the strength
    is at most ``STRONG``.  Suspicions are confirmed by rebuilding as those of our own search are.  A diagnoser that
    fails, or names another cause, is passed over, with a note in the summary.
    """


@pytest.hookspec
def pytest_ftc_remedies(config: pytest.Config) -> Iterable[RemedyTemplate] | None:
    """Add remedies: entries like those of our own catalogue, as `pytest_ftc.RemedyTemplate`.

    Called once, when a session begins.  Those whose causes, formats, fields and tools fit a finding are tried before
    our own, by rebuilding with them, and are called proved as any other if the difference is gone.  An unknown cause
    is a usage error.
    """


@pytest.hookspec(firstresult=True)
def pytest_ftc_make_executor(config: pytest.Config) -> Executor | None:
    """Make what runs builds, in place of our own executor: see `pytest_ftc.Executor`.

    Called before the first build of a process that builds; the first implementation that does not return None
    decides.  What fails for a transient reason is still tried again.  The self-test of the environments is run by it,
    so what it cannot vary is not counted.  Nothing is remembered, as it is not known what it builds with.  It is told
    to cancel at the end; what else has to be cleaned up, ``config.add_cleanup`` does.
    """


@pytest.hookspec(firstresult=True)
def pytest_ftc_make_store(config: pytest.Config) -> Store | None:
    """Make what keeps contents and verified actions, in place of our own store: see `pytest_ftc.Store`.

    Called before the first verification of a process; the first implementation that does not return None decides.
    Entries are sealed under the key of this user (or FTC_STORE_KEY), and contents are compared with their digests, so
    a store cannot forge a verdict.  One that fails costs builds, and a note in the summary.  The history of builds
    stays in the folder of our own store.
    """


@pytest.hookspec
def pytest_ftc_verified(verification: Verification) -> None:
    """Be told of a verification: the whole record, see `pytest_ftc.Verification`.

    Called once for each, after the test of the artifact, or of the test that asked for it, has ended; with
    pytest-xdist in the controller only.  What an implementation raises is shown in the summary, changes no verdict,
    and does not keep the record from others; a session that would have passed then ends with the exit status 3.
    """
