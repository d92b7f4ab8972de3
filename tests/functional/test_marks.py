"""A build cannot tell the control from an experiment by how it is watched."""

import json

import pytest
from one_run import verify_folder

VDSO = (
    "import hashlib\n"
    "start, end = next(line.split()[0].split('-') for line in open('/proc/self/maps') if line.endswith('[vdso]\\n'))\n"
    "file = open('/proc/self/mem', 'rb', 0); file.seek(int(start, 16)); image = file.read(int(end, 16) - int(start, 16))\n"
    "print(len(image.rstrip(b'\\0')))"
)
TRACED = "grep TracerPid: /proc/self/status | cut -f2"
STAT = 'python3 -c \'import os; print(len(os.stat("file")), os.stat("file").st_size)\''
MARKS = {
    "size of the code in the vDSO": f"cat > a.py <<'X'\n{VDSO}\nX\npython3 a.py",
    "tracer": TRACED,
    "seccomp": "grep Seccomp /proc/self/status",
    "preloaded libraries": "cat /etc/ld.so.preload; echo $LD_PRELOAD; env | grep FAKE",
    "size of a status": STAT,
}


@pytest.fixture(scope="module")
def verified(tmp_path_factory):
    folder = tmp_path_factory.mktemp("marks") / "project"
    folder.mkdir()
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "file").write_text("x\n")
    tables = [
        f"[artifacts.{json.dumps(name)}]\nbuild = {json.dumps(f'({build}) > out 2>&1 || true')}\noutputs = ['out']\n"
        for name, build in MARKS.items()
    ]
    (folder / "ftc.toml").write_text("\n".join(["variations = 'time,umask'", *tables]))
    return verify_folder(folder, "--ftc-diagnose=off")


@pytest.mark.parametrize("name", MARKS)
def test_it_is_the_same_in_all_builds(verified, name):
    assert verified[name]["verdict"] == "reproducible", verified[name]
    assert verified[name]["varied"] == ["time", "umask"]
