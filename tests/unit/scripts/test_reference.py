"""What docs/ says of options, keys, variations and causes is what the code says."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

from pytest_ftc.config import FILE_ONLY, OPTIONS
from pytest_ftc.config.load import Config
from pytest_ftc.config.schema import ARTIFACT_KEYS, SESSION_KEYS
from pytest_ftc.model import parameters_of
from pytest_ftc.variations import CATALOGUE

ROOT = Path(__file__).parents[3]


def test_the_pages_say_what_the_code_says() -> None:
    done = subprocess.run(
        [sys.executable, "scripts/reference.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)


def test_every_option_is_a_field_of_the_configuration_and_in_the_help() -> None:
    fields = {field.name for field in dataclasses.fields(Config)} | {"sampling"}
    assert {option.name for option in (*OPTIONS, *FILE_ONLY)} <= fields
    shown = subprocess.run(
        [sys.executable, "-m", "pytest", "--help"],
        env={**os.environ, "COLUMNS": "10000"},
        capture_output=True,
        text=True,
    ).stdout
    for option in OPTIONS:
        default = f" (default: {option.otherwise or option.default})" if option.otherwise or option.default else ""
        assert f"{option.help}{default}\n" in shown


def test_every_key_says_what_it_is_and_what_it_has_to_be() -> None:
    helped = {option.name for option in OPTIONS}
    assert [name for name, key in SESSION_KEYS.items() if not key.meaning and name not in helped] == []
    assert [name for name, key in ARTIFACT_KEYS.items() if not key.meaning] == []
    assert all(key.expected for key in (*SESSION_KEYS.values(), *ARTIFACT_KEYS.values()))


def test_the_default_that_is_told_of_a_parameter_is_the_one_it_has() -> None:
    for variation in CATALOGUE:
        for name, parameter in parameters_of(variation).items():
            assert parameter.meaning
            default = getattr(variation, name)
            if parameter.many and default:
                assert tuple(parameter.read(part) for part in parameter.written.split(";")) == default
            elif not parameter.many:
                assert parameter.read(parameter.written) == default
            else:
                assert " " in parameter.written, json.dumps(name)
