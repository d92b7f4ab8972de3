"""What installed packages need of the Python of another machine."""

from dataclasses import replace

import pytest

from pytest_ftc.model.machine import Interpreter, Needs

PYTHON = Interpreter(
    path="/usr/bin/python3",
    implementation="CPython",
    version="3.11.2",
    abi=".cpython-311-x86_64-linux-gnu.so",
    libc="glibc 2.36",
)
PURE = Needs(implementation="CPython", series="3.11")
COMPILED = replace(PURE, abi=".cpython-311-x86_64-linux-gnu.so", libc="glibc 2.36")


@pytest.mark.parametrize("needs", [PURE, COMPILED, replace(COMPILED, libc="glibc 2.4"), replace(COMPILED, libc="")])
def test_a_python_of_the_same_series_and_abi_fits(needs):
    assert needs.find_misfit(PYTHON) == ""


@pytest.mark.parametrize(
    ("python", "told"),
    [
        ({"version": "3.13.5"}, "they are installed for CPython 3.11, and not for CPython 3.13.5"),
        ({"version": "3.1.1"}, "they are installed for CPython 3.11, and not for CPython 3.1.1"),
        ({"implementation": "PyPy"}, "they are installed for CPython 3.11, and not for PyPy 3.11.2"),
    ],
)
def test_another_python_does_not_fit_even_pure_packages(python, told):
    assert PURE.find_misfit(replace(PYTHON, **python)) == told


@pytest.mark.parametrize(
    ("python", "told"),
    [
        ({"abi": ".cpython-311-aarch64-linux-gnu.so"}, "end with .cpython-311-aarch64-linux-gnu.so"),
        ({"libc": "glibc 2.9"}, "they have compiled files that need glibc 2.36, and it has glibc 2.9"),
        ({"libc": ""}, "and it has another C library"),
    ],
)
def test_only_compiled_files_need_the_same_abi_and_c_library(python, told):
    other = replace(PYTHON, **python)
    assert told in COMPILED.find_misfit(other)
    assert PURE.find_misfit(other) == ""
