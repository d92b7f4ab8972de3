"""The hooks with which plugins extend pytest-ftc and receive its verdicts.

Implement any of these functions, by name, in a plugin or in the ``conftest.py`` of the project's root; omit the
argument if you do not need it.  ``config`` is pytest's.  A misspelt name is a usage error.  docs/hooks.md has an
example of each.

All but ``pytest_ftc_verified`` are called only when something is verified or built: with ``--ftc-verify``, for the
fixture ``ftc``, and by ``ftc doctor`` and ``ftc determinize``.  With pytest-xdist, each worker and the controller call
them.  They are called before tests are collected, so a ``conftest.py`` below the root, which pytest loads during
collection, is too late: that is a usage error as well.  An exception in an implementation is shown as a usage error,
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
    """Declare artifacts as tables: ``name`` and the keys of ``[tool.ftc.artifacts.NAME]``, with the same validation.

    Called once, when a session begins.  The artifacts follow those of the configuration, or the sdist and the wheel of
    a Python project, and do not replace them.  They are collected below the same file, with node ids such as
    ``pyproject.toml::ftc::NAME``; in a project with neither ``pyproject.toml`` nor ``ftc.toml``, below pytest's own
    configuration file.  Paths are relative to pytest's rootdir.  A duplicate name and an invalid key or value are
    usage errors.
    """


@pytest.hookspec
def pytest_ftc_variations(config: pytest.Config) -> Iterable[Variation] | None:
    """Add variations: objects that implement the protocol `pytest_ftc.Variation`.

    Called once, when a session begins.  A variation is part of ``all``, can be named in ``--ftc-variations``, and is a
    cause in findings.  Its parameters are the fields of its dataclass made by `pytest_ftc.parameter`.  Its ``vary``
    returns the environment (`pytest_ftc.Environment`) with some field changed, usually by
    ``environment.with_variables(NAME=value)``, and must return the same result for the same arguments.  Planted values
    should contain the ``token``, by which they are recognised in outputs.

    A variation counts as varied only if a program sees the change: it is applied alone, and a probe in that environment
    compares each changed variable and field.  If the change is not visible, the variation raises an error or it changes
    nothing for an artifact, the report lists it as "not varied".  Names must be identifiers and not in use.
    """


@pytest.hookspec
def pytest_ftc_comparators(config: pytest.Config) -> Iterable[Comparator] | None:
    """Add comparators, which locate differences inside outputs of a format that they know.

    Called once, when a session begins.  For each output that differs, comparators receive both files in turn, before
    the built-in comparison.  The first that returns places decides; an empty list passes the output on.  A place is
    the given `Difference` with `location`, `member` and `evidence` filled in by `dataclasses.replace`.  The diagnosis
    searches the evidence for the cause; the location must be the same in all builds for the same place.  Whether an
    output differs is already decided, by its bytes.  A comparator that fails is skipped, with a note in the summary.
    """


@pytest.hookspec
def pytest_ftc_diagnosers(config: pytest.Config) -> Iterable[Diagnoser] | None:
    """Add diagnosers, which derive suspicions from the values of a place that differs.

    Called once, when a session begins.  A diagnoser receives the two values (`pytest_ftc.Place`) and the conditions of
    the two builds (environment, and start and end by their own clocks), and returns `pytest_ftc.Suspicion` objects or
    None.  The cause is the name of a variation, ``random`` or ``race``; the strength is at most ``STRONG``.
    Suspicions are confirmed by rebuilding, like built-in ones.  A diagnoser that fails or names another cause is
    skipped, with a note in the summary.
    """


@pytest.hookspec
def pytest_ftc_remedies(config: pytest.Config) -> Iterable[RemedyTemplate] | None:
    """Add remedies in the form of the built-in catalogue's entries, `pytest_ftc.RemedyTemplate`.

    Called once, when a session begins.  Remedies whose causes, formats, fields and tools match a finding are tested
    before built-in ones, by rebuilding, and are proved in the same way.  An unknown cause is a usage error.
    """


@pytest.hookspec(firstresult=True)
def pytest_ftc_make_executor(config: pytest.Config) -> Executor | None:
    """Create the executor that runs builds instead of the built-in one: see `pytest_ftc.Executor`.

    Called before the first build of each process that builds; the first implementation that does not return None
    decides.  Builds that fail for a transient reason are still retried.  The executor also runs the self-test of the
    environments, so what it cannot vary is not counted.  Verdicts are not cached, because the tools that it uses are
    unknown.  Its ``cancel`` is called at the end; register other clean-up with ``config.add_cleanup``.
    """


@pytest.hookspec(firstresult=True)
def pytest_ftc_make_store(config: pytest.Config) -> Store | None:
    """Create the store for contents and verified actions instead of the built-in one: see `pytest_ftc.Store`.

    Called before the first verification of a process; the first implementation that does not return None decides.
    Entries are authenticated with the user's key (or FTC_STORE_KEY), and contents are compared with their digests, so
    a store cannot forge a verdict.  A store that fails costs extra builds and adds a note to the summary.  The history
    of builds stays in the folder of the built-in store.
    """


@pytest.hookspec
def pytest_ftc_verified(verification: Verification) -> None:
    """Receive a verification: the full record, see `pytest_ftc.Verification`.

    Called once for each verification, after the artifact's item or the test that requested it has ended; with
    pytest-xdist, only in the controller.  An exception in an implementation is shown in the summary.  It changes no
    verdict and does not affect other implementations, but a session that would have passed exits with status 3.
    """
