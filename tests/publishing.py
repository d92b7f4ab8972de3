"""Projects with a verified and attested artifact, for the tests of publishing."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from attestations import BUILDER, INPUTS
from samples import build, verification

from pytest_ftc.attestation.documents import make_statements
from pytest_ftc.attestation.envelope import Envelope
from pytest_ftc.attestation.statement import PAYLOAD_TYPE
from pytest_ftc.integrations.key_files import KeyFolder
from pytest_ftc.integrations.signers import SignerReference
from pytest_ftc.integrations.signing import sign
from pytest_ftc.model import Output, OutputType, Role, Verdict, Verification
from pytest_ftc.reporting.verification_files import write_verifications

FILES = {"dist/app.whl": b"a wheel\n", "dist/app.tar.gz": b"an sdist\n"}


@dataclass(frozen=True)
class Project:
    """A folder with the outputs of an artifact, the report of its verification, a key, attestations and a policy."""

    folder: Path
    verification: Verification

    @property
    def arguments(self) -> list[str]:
        """What ``ftc publish`` is told, whatever the current folder is."""
        paths = {"--report": "report", "--files": "", "--store": "store", "--attestations": "attestations"}
        return [text for name, path in paths.items() for text in (name, str(self.folder / path))]

    @property
    def policy(self) -> str:
        return str(self.folder / "policy.toml")

    def require(self, text: str) -> None:
        """Change what the policy requires."""
        (self.folder / "policy.toml").write_text(f'keyring = "keys/keys.toml"\n[require]\n{text}\n')


def verified(files: Mapping[str, bytes], verdict: Verdict = Verdict.REPRODUCIBLE, name: str = "app") -> Verification:
    """Return the verification of an artifact whose builds left `files`."""
    outputs = tuple(
        Output(path=path, type=OutputType.FILE, mode="0644", size=len(data), sha256=hashlib.sha256(data).hexdigest())
        for path, data in sorted(files.items())
    )
    control, experiment = (replace(build(role), outputs=outputs) for role in (Role.CONTROL, Role.EXPERIMENT))
    if verdict is Verdict.UNREPRODUCIBLE:
        experiment = build(Role.EXPERIMENT)
    one = verification(verdict)
    return replace(one, name=name, builds=(control, experiment), inputs=INPUTS, leaks=(), hermeticity=())


def make_project(
    folder: Path,
    files: Mapping[str, bytes] = FILES,
    verdict: Verdict = Verdict.REPRODUCIBLE,
    *,
    keys: Path | None = None,
    **changes: object,
) -> Project:
    """Write a project whose artifact ``app`` left `files`; its keyring is `keys`, if another project has one."""
    one = replace(verified(files, verdict), **changes)
    folder.mkdir(parents=True, exist_ok=True)
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    write_verifications(folder / "report", [one], "1.0")
    if keys is None:
        KeyFolder(folder / "keys").new("release", "ed25519", "us")
    else:
        (folder / "keys").symlink_to(keys)
    (folder / "attestations").mkdir()
    for kind, statement in make_statements(one, BUILDER, None):
        envelope = sign(
            Envelope(PAYLOAD_TYPE, statement.encode()), [SignerReference(f"file2:{folder}/keys/release.pem")]
        )
        (folder / "attestations" / f"app.{kind}.dsse.json").write_bytes(envelope.encode())
    project = Project(folder, one)
    project.require("")
    return project
