"""Lock files and SBOMs that were altered at random: each is read, or refused with one error."""

import json
from functools import partial

import pytest
import sboms
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_ftc.attestation.sbom.cargo import read_cargo
from pytest_ftc.attestation.sbom.component import Declared
from pytest_ftc.attestation.sbom.go import read_go
from pytest_ftc.attestation.sbom.npm import read_npm
from pytest_ftc.attestation.sbom.pylock import read_pylock
from pytest_ftc.attestation.sbom.python_project import read_pyproject
from pytest_ftc.attestation.strict_json import DocumentError

READERS = {
    "npm": (sboms.NPM, partial(read_npm, where="x")),
    "cargo": (sboms.CARGO, partial(read_cargo, where="x")),
    "go.mod": (sboms.GO_MOD, partial(read_go, sums=b"", where="x", sums_where="y")),
    "go.sum": (sboms.GO_SUM, lambda data: read_go(sboms.GO_MOD.encode(), data, "y", "x")),
    "pyproject": (sboms.PYPROJECT, partial(read_pyproject, where="x")),
    "pylock": (sboms.PYLOCK, partial(read_pylock, where="x")),
}
VALUES = [
    "0",
    "-1",
    "true",
    "null",
    "[]",
    "{}",
    '""',
    '"\\u0000"',
    "1e999",
    '"../../x"',
    '"' + "A" * 5000 + '"',
    "[[[[1]]]]",
]


def read(reader, data: bytes) -> None:
    try:
        assert isinstance(reader(data), Declared)
    except DocumentError as error:
        assert str(error).startswith("x")
        assert "\n" not in str(error)


@pytest.mark.parametrize("kind", READERS)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_altered_bytes(kind, data):
    text, reader = READERS[kind]
    raw = bytearray(text.encode())
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(raw) - 1))
        raw[place : place + data.draw(st.integers(0, 8))] = data.draw(st.binary(max_size=8))
        raw += b" "
    read(reader, bytes(raw))


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_altered_values_of_npm(data):
    document = json.loads(sboms.NPM)
    path = data.draw(st.sampled_from(sorted(document["packages"])))
    entry = document["packages"][path]
    name = data.draw(
        st.sampled_from([*sorted(entry), "name", "version", "license", "dependencies", "resolved", "link"])
    )
    entry[name] = "@"
    text = json.dumps(document).replace('"@"', data.draw(st.sampled_from(VALUES)))
    read(partial(read_npm, where="x"), text.encode())


@pytest.mark.parametrize("kind", ["cargo", "pyproject", "pylock"])
@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_altered_values_in_toml(kind, data):
    text, reader = READERS[kind]
    lines = text.splitlines()
    numbers = [number for number, line in enumerate(lines) if " = " in line and not line.startswith(" ")]
    number = data.draw(st.sampled_from(numbers))
    lines[number] = f"{lines[number].partition(' = ')[0]} = {data.draw(st.sampled_from(VALUES))}"
    read(reader, "\n".join(lines).encode())
