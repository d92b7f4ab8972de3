"""Secrets in what builds left."""

import hashlib

from pytest_ftc.builds.inputs.secrets import read_secrets
from pytest_ftc.model import BuildResult, BuildStatus, Output, OutputType, Role, Verdict, Verification
from pytest_ftc.verification.secret_leaks import mask_secrets


def test_what_was_not_searched_is_noted(tmp_path):
    data = b"7z\xbc\xaf\x27\x1c" + bytes(100)
    digest = hashlib.sha256(data).hexdigest()
    (tmp_path / digest).write_bytes(data)
    output = Output(path="s3cr3t-value.7z", type=OutputType.FILE, mode="0644", size=len(data), sha256=digest)
    build = BuildResult(
        id="1", role=Role.CONTROL, environment={}, status=BuildStatus.OK, outputs=(output,), blobs=str(tmp_path)
    )
    verification = Verification(id="a", name="a", verdict=Verdict.REPRODUCIBLE, builds=(build,))
    masked = mask_secrets(verification, read_secrets(["env:TOKEN"], {"TOKEN": "s3cr3t-value"}, tmp_path))
    assert masked.notes == ("not searched for secrets: ***.7z: no reader for 7z archives",)
    assert masked.leaks == ("env:TOKEN (as it is) stands in the name of ***.7z",)
