"""The messages, and how they are made."""

import subprocess
import sys
from pathlib import Path

import pytest

from pytest_ftc.integrations.reapi import api
from pytest_ftc.integrations.reapi.errors import RemoteError
from pytest_ftc.model.digest import Digest

SCRIPT = Path(__file__).parents[4] / "scripts/make_reapi_descriptors.py"


def test_messages_of_all_packages_are_there():
    names = "Digest Action Command Directory ExecuteRequest WriteRequest Operation Status PreconditionFailure Any"
    for name in names.split():
        assert getattr(api, name).DESCRIPTOR.name == name
    with pytest.raises(AttributeError):
        _ = api.NoSuchMessage


def test_digests_survive_the_message():
    digest = Digest.of(b"1")
    assert api.to_digest(api.to_message(digest)) == digest


@pytest.mark.parametrize(
    ("hash_", "size"), [("", 0), ("0" * 63, 1), ("0" * 64 + "\n", 1), ("A" * 64, 1), ("0" * 64, -1)]
)
def test_what_is_no_digest_is_refused(hash_, size):
    with pytest.raises(RemoteError, match="no SHA-256 digest"):
        api.to_digest(api.Digest(hash=hash_, size_bytes=size))


def test_any_messages_that_are_broken_or_of_another_kind_are_none():
    message = api.Any()
    message.Pack(api.Digest(hash="1"))
    assert api.unpack(message, api.Digest).hash == "1"
    assert api.unpack(message, api.Action) is None
    message.value = b"\xff"
    assert api.unpack(message, api.Digest) is None


def test_without_the_extra_one_line_names_it(tmp_path):
    (tmp_path / "grpc.py").write_text("raise ModuleNotFoundError(name='grpc')")
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "try:\n    import pytest_ftc.integrations.reapi.connection\n"
        "except Exception as error:\n    print(type(error).__name__, error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == (
        "NotInstalledError remote execution needs the extra 'reapi': pip install 'pytest-ftc[reapi]'\n"
    )


def test_the_descriptors_are_those_of_the_script():
    done = subprocess.run([sys.executable, SCRIPT, "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
