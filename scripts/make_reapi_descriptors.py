"""Writes pytest_ftc/integrations/reapi/reapi.binpb, the descriptions of all messages and services of a farm.

With --check it compares only.  The source are the descriptors inside the wheels below, which pip downloads: those of
the Remote Execution API v2 (https://github.com/bazelbuild/remote-apis) and of the APIs of Google that it uses.
Options are left out: they are for gateways and for generated code.
"""

from __future__ import annotations

import ast
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet

TARGET = Path(__file__).parent.parent / "pytest_ftc/integrations/reapi/reapi.binpb"
WHEELS = """\
buildgrid-common==0.8.0 --hash=sha256:ea0391e055c2a7a451b27137003b5fe9a3ca339da12757cdd2c93eebe0a73373
googleapis-common-protos==1.76.0 --hash=sha256:59e13344a9f3651aa201a03e2bee815a3bf43a4baf1f9ff8a9b62a840ce25fac
protobuf==7.36.2 --hash=sha256:bdb3a345d48db958e6ce1f18e508beb0cc981d64f24088427549c866cd039f1e
"""
FILES = (
    "build/bazel/remote/execution/v2/remote_execution.proto",
    "google/bytestream/bytestream.proto",
    "google/longrunning/operations.proto",
    "google/rpc/error_details.proto",
)
_WITHOUT = ("google/api/", "google/protobuf/descriptor.proto")
"""The files that define options."""


def main() -> int:
    """Write or compare the file; return the exit status."""
    data = make()
    if "--check" not in sys.argv[1:]:
        TARGET.write_bytes(data)
    elif data != TARGET.read_bytes():
        print(f"{TARGET.name} is out of date; run python scripts/make_reapi_descriptors.py")
        return 1
    return 0


def make() -> bytes:
    """Return the serialized FileDescriptorSet; each file comes after those that it imports."""
    with tempfile.TemporaryDirectory() as folder:
        requirements = Path(folder, "requirements.txt")
        requirements.write_text(WHEELS)
        options = "--quiet --disable-pip-version-check --no-deps --require-hashes --only-binary=:all:"
        wheel = ["--platform=any", "--python-version=3.13", f"--dest={folder}", f"--requirement={requirements}"]
        subprocess.run([sys.executable, "-m", "pip", "download", *options.split(), *wheel], check=True)
        found = {file.name: file for wheel in sorted(Path(folder).glob("*.whl")) for file in read_wheel(wheel)}
    result = FileDescriptorSet()
    for name in FILES:
        add(name, found, result)
    return result.SerializeToString(deterministic=True)


def read_wheel(path: Path) -> Iterator[FileDescriptorProto]:
    """Yield the descriptors that the generated modules of a wheel hold; none of its code runs."""
    with ZipFile(path) as wheel:
        for name in sorted(wheel.namelist()):
            if name.endswith("_pb2.py"):
                for node in ast.walk(ast.parse(wheel.read(name))):
                    if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "AddSerializedFile":
                        yield FileDescriptorProto.FromString(ast.literal_eval(node.args[0]))


def add(name: str, found: dict[str, FileDescriptorProto], result: FileDescriptorSet) -> None:
    """Add the file `name` to `result`, after all files that it imports."""
    file = FileDescriptorProto()
    file.CopyFrom(found[name])
    if name in [done.name for done in result.file]:
        return
    imported = [other for other in file.dependency if not other.startswith(_WITHOUT)]
    del file.dependency[:], file.public_dependency[:], file.weak_dependency[:], file.extension[:]
    file.dependency.extend(imported)
    for other in imported:
        add(other, found, result)
    file.ClearField("options")
    for service in file.service:
        for method in service.method:
            method.ClearField("options")
    result.file.append(file)


if __name__ == "__main__":
    sys.exit(main())
