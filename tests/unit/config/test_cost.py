"""The table ``[tool.ftc.cost]``."""

import pytest

from pytest_ftc.config.cost import Prices
from pytest_ftc.config.load import load_config
from pytest_ftc.model.errors import ConfigurationError
from pytest_ftc.variations.specification import Vocabulary


def load(root, text):
    (root / "pyproject.toml").write_text(text)
    return load_config(root, {}, Vocabulary(())).cost


def test_without_the_table_nothing_has_a_price(tmp_path):
    assert load(tmp_path, "[tool.ftc]\n") is None


def test_cpu_hours_and_gigabytes_add_up(tmp_path):
    prices = load(tmp_path, '[tool.ftc.cost]\nper_cpu_hour = 0.04\nper_gb = 2\ncurrency = "EUR"\n')
    assert prices == Prices(per_cpu_hour=0.04, per_gb=2.0, currency="EUR")
    assert prices.cost(cpu_seconds=7200, gigabytes=0.5) == pytest.approx(0.08 + 1)


def test_a_price_that_is_not_given_is_nothing(tmp_path):
    prices = load(tmp_path, '[tool.ftc.cost]\nper_cpu_hour = 3.6\ncurrency = "USD"\n')
    assert prices.cost(cpu_seconds=10, gigabytes=1000) == pytest.approx(0.01)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("per_gb = 1\ncurency = 'EUR'", "pyproject.toml:3: [tool.ftc.cost] unknown key 'curency'; did you mean 'currency'?"),
        ("per_gb = 1", "[tool.ftc.cost] key 'currency' is missing; expected three letters such as 'EUR'"),
        ("per_gb = 1\ncurrency = 'euro'", "currency: expected three capital letters such as 'EUR', found 'euro'"),
        ("per_gb = 1\ncurrency = 3", "currency: expected three capital letters"),
        ("currency = 'EUR'", "[tool.ftc.cost] expected per_cpu_hour, per_gb or both, found neither"),
        ("currency = 'EUR'\nper_gb = -1", "per_gb: expected a price such as 0.04, found -1"),
        ("currency = 'EUR'\nper_gb = nan", "per_gb: expected a price such as 0.04, found nan"),
        ("currency = 'EUR'\nper_cpu_hour = true", "per_cpu_hour: expected a price such as 0.04, found True"),
        ("currency = 'EUR'\nper_cpu_hour = '3'", "per_cpu_hour: expected a price such as 0.04, found '3'"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_clear_error(tmp_path, table, said):
    with pytest.raises(ConfigurationError) as caught:
        load(tmp_path, f"[tool.ftc.cost]\n{table}")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
