"""Specifications of variations as reprotest writes them."""

import pytest

from pytest_ftc.cli.verify.reprotest.variations import SETTINGS, selects, translate
from pytest_ftc.model.errors import ConfigurationError

OF_REPROTEST = [
    "environment",
    "build_path",
    "user_group",
    "fileordering",
    "home",
    "kernel",
    "locales",
    "exec_path",
    "time",
    "timezone",
    "umask",
    "domain_host",
    "num_cpus",
    "aslr",
]


@pytest.mark.parametrize(
    ("texts", "translated"),
    [
        (["+all"], "+all"),
        (["+all", "-time,+fileordering"], "+all,-time,+fileordering"),
        (["+all,-kernel"], "+all,-kernel"),
        # Nothing is selected at first, unlike in ours.
        (["-time", "umask"], "none,-time,umask"),
        (["all", "-all,locales", "home"], "locales,home"),
        (["all", "-all,-time,locales"], "none,-time,locales"),
        (["@time"], "@time"),
        (["user_group.available+=builduser:builduser"], "+user_group"),
        (["all,user_group.available-=a;b"], "all"),
        (["domain_host.use_sudo=1"], "+domain_host"),
        (["domain_host.use_sudo++"], "+domain_host"),
        (["locales.locale=fr_CH.UTF-8;zh_CN"], "locales.names=fr_CH.UTF-8;zh_CN"),
        (["num_cpus.cpus=3"], "num_cpus.experiment=3"),
        (["environment.variables+=CI;EDITOR"], "environment.variables+=CI;EDITOR"),
        (["time.faketimes+=+398days+6hours+23minutes"], "time.offset=+398d6h23m"),
        (["time.faketimes=-2years"], "time.offset=-730d"),
        (["time.faketimes=+3 days"], "time.offset=+3d"),
        (["time.faketimes=+1d2h"], "time.offset=+1d2h"),
        (["time.auto_faketimes=SOURCE_DATE_EPOCH"], "+time"),
        # What only ours has.
        (["+hash_seed", "quick"], "+hash_seed,quick"),
    ],
)
def test_a_specification_is_translated(texts, translated):
    assert translate(texts) == translated


@pytest.mark.parametrize("name", OF_REPROTEST)
def test_all_variations_of_reprotest_have_the_same_name_here(name):
    assert selects(translate([name]), name)
    assert not selects(translate(["all", f"-{name}"]), name)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("-tiem", "unknown variation 'tiem'; did you mean 'time'?"),
        ("time.faketime=+3d", "unknown parameter 'time.faketime'"),
        ("time.faketimes=@1234", "nearest: time.offset=+398d"),
        ("time.faketimes=2030-01-01", "nearest: time.offset=+398d"),
        ("time.faketimes=+3months", "nearest: time.offset=+398d"),
        ("time.faketimes=+3days;+4days", "nearest: time.offset=+398d"),
        ("time.faketimes=+3days-4hours", "nearest: time.offset=+398d"),
        ("build_path.path=/x", "nearest: +build_path"),
        (r"environment.variables+=PID=\d{1,6}", "environment.variables: expected names"),
        ("num_cpus.cpus=2;3", "num_cpus.experiment: expected"),
    ],
)
def test_what_has_no_counterpart_is_refused_with_what_is_nearest(text, message):
    with pytest.raises(ConfigurationError) as caught:
        translate([text])
    assert message in str(caught.value)


def test_each_parameter_is_translated_once():
    names = [setting.name for setting in SETTINGS]
    assert len(set(names)) == len(names)
    assert {name.partition(".")[0] for name in names} <= set(OF_REPROTEST)


def test_whether_anything_is_selected():
    assert not selects("none")
    assert selects("time")
    assert not selects("time", "umask")
