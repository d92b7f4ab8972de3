"""Compiled Python: what is normalized must still be used by Python, and never for another source."""

import importlib.util
import os
import py_compile
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_ftc.model.errors import NormalizationError

TIMESTAMP = py_compile.PycInvalidationMode.TIMESTAMP


@pytest.fixture
def compiled(tmp_path):
    (tmp_path / "module.py").write_text("WORD = 'one'\n")
    return Path(py_compile.compile(tmp_path / "module.py", invalidation_mode=TIMESTAMP))


def load(folder):
    """Import the module and say what it has and how Python found it."""
    code = "import module; print(module.WORD)"
    done = subprocess.run(
        [sys.executable, "-v", "-c", code], env={"PYTHONPATH": str(folder)}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip(), any("matches" in line and "module" in line for line in done.stderr.splitlines())


def test_it_is_what_python_compiles_with_a_checked_hash(compiled, tmp_path, normalize):
    normal = normalize(compiled)
    mode = py_compile.PycInvalidationMode.CHECKED_HASH
    py_compile.compile(tmp_path / "module.py", cfile=tmp_path / "expected.pyc", invalidation_mode=mode)
    assert normal == (tmp_path / "expected.pyc").read_bytes()


def test_python_uses_it_whatever_the_time_of_its_source(compiled, tmp_path, normalize):
    normalize(compiled)
    os.utime(tmp_path / "module.py", (1, 1))
    assert load(tmp_path) == ("one", True)


def test_python_does_not_use_it_for_another_source(compiled, tmp_path, normalize):
    normalize(compiled)
    status = (tmp_path / "module.py").stat()
    (tmp_path / "module.py").write_text("WORD = 'two'\n")
    os.utime(tmp_path / "module.py", ns=(status.st_atime_ns, status.st_mtime_ns))
    assert load(tmp_path)[0] == "two"


def test_one_that_is_imported_without_source_gets_the_epoch(compiled, tmp_path, normalize):
    compiled.rename(tmp_path / "module.pyc")
    (tmp_path / "module.py").unlink()
    content = normalize(tmp_path / "module.pyc", epoch=1234)
    assert content[8:12] == (1234).to_bytes(4, "little")
    assert load(tmp_path)[0] == "one"


@pytest.mark.parametrize("mode", ["CHECKED_HASH", "UNCHECKED_HASH"])
def test_one_with_a_hash_stays(tmp_path, normalize, mode):
    (tmp_path / "module.py").write_text("x = 1\n")
    path = Path(py_compile.compile(tmp_path / "module.py", invalidation_mode=py_compile.PycInvalidationMode[mode]))
    before = path.read_bytes()
    assert normalize(path) == before


def test_one_whose_source_is_missing_is_refused(compiled, tmp_path, normalize):
    (tmp_path / "module.py").unlink()
    with pytest.raises(NormalizationError, match=r"source module.py cannot be read .* checked-hash"):
        normalize(compiled)


def test_one_that_is_stale_already_is_refused(compiled, tmp_path, normalize):
    os.utime(tmp_path / "module.py", (1, 1))
    with pytest.raises(NormalizationError, match="older than its source"):
        normalize(compiled)


def test_one_of_another_python_is_refused(compiled, normalize):
    other = (int.from_bytes(importlib.util.MAGIC_NUMBER[:2], "little") + 50).to_bytes(2, "little")
    compiled.write_bytes(other + compiled.read_bytes()[2:])
    with pytest.raises(NormalizationError, match="another version of Python"):
        normalize(compiled)


def test_one_that_is_cut_short_is_refused(compiled, normalize):
    compiled.write_bytes(compiled.read_bytes()[:12])
    with pytest.raises(NormalizationError, match="cut short"):
        normalize(compiled)


def test_unknown_flags_are_refused(compiled, normalize):
    content = compiled.read_bytes()
    compiled.write_bytes(content[:4] + b"\x08" + content[5:])
    with pytest.raises(NormalizationError, match="its flags 0x8 are unknown"):
        normalize(compiled)


def test_one_beside_its_source_is_rewritten_too(compiled, tmp_path, normalize):
    """As compileall -b leaves it."""
    expected = normalize(Path(py_compile.compile(tmp_path / "module.py", invalidation_mode=TIMESTAMP)))
    py_compile.compile(tmp_path / "module.py", cfile=tmp_path / "module.pyc", invalidation_mode=TIMESTAMP)
    assert normalize(tmp_path / "module.pyc") == expected
