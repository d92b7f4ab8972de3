"""What a session on a farm does otherwise."""

from dataclasses import replace

import pytest

from pytest_ftc.config.load import load_config
from pytest_ftc.model import Artifact
from pytest_ftc.variations.specification import Vocabulary
from pytest_ftc.verification.farm import patience_of


@pytest.mark.parametrize(
    ("executor", "artifacts", "budget"), [("local", 500, 20), ("reapi", 5, 20), ("reapi", 500, 1000)]
)
def test_retries_grow_with_the_artifacts_of_a_session_on_a_farm(tmp_path, executor, artifacts, budget):
    one = Artifact(id="a", name="a", build="true", outputs=("o",), source=tmp_path)
    config = replace(
        load_config(tmp_path, {}, Vocabulary(())), executor=executor, artifacts=(one,) * artifacts, retries=3
    )
    patience = patience_of(config)
    assert (patience.retries, patience.budget) == (3, budget)
