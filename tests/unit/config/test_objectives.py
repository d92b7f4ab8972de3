"""The table ``[tool.ftc.objectives]``."""

import pytest

from pytest_ftc.config.load import load_config
from pytest_ftc.config.objectives import CATALOGUE, ObjectiveSettings, load_objectives
from pytest_ftc.model.errors import ConfigurationError
from pytest_ftc.store.observations.measures import MEASURES
from pytest_ftc.variations.specification import Vocabulary


def load(root, text):
    (root / "pyproject.toml").write_text(text)
    return load_config(root, {}, Vocabulary(())).objectives


def test_each_objective_has_a_measure():
    assert [one.name for one in CATALOGUE] == [*MEASURES]


def test_without_the_table_the_defaults_are_in_force(tmp_path):
    settings = load(tmp_path, "[tool.ftc]\n")
    assert settings == ObjectiveSettings() == load_objectives(tmp_path)
    assert settings.window == 28 * 86400
    assert settings.targets["cache_hit_rate"] == 0.85
    assert settings.targets["build_time_p95"] is None


def test_targets_are_set_and_switched_off(tmp_path):
    text = "[tool.ftc.objectives]\nwindow = '7d'\nbuild_time_p95 = 90\ncache_hit_rate = false\nreproducible_share = 1\n"
    settings = load(tmp_path, text)
    assert settings.window == 7 * 86400
    assert settings.targets == {**ObjectiveSettings().targets, "build_time_p95": 90.0, "cache_hit_rate": None}


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("cache_hit_rat = 1", "pyproject.toml:2: [tool.ftc.objectives] unknown key 'cache_hit_rat'; did you mean 'cache_hit_rate'?"),
        ("build_success = 99.5", "build_success: expected a share from 0 to 1 such as 0.99, or false for no target, found 99.5"),
        ("build_success = true", "build_success: expected a share from 0 to 1"),
        ("build_time_p95 = '2m'", "build_time_p95: expected a number of seconds such as 90, or false for no target, found '2m'"),
        ("build_time_p95 = inf", "build_time_p95: expected a number of seconds"),
        ("cost_per_artifact = nan", "cost_per_artifact: expected an amount such as 0.05"),
        (f"build_time_p95 = {10**400}", "build_time_p95: expected a number of seconds"),
        ("mismatch_incidents = -1", "mismatch_incidents: expected a number such as 0"),
        ("window = 28", "window: expected a number of days from 1 to 999 such as '28d', found 28"),
        ("window = '0d'", "window: expected a number of days"),
        ("window = '36h'", "window: expected a number of days"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_clear_error(tmp_path, table, said):
    with pytest.raises(ConfigurationError) as caught:
        load(tmp_path, f"[tool.ftc.objectives]\n{table}")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
