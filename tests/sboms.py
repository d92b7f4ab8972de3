"""Lock files of four ecosystems, with the digests of real packages, and their SBOM."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from attestations import INPUTS
from samples import verification

from pytest_ftc.attestation.sbom.find_lock_files import find_lock_files
from pytest_ftc.attestation.sbom.inventory import Inventory, take_inventory
from pytest_ftc.attestation.sbom.settings import SbomSettings
from pytest_ftc.integrations.sbom.document import make_document
from pytest_ftc.model import Verdict, Verification

NPM = """{"name": "demo", "version": "1.0.0", "lockfileVersion": 3, "packages": {
"": {"name": "demo", "version": "1.0.0", "license": "MIT", "workspaces": ["packages/*"],
     "dependencies": {"ms": "^2", "@sindresorhus/is": "^4"}, "devDependencies": {"debug": "^4"}},
"packages/own": {"version": "0.1.0", "dependencies": {"ms": "2.0.0"}},
"node_modules/own": {"resolved": "packages/own", "link": true},
"packages/own/node_modules/ms": {"version": "2.0.0", "license": "MIT",
     "integrity": "sha512-Tpp60P6IUJDTuOq/5Z8cdskzJujfwqfOTkrwIwj7IRISpnkJnT6SyJ4PCPnGMoFjC9ddhal5KVIYtAt97ix05A=="},
"node_modules/@sindresorhus/is": {"version": "4.6.0", "license": "MIT", "optional": true,
     "resolved": "https://user:secret@registry.npmjs.org/@sindresorhus/is/-/is-4.6.0.tgz?token=secret",
     "integrity": "sha512-t09vSN3MdfsyCHoFcTRCH/iUtG7OJ0CsjzB8cjAmKc/va/kIgeDI/TxsigdncE/4be734m0cvIYwNaV4i2XqAw=="},
"node_modules/debug": {"version": "4.3.4", "license": "MIT", "dev": true, "dependencies": {"ms": "2.1.2"},
     "integrity": "sha512-PRWFHuSU3eDtQJPvnNY7Jcket1j0t5OuOsFzPPzsekD52Zl1qUfFIPEiswXqIvHWGVHOgX+7G/vCNNhehwxfkQ=="},
"node_modules/debug/node_modules/ms": {"version": "2.1.2", "license": "MIT", "dev": true},
"node_modules/ms": {"version": "2.1.3", "license": "MIT",
     "integrity": "sha512-6FlzubTLZG3J2a/NVCAleEhjzq5oxgHyaCU9yYXvcLsvoVaHJq/s5xXI6/XXP6tz7R9xAOtHnSO/tXtF3WRTlA=="}
}}"""
CARGO = """version = 3
[[package]]
name = "demo"
version = "0.3.0"
dependencies = ["libc 0.2.150", "own"]
[[package]]
name = "libc"
version = "0.2.150"
source = "registry+https://github.com/rust-lang/crates.io-index"
checksum = "89d92a4743f9a61002fae18374ed11e7973f530cb3a3255fb354818118b2203c"
[[package]]
name = "libc"
version = "0.1.12"
source = "registry+https://github.com/rust-lang/crates.io-index"
checksum = "e32a70cf75e5846d53a673923498228bbec6a8624708a9ea5645f075d6276122"
[[package]]
name = "own"
version = "0.1.0"
dependencies = ["spin"]
[[package]]
name = "spin"
version = "0.9.8"
source = "git+https://token@github.com/mvdnes/spin-rs?branch=master#502c9dc8c5c6a4ba1e4e0d4a2b2a5f9f1b5f7d10"
dependencies = ["libc 0.1.12"]
"""
GO_MOD = """module example.com/demo // a comment

go 1.21

require github.com/spf13/pflag v1.0.5
require (
\tgopkg.in/yaml.v3 v3.0.1 // indirect
\t"example.com/old" v1.0.0
\texample.com/local v1.0.0
)

replace (
\texample.com/old => example.com/fork v1.0.1
\texample.com/local v1.0.0 => ./local
)
"""
GO_SUM = """github.com/spf13/pflag v1.0.5 h1:iy+VFUOCP1a+8yFto/drg2CJ5u0yRoB7fZw3DKv/JXA=
github.com/spf13/pflag v1.0.5/go.mod h1:McXfInJRrz4CZXVZOBLb0bTZqETkiAhM9Iw0y3An2Bg=
gopkg.in/yaml.v3 v3.0.1 h1:fxVm/GzAzEWqLHuvctI91KS9hhNmmWOoWu0XTYJS7CA=
"""
PYPROJECT = """[build-system]
requires = ["wheel>=0.40", "flit_core"]
[project]
name = "Demo_Project"
version = "2.0"
license = "MIT OR Apache-2.0"
dependencies = ["attrs>=22", "Plain.Name @ https://user:secret@example.com/plain.zip"]
optional-dependencies = {cli = ["click; python_version > '3'"]}
"""
PYLOCK = """\
lock-version = "1.0"
created-by = "a test"
[[packages]]
name = "attrs"
version = "25.1.0"
wheels = [{name = "attrs-25.1.0-py3-none-any.whl", url = "https://files.pythonhosted.org/attrs-25.1.0-py3-none-any.whl", hashes = {sha256 = "c75a69e28a550a7e93789579c22aa26b0f5b83b75dc4e08fe092980051e1090a"}}]
dependencies = [{name = "cattrs"}]
[[packages]]
name = "cattrs"
version = "24.1.2"
marker = "'test' in extras"
sdist = {path = "dist/cattrs-24.1.2.tar.gz", hashes = {sha256 = "8028cfe1ff5382df59dd36474a86e02d817b06eaf8af84555441bac915d2ef85"}}
"""
FILES = {
    "package-lock.json": NPM,
    "Cargo.lock": CARGO,
    "go.mod": GO_MOD,
    "go.sum": GO_SUM,
    "pyproject.toml": PYPROJECT,
    "pylock.toml": PYLOCK,
}


def write_files(folder: Path, **files: str) -> Path:
    """Write lock files, or those of `FILES`, to `folder`."""
    for name, text in (files or FILES).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def verified(folder: Path, epoch: str = "1700000000") -> Verification:
    """Return the verification of an artifact whose sources are in `folder`."""
    inputs = replace(INPUTS, lock_files=find_lock_files(folder), source_date_epoch=epoch)
    return replace(verification(Verdict.REPRODUCIBLE), inputs=inputs)


def inventory(folder: Path, settings: SbomSettings | None = None, epoch: str = "1700000000") -> Inventory:
    return take_inventory(verified(folder, epoch), folder, settings or SbomSettings())


def document(folder: Path, settings: SbomSettings | None = None, epoch: str = "1700000000") -> dict[str, Any]:
    return make_document(inventory(folder, settings, epoch), settings or SbomSettings(), "1.0")
