"""No part of a secret is left, wherever a text that holds it was cut."""

import json
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ftc.builds.inputs.secrets import read_secrets
from pytest_ftc.model.support.readings import read_all

characters = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=8, max_size=60)
VALUE = "Zq9/tok+KLM\"NOP'47&11\\xyzw"


def masked(value: str, text: str) -> str:
    return read_secrets(["env:TOKEN"], {"TOKEN": value}, Path()).mask(text)


def parts(value: str) -> list[str]:
    return [value[start : start + 6] for start in range(len(value) - 5)]


@given(characters, st.integers(0, 60), st.integers(0, 60))
def test_what_is_left_of_a_cut_value_is_masked(value, start, end):
    text = masked(value, f"at {value[start:]} and {value[:end]}.")
    assert not [part for part in parts(value) if part in text.replace("***", "\n")]


@given(characters, st.integers(0, 200))
def test_what_is_left_of_cut_json_is_masked(value, start):
    text = masked(value, json.dumps({"a": value})[start:])
    assert not [part for part in parts(json.dumps(value)[1:-1]) if part in text and "\\" not in part]


@pytest.mark.parametrize("start", range(0, 40, 3))
def test_columns_of_a_dump_are_masked(start):
    data = bytes(start) + VALUE.encode() + bytes(9)
    lines = (data[at : at + 16] for at in range(0, len(data), 16))
    dump = "\n".join(f"{16 * number:08x}: {line.hex(' ')}  {line!r}" for number, line in enumerate(lines))
    text = masked(VALUE, dump)
    assert not [part for part in parts(VALUE) if part.encode().hex(" ") in text or part in text]


@pytest.mark.parametrize("dump", [["xxd", "-e"], ["xxd", "-b"], ["od", "-An", "-tx2"], ["od", "-tx4"], ["od"]])
def test_words_and_bits_are_masked(dump):
    data = b"before, " + VALUE.encode() + b" and after that"
    written = subprocess.run(dump, input=data, capture_output=True, check=True).stdout.decode()
    text = masked(VALUE, written)
    hexadecimal = [part.encode().hex() for part in parts(VALUE)]
    assert "***" in text
    assert not [part for part in parts(VALUE) if part in text]
    for _, read in read_all(text.encode()):
        assert not [part for part in hexadecimal if part in read.decode()]


def test_other_text_is_left_as_it_is():
    text = "a\udcff line\nwith 00 11 22 33 44 55 66, \\u00e9, =3D and \ud800 in it\n"
    assert masked(VALUE, text) == text


def test_a_text_that_cannot_be_encoded_is_masked_all_the_same():
    assert masked(VALUE, f"\ud800{VALUE}") == "\\ud800***"
