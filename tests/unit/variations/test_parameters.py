"""The parameters of variations, and the presets: as written by a user, on machines of many kinds."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ftc.model import Environment, Isolation, Machine
from pytest_ftc.model.errors import ConfigurationError
from pytest_ftc.model.protocols import Variation
from pytest_ftc.variations import CATALOGUE, PRESETS
from pytest_ftc.variations.specification import Vocabulary, parse_specification
from pytest_ftc.variations.time import read_length

MACHINE = Machine(
    isolation=Isolation.USER, faketime="/f", locales=("C", "C.utf8", "POSIX", "de_DE.utf8"), cpus=4, online=True
)
CONTROL = Environment(build_path="/b", home="/h", temp_dir="/t", variables={"LC_ALL": "C.utf8"})


def select(specification: str) -> Variation:
    (variation,) = parse_specification(specification, Vocabulary(CATALOGUE, PRESETS)).select(CATALOGUE)
    return variation


def described(specification: str, machine: Machine = MACHINE) -> str:
    variation = select(specification)
    assert variation.unavailable(machine) is None
    return variation.describe(variation.vary(CONTROL, "token", machine))


def reason(specification: str, machine: Machine = MACHINE) -> str:
    found = select(specification).unavailable(machine)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("3600", 3600), ("-3600", -3600), ("+90", 90), ("0", 0), ("30d", 2592000), ("+398d7h13m", 34413180), ("-7h", -25200),
        ("1w", 604800), ("1W2D", 777600), ("1h1m1s", 3661), ("14600d", 14600 * 86400),
    ],
)  # fmt: skip
def test_a_length_of_time(text: str, seconds: int) -> None:
    assert read_length(text) == seconds


@pytest.mark.parametrize("text", ["", "+", "d", "7x", "1h30", "7h1d", "1.5h", "- 7h", "14601d", "9" * 5000, "٣", "1d ", "--1d", "P1D"])  # fmt: skip
def test_what_is_no_length_of_time(text: str) -> None:
    with pytest.raises(ValueError):
        read_length(text)


@given(
    st.integers(0, 9999), st.integers(0, 99), st.integers(0, 99), st.integers(0, 99), st.sampled_from(["+", "-", ""])
)
def test_a_length_of_time_is_the_sum_of_its_parts(days: int, hours: int, minutes: int, seconds: int, sign: str) -> None:
    length = ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    text = f"{sign}{days}d{hours}h{minutes}m{seconds}s"
    assert read_length(text) == read_length(f"{sign}{length}") == (-length if sign == "-" else length)


@pytest.mark.parametrize(
    ("specification", "value"),
    [
        ("time", "398 days 7 hours 13 minutes ahead"),
        ("time.offset=+30d", "30 days 0 hours 0 minutes ahead"),
        ("time.offset=-1d2h", "1 days 2 hours 0 minutes behind"),
        ("num_cpus", "1"),
        ("num_cpus.experiment=3", "3"),
        ("locales", "de_DE.utf8"),
        ("locales.names=de_DE.UTF-8", "de_DE.UTF-8"),
        ("locales.locale+=et_EE.UTF-8;de_DE.utf8", "de_DE.utf8"),
        ("locales.names=C", "C"),
        ("network", "off"),
        ("environment", "FTC_CANARY=ftc-variable-token FTC_CANARY_EXTRA=ftc-extra-token"),
        ("environment.variables=CI", "CI=ftc-extra-token"),
        (
            "environment.variables+=CI,environment.variables-=FTC_CANARY_EXTRA",
            "FTC_CANARY=ftc-variable-token CI=ftc-extra-token",
        ),
    ],
)
def test_a_parameter_decides_what_the_experiment_gets(specification: str, value: str) -> None:
    assert described(specification) == value


@pytest.mark.parametrize(
    ("specification", "told"),
    [
        ("time.offset=0", "time.offset is 0 s, and clocks less than an hour apart could meet"),
        ("time.offset=-3599", "time.offset is -3599 s"),
        ("num_cpus.experiment=4", "num_cpus.experiment is 4, and the control has all 4 CPUs there are"),
        ("num_cpus.experiment=99", "the control has all 4 CPUs"),
        ("locales.names=et_EE.UTF-8", "et_EE.UTF-8 of locales.names is not installed; Debian's package locales-all"),
        ("locales.names=et_EE;fr_CH", "et_EE and fr_CH of locales.names is not installed"),
        ("environment.variables-=FTC_CANARY;FTC_CANARY_EXTRA", "environment.variables names none"),
        ("locales.names=C.UTF-8", "locales.names has no locale but C.utf8, which the control has"),
    ],
)
def test_a_parameter_that_would_vary_nothing_is_told(specification: str, told: str) -> None:
    assert told in reason(specification)


@pytest.mark.parametrize("locales", [("C",), ("C", "POSIX"), ()])
def test_a_machine_without_a_second_locale_is_told_what_to_install(locales: tuple[str, ...]) -> None:
    machine = replace(MACHINE, locales=locales)
    assert "install another, such as et_EE.UTF-8: Debian's package locales-all" in reason("locales", machine)
    assert "which the control has" in reason("locales.names=POSIX", machine)


@pytest.mark.parametrize(
    ("locales", "limited"),
    [
        (("C", "C.utf8", "POSIX"), True),
        (("C.utf8", "en_US.utf8", "en_GB"), True),
        (("C.utf8", "en_US.utf8", "fr_FR.utf8"), False),
        (("C", "et_EE.utf8"), False),
    ],
)
def test_where_only_english_is_installed_the_language_is_not_claimed(locales: tuple[str, ...], limited: bool) -> None:
    machine = replace(MACHINE, locales=locales)
    variation = select("locales")
    assert variation.unavailable(machine) is None
    limit = variation.limits(machine)  # type: ignore[attr-defined]
    assert limit is None or "localedef(1) could not make others" in limit
    assert (limit is not None) == limited
    assert select("locales.names=C").limits(machine) is None  # type: ignore[attr-defined]


def test_the_best_of_many_locales_comes_first_and_each_further_experiment_takes_another() -> None:
    many = ("C", "C.utf8", "POSIX", "aa_DJ.utf8", "de_DE@euro", "en_US.utf8", "et_EE", "et_EE.utf8", "tr_TR.utf8")
    machine = replace(MACHINE, locales=many)
    variation = select("locales")
    turns = [variation.take_turn(number).vary(CONTROL, "", machine).variables["LC_ALL"] for number in range(1, 9)]  # type: ignore[attr-defined]
    assert turns == [
        "et_EE.utf8", "tr_TR.utf8", "aa_DJ.utf8", "en_US.utf8", "et_EE", "de_DE@euro", "et_EE.utf8", "tr_TR.utf8",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "specification",
    ["num_cpus.experiment=0", "num_cpus.experiment=-1", "num_cpus.experiment=1_0", "num_cpus.experiment=x", "network.mode=off", "locales.names=../x", "locales.names=a b", "time.offset=1h30", "environment.variables=A B", "environment.variables=CI=1", "environment.variables+=LC_TIME", "environment.variables=LD_PRELOAD"],
)  # fmt: skip
def test_a_bad_value_is_refused(specification: str) -> None:
    with pytest.raises(ConfigurationError, match="expected .*, found "):
        select(specification)


def test_every_preset_names_variations_of_the_catalogue_in_its_order() -> None:
    names = [variation.name for variation in CATALOGUE]
    for preset in PRESETS.values():
        assert sorted(preset, key=names.index) == sorted(set(preset), key=names.index)
    assert set(PRESETS["quick"]) < set(PRESETS["standard"]) < set(names)


def test_quick_needs_no_namespace_and_changes_no_file_of_the_source_tree() -> None:
    bare = replace(MACHINE, isolation=Isolation.NONE, isolation_reason="refused", personality_reason="refused")
    plain = replace(CONTROL, variables={"PATH": "/bin"})
    for variation in parse_specification("quick", Vocabulary(CATALOGUE, PRESETS)).select(CATALOGUE):
        assert variation.unavailable(bare) is None
        varied = variation.vary(plain, "token", bare)
        assert varied != plain
        same = replace(
            varied, variables=plain.variables, build_path="/b", home="/h", temp_dir="/t", umask=0o022, clock_shift=0
        )
        assert same == plain
