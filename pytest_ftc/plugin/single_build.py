"""The fixture's host without ``--ftc-verify``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pytest_ftc.model import Artifact, BuildResult, Verification
from pytest_ftc.plugin.result_folders import results_folder
from pytest_ftc.plugin.session import VerificationSession
from pytest_ftc.plugin.settings import load_settings
from pytest_ftc.variations.specification import Vocabulary
from pytest_ftc.verification.session import Verifier

_HOST = pytest.StashKey["OneBuild"]()


class OneBuild:
    """Replaces the session without ``--ftc-verify``: builds that tests declare run once."""

    verifies = False

    def __init__(self, pytest_config: pytest.Config) -> None:
        self._config, self._added = load_settings(pytest_config)
        results = results_folder(pytest_config, self._config)
        self._verifier = Verifier(replace(self._config, no_cache=True), results, self._added)
        pytest_config.add_cleanup(self._verifier.close)

    @property
    def root(self) -> Path:
        """The project's root folder."""
        return self._config.root

    @property
    def vocabulary(self) -> Vocabulary:
        """The names that specifications of variations may use."""
        return replace(self._added.vocabulary, named=self._config.sets)

    def build_once(self, artifact: Artifact) -> BuildResult:
        """Build `artifact` once in a plain environment."""
        return self._verifier.build_once(artifact)

    def verify(self, artifact: Artifact) -> Verification:
        """Never called, since nothing is verified here."""
        raise NotImplementedError

    def accepts(self, verification: Verification) -> bool:
        """Return whether `verification` passes."""
        return verification.passed


def find_host(config: pytest.Config) -> VerificationSession | OneBuild:
    """Return the session that verifies or, without ``--ftc-verify``, the one that builds once."""
    session: VerificationSession | None = config.pluginmanager.getplugin("ftc-session")
    if session:
        return session
    if _HOST not in config.stash:
        config.stash[_HOST] = OneBuild(config)
    return config.stash[_HOST]
