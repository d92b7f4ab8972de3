"""From the configuration to the store that machines share."""

import subprocess
import sys
from dataclasses import replace

import pytest
from farms import serving

from pytest_ftc.config.load import load_config
from pytest_ftc.model.errors import FtcError
from pytest_ftc.variations.specification import Vocabulary
from pytest_ftc.verification.cache.shared_store import find_shared_store, read_address

KEY = bytes(32)


def config(root, table, more=""):
    (root / "ftc.toml").write_text(f"[remote]\n{table}\n{more}")
    return load_config(root, {}, Vocabulary(()))


def never():
    return False


def test_without_a_table_or_the_flag_there_is_none(tmp_path):
    assert find_shared_store(config(tmp_path, "endpoint = 'grpc://localhost:1'"), never) is None
    assert find_shared_store(replace(config(tmp_path, "endpoint = 'grpc://localhost:1'"), remote=None), never) is None


def test_it_connects_with_the_values_of_headers(tmp_path, monkeypatch):
    monkeypatch.setenv("TOKEN", "Bearer abc")
    (tmp_path / "id").write_text("seven\n")
    with serving() as farm:
        table = f"endpoint = 'grpc://{farm.target}'\nstore = true\nheaders = {{authorization = 'env:TOKEN', x-id = 'file:id'}}"
        connect = find_shared_store(config(tmp_path, table), never)
        store = connect(KEY)
        try:
            assert store.get_entry("a" * 64) is None
        finally:
            store.close()
        assert farm.metadata[-1]["authorization"] == "Bearer abc"
        assert farm.metadata[-1]["x-id"] == "seven"


def test_files_of_tls_are_read(tmp_path):
    for name in ("ca", "cert", "key"):
        (tmp_path / name).write_text(f"PEM {name}")
    loaded = config(tmp_path, "endpoint = 'grpcs://a:1'\ntls = {ca = 'ca', cert = 'cert', key = 'key'}")
    address = read_address(loaded.remote, loaded, never)
    assert (address.secure, address.ca, address.cert, address.key) == (True, b"PEM ca", b"PEM cert", b"PEM key")
    (tmp_path / "key").unlink()
    with pytest.raises(FtcError, match="key: No such file"):
        read_address(loaded.remote, loaded, never)


@pytest.mark.parametrize(
    ("value", "said"),
    [(None, "the variable TOKEN is not set"), ("tök-s3cret", "header authorization: its value is not printable ASCII"), ("s3cret\nx: y", "not printable")],
)  # fmt: skip
def test_a_value_that_cannot_be_sent_is_named_and_not_shown(tmp_path, monkeypatch, value, said):
    monkeypatch.delenv("TOKEN", raising=False)
    if value:
        monkeypatch.setenv("TOKEN", value)
    loaded = config(tmp_path, "endpoint = 'grpc://localhost:1'\nheaders = {authorization = 'env:TOKEN'}")
    with pytest.raises(FtcError, match=said) as caught:
        read_address(loaded.remote, loaded, never)
    assert "s3cret" not in str(caught.value)


def test_without_the_extra_the_command_says_what_to_install_in_one_line(tmp_path):
    config(tmp_path, "endpoint = 'grpc://localhost:1'", "[artifacts.one]\nbuild = 'true'\noutputs = ['out']\n")
    code = "import sys; sys.modules['grpc'] = None; from pytest_ftc.cli.main import main; sys.exit(main(['warm']))"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    said = "ftc: remote execution needs the extra 'reapi': pip install 'pytest-ftc[reapi]'\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", said)
