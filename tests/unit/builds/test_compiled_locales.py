"""Locales compiled for a machine that has only C and English."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_ftc.builds.compiled_locales import compile_locales

ALL = ("et_EE.utf8", "de_DE.utf8", "tr_TR.utf8", "ja_JP.utf8")
HAS_LOCALEDEF = shutil.which("localedef") is not None


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("compiled") / "locales"
    names = compile_locales(folder, ["C", "C.utf8", "POSIX", "en_US.utf8"])
    # A machine without localedef(1), as with musl, has none; the other tests then see plain C.
    assert names == (ALL if HAS_LOCALEDEF else ())
    return folder


def run(compiled: Path, locale: str, *command: str, stdin: str = "") -> str:
    environment = {"PATH": os.environ["PATH"], "LOCPATH": str(compiled), "LC_ALL": locale}
    return subprocess.run(command, env=environment, input=stdin, capture_output=True, text=True, check=True).stdout


def test_only_the_locales_are_left_in_the_folder(compiled: Path) -> None:
    assert {path.name for path in compiled.glob("*")} == (set(ALL) if HAS_LOCALEDEF else set())


@pytest.mark.parametrize(
    ("locale", "month"), [("et_EE", "märts"), ("de_DE", "März"), ("tr_TR", "Mart"), ("ja_JP", "3月")]
)
def test_names_of_months_are_those_of_the_language(compiled: Path, locale: str, month: str) -> None:
    seen = run(compiled, f"{locale}.UTF-8", "date", "-d", "2020-03-01", "+%B")
    assert seen == (f"{month}\n" if HAS_LOCALEDEF else "March\n")


def test_letters_are_sorted_as_in_the_language_and_numbers_have_a_comma(compiled: Path) -> None:
    lines = "zoo\ntee\nAb\naa\nZa\n"
    assert run(compiled, "C", "sort", stdin=lines).split() == ["Ab", "Za", "aa", "tee", "zoo"]
    code = "import locale; locale.setlocale(locale.LC_ALL, ''); print(locale.format_string('%.1f', 1.5))"
    if HAS_LOCALEDEF:
        assert run(compiled, "et_EE.UTF-8", "sort", stdin=lines).split() == ["aa", "Ab", "Za", "zoo", "tee"]
        assert run(compiled, "de_DE.UTF-8", "sort", stdin=lines).split() == ["aa", "Ab", "tee", "Za", "zoo"]
        assert run(compiled, "de_DE.UTF-8", sys.executable, "-c", code) == "1,5\n"


def test_different_characters_never_count_as_equal(compiled: Path) -> None:
    characters = [
        chr(point) for point in (*range(33, 0x3000, 7), *range(0x3000, 0xD800, 97), *range(0x1F300, 0x1F600, 5))
    ]
    printable = [one for one in characters if one.isprintable()]
    seen = run(compiled, "et_EE.UTF-8", "sort", "-u", stdin="".join(f"{one}\n" for one in printable))
    assert sorted(seen.split("\n")) == sorted(["", *printable])


def test_what_is_installed_is_not_compiled(tmp_path: Path) -> None:
    names = compile_locales(tmp_path / "locales", ["C", "et_EE.utf8", "de_DE@euro", "ja_JP", "tr_TR.UTF-8"])
    assert names == (("de_DE.utf8", "ja_JP.utf8") if HAS_LOCALEDEF else ())
    assert compile_locales(tmp_path / "none", ["et_EE.utf8", "de_DE.UTF-8", "tr_TR.utf8", "ja_JP.utf8"]) == ()


def test_without_localedef_there_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert compile_locales(tmp_path / "locales", ["C"]) == ()
    assert not (tmp_path / "locales").exists()


def test_a_localedef_that_fails_costs_the_locales_and_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "localedef").write_text("#!/bin/sh\nexit 4\n")
    (tools / "localedef").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
    assert compile_locales(tmp_path / "locales", ["C"]) == ()


def test_without_space_for_them_there_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*paths: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "copyfile", fail)
    assert compile_locales(tmp_path / "locales", ["C"]) == ()
    assert not (tmp_path / "locales").exists()
