"""Copies of installed requirements that another machine can use at another path."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_ftc.builds.interpreter import NEEDS, complete_environment, describe_interpreter
from pytest_ftc.builds.requirements.install import digest_installed
from pytest_ftc.builds.requirements.portable import PortableEnvironments
from pytest_ftc.model.errors import PreparationError
from pytest_ftc.model.machine import Needs
from pytest_ftc.model.support.serialization import from_json

SERIES = f"{sys.version_info[0]}.{sys.version_info[1]}"


@pytest.fixture
def environment(tmp_path):
    """A virtual environment with a package of one module and a script."""
    folder = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    site = folder / "lib" / f"python{SERIES}" / "site-packages"
    (site / "one-1.0.dist-info").mkdir()
    (site / "one-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: one\nVersion: 1.0\n")
    (site / "one-1.0.dist-info" / "RECORD").write_text("one.py,sha256=abc,9\n")
    (site / "one.py").write_text("import sys\ndef main(): print(sys.prefix)\n")
    script = folder / "bin" / "one"
    script.write_text(f"#!{folder}/bin/python\nfrom one import main\nmain()\n")
    script.chmod(0o755)
    os.utime(script, (1_500_000_000, 1_500_000_000))
    (folder / "ftc-complete.json").write_text("{}")
    return folder


def test_a_copy_becomes_an_environment_at_its_new_path(environment, tmp_path):
    at = tmp_path / "elsewhere"
    portable = PortableEnvironments(tmp_path / "copies").provide(environment, str(at))
    named = [path for path in portable.folder.rglob("*") if path.is_file() and str(environment) in path.read_text()]
    assert named == []
    assert not [path for path in (portable.folder / "bin").iterdir() if path.name != "one"]
    assert (portable.folder / "bin" / "one").stat().st_mtime == 1_500_000_000
    portable.folder.rename(at)
    complete_environment(at, describe_interpreter())
    done = subprocess.run([at / "bin" / "one"], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == (f"{at}\n", "")
    assert (at / "pyvenv.cfg").stat().st_mtime_ns == environment.stat().st_mtime_ns


def test_a_copy_is_made_once_for_each_path(environment, tmp_path):
    copies = PortableEnvironments(tmp_path / "copies")
    first = copies.provide(environment, "/a")
    assert copies.provide(environment, "/a") is first
    assert copies.provide(environment, "/b").folder != first.folder


def test_what_packages_need_is_beside_them(environment, tmp_path):
    portable = PortableEnvironments(tmp_path / "copies").provide(environment, "/a")
    assert portable.needs == Needs(implementation=describe_interpreter().implementation, series=SERIES)
    assert from_json(Needs, json.loads((portable.folder / NEEDS).read_text())) == portable.needs


def test_compiled_files_need_the_abi_and_the_newest_symbols_of_the_c_library(environment, tmp_path):
    site = environment / "lib" / f"python{SERIES}" / "site-packages"
    (site / "fast.so").write_bytes(b"\x7fELF\0GLIBC_2.9\0GLIBC_2.17\0GLIBC_PRIVATE\0")
    (site / "other.so").write_bytes(b"\x7fELF\0GLIBC_2.2.5\0")
    needs = PortableEnvironments(tmp_path / "copies").provide(environment, "/a").needs
    assert (needs.abi, needs.libc) == (describe_interpreter().abi, "glibc 2.17")


def test_the_digest_is_that_of_the_packages_and_the_python_that_uses_them(environment, tmp_path):
    folder = PortableEnvironments(tmp_path / "copies").provide(environment, "/a").folder
    assert digest_installed(folder, describe_interpreter().name) == digest_installed(environment)
    assert digest_installed(folder, "CPython 3.11.99") != digest_installed(environment)


def test_what_cannot_be_copied_is_one_error(tmp_path):
    with pytest.raises(PreparationError, match="cannot copy the build requirements: .*No such file"):
        PortableEnvironments(tmp_path / "copies").provide(Path(tmp_path, "absent"), "/a")
