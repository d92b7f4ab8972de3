"""Which outputs `ftc normalize` would refuse."""

import hashlib
import io
import zipfile

from pytest_ftc.diagnosis.trials.rewriting import find_refused
from pytest_ftc.diagnosis.trials.target import Applied
from pytest_ftc.model import BuildResult, BuildStatus, Output, OutputType, Role


def remedy(output):
    return Applied("end the build with it", (), "", f"ftc normalize {output}", output, False, "")


def packed(*names):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return buffer.getvalue()


def build(folder, **contents):
    outputs = []
    for name, data in contents.items():
        digest = hashlib.sha256(data).hexdigest()
        (folder / digest).write_bytes(data)
        outputs.append(Output(path=name, type=OutputType.FILE, mode="0644", size=len(data), sha256=digest))
    return BuildResult(
        id="b", role=Role.CONTROL, environment={}, status=BuildStatus.OK, outputs=tuple(outputs), blobs=str(folder)
    )


def test_what_it_refuses_is_told_with_its_reason_and_nothing_is_written(tmp_path):
    control = build(tmp_path, plain=packed("b", "a"), signed=packed("a", "AppxSignature.p7x"), text=b"no archive")
    before = {file: file.read_bytes() for file in tmp_path.iterdir()}
    refused = find_refused(control, [remedy(name) for name in ("plain", "signed", "text", "gone")], 1_600_000_000)
    assert {one.rewrites for one in refused} == {"signed", "text"}
    assert "an MSIX signature" in refused[remedy("signed")]
    assert all(reason.startswith("it could not be tried: ") for reason in refused.values())
    assert {file: file.read_bytes() for file in tmp_path.iterdir()} == before


def test_other_remedies_and_what_is_not_known_are_not_refused(tmp_path):
    other = remedy("text")._replace(rewrites="")
    assert find_refused(build(tmp_path, text=b"x"), [other], 1_600_000_000) == {}
    assert find_refused(None, [remedy("text")], 1_600_000_000) == {}
