"""The date of a file that a build has made moves with the clock.  Of another file it is real, and found in outputs."""

import json
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

ZIP = """
import os, time, zipfile
with zipfile.ZipFile('out', 'w') as archive:
    archive.writestr(zipfile.ZipInfo('f', time.gmtime(os.stat('FILE').st_mtime)[:3] + (0, 0, 0)), 'x')
"""
TAR = """
import io, os, tarfile
with tarfile.open('out', 'w') as archive:
    info = tarfile.TarInfo('f')
    info.mtime = int(os.stat('FILE').st_mtime) // 86400 * 86400
    archive.addfile(info, io.BytesIO())
"""
FORMATS = ("%Y", "%Y-%m", "%B %Y", "%b", "%A", "%a", "%j", "%V", "%U", "%y%m%d", "%b %e", "%d/%m", "%m", "%F")
LEAKS = {
    **{f"date {form.replace(chr(47), chr(46))}": f"date -u -r FILE '+{form}' > out" for form in FORMATS},
    "year in a sentence": 'echo "(c) $(date -u -r FILE +%Y) the authors" > out',
    "days since 1970": "expr $(stat -c %Y FILE) / 86400 > out",
    "listing": "TZ=UTC ls -l --time-style='+%b %d %H:%M' FILE | tr -s ' ' | cut -d' ' -f6-8 | cut -c1-6 > out",
    "day in gzip": "date -u -r FILE +%F | gzip -n > out",
    "day of a zip entry": f"cat > pack.py <<X\n{ZIP}\nX\npython3 pack.py",
    "day of a tar entry": f"cat > pack.py <<X\n{TAR}\nX\npython3 pack.py",
    "compressed tar": f"cat > pack.py <<X\n{TAR}\nX\npython3 pack.py && gzip -n out && mv out.gz out",
}
SHOW = """
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
int main(void) {
    struct stat status; stat("/f", &status);
    return printf("%ld %d\\n", status.st_mtime / 2592000 * 7, status.st_uid == getuid()) < 0;
}
"""
MADE = {
    "base64": "date -u -r f +%F | base64 > out",
    "reversed": "date -u -r f +%Y%m%d | rev > out",
    "digest": "date -u -r f +%F | md5sum > out",
    "birth": "date -u -d @$(stat -c %W f) +%F | md5sum > out",
    "change of the inode": "touch -d @0 f; date -u -d @$(stat -c %Z f) +%F | md5sum > out",
    "access": "cat f; date -u -d @$(stat -c %X f) +%F | md5sum > out",
    "open file": "python3 -c 'import os; print(os.fstat(os.open(\"f\", 0)).st_mtime // 2592000 * 7)' > out",
    "pipe": "true | python3 -c 'import os; print(os.fstat(0).st_mtime // 2592000 * 7)' > out",
    "standard input": "stat -L -c %y /dev/stdin < f | cut -c1-7 | md5sum > out",
    "find": "find f -printf %TY%Tm | md5sum > out",
    "perl": "perl -e 'print int((stat \"f\")[9] / 2592000) * 7' > out",
    "tar": "tar -cf - f | md5sum > out",
    "folder": "mkdir d; stat -c %y d | cut -c1-7 | md5sum > out",
    "temporary folder": "stat -c %y $TMPDIR | cut -c1-7 | md5sum > out",
    "proc": "stat -c %y /proc/self/maps | cut -c1-7 | md5sum > out",
    "another root": "gcc -static -o show show.c && unshare -r chroot . /show > out",
    "copy with its times": "cp -p f g; date -u -r g +%F | md5sum > out",
    "source file's inode": "stat -c %z file | cut -c1-7 | md5sum > out",
    "compiled Python": "echo 1 > m.py; python3 -m py_compile m.py; tail -c +9 __pycache__/m.*.pyc | head -c 3 | md5sum > out",
}
OTHERS = {
    "comparison with a fixed date": 'touch f; [ -n "$(find f -newermt 2020-11-01)" ] && echo beta > out',
    "link into proc": "echo > f; ln -s /proc/self/fd/0 l; stat -L -c %y l < f | cut -c1-7 | md5sum > out",
    "archive that cannot be opened": "printf 'Rar!\\032\\007\\001' > out",
}
FINE = {
    "no date": "echo hello > out",
    "other years": "echo 1999 2001 > out",
    "a number": "echo 48 > out",
    "time of the source": "touch -d @86400 f; date -u -r f +%F > out",
    "a calendar": "for day in 1 2 3 4 5 6 7; do date -u -d @$((day * 86400)) +%A; done > out",
    "a zip of another day": ZIP.replace("os.stat('FILE').st_mtime", "86400 * 9000").join(
        ("cat > pack.py <<X\n", "\nX\npython3 pack.py")
    ),
}


@pytest.fixture(scope="module")
def verified(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dates") / "project"
    folder.mkdir()
    (folder / "pytest.ini").write_text("[pytest]\n")
    # Builds see this folder, but not those for temporary files.
    outside = Path(tempfile.mkdtemp(prefix="ftc-dates-", dir=pwd.getpwuid(os.getuid()).pw_dir), "file")
    outside.touch()
    builds = {
        **{f"{name}, outside": build.replace("FILE", str(outside)) for name, build in LEAKS.items()},
        **{f"{name}, made": f"touch f; {build.replace('FILE', 'f')}" for name, build in LEAKS.items()},
        **{f"{name}, made": f"echo > f; {build}" for name, build in MADE.items()},
        **OTHERS,
        **FINE,
    }
    tables = [
        f"[artifacts.{json.dumps(name)}]\nbuild = {json.dumps(build)}\noutputs = ['out']\nsource = 'empty'\n"
        for name, build in builds.items()
    ]
    (folder / "empty").mkdir()
    (folder / "empty" / "file").write_text("")
    (folder / "empty" / "show.c").write_text(SHOW)
    (folder / "ftc.toml").write_text("\n".join(["variations = 'time,umask'", *tables]))
    report = folder.parent / "report.json"
    command = [sys.executable, "-m", "pytest", "--ftc-verify", "--ftc-diagnose=off", f"--ftc-json={report}"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert report.exists(), done.stdout + done.stderr
    shutil.rmtree(outside.parent)
    return {artifact["name"]: artifact for artifact in json.loads(report.read_text())["artifacts"]}


@pytest.mark.parametrize("name", [*LEAKS, *MADE])
def test_the_date_of_a_file_that_was_made_differs(verified, name):
    artifact = verified[f"{name}, made"]
    assert artifact["verdict"] == "unreproducible", artifact
    assert artifact["varied"] == ["time", "umask"], artifact["not_varied"]


@pytest.mark.parametrize("name", [*(f"{name}, outside" for name in LEAKS), *OTHERS])
def test_the_clock_is_not_claimed(verified, name):
    artifact = verified[name]
    assert artifact["verdict"] == "reproducible", artifact
    assert artifact["varied"] == ["umask"]
    reason = artifact["not_varied"][0]["reason"]
    known = "real date of the builds" in reason or "a fixed date decides (find -newermt 2020-11-01)" in reason
    known |= "stat asks for the time of a file by a link into /proc" in reason
    assert known or "not searched for the date of the builds: out: " in reason


@pytest.mark.parametrize("name", FINE)
def test_the_clock_is_claimed_where_no_real_date_is_seen(verified, name):
    artifact = verified[name]
    assert artifact["verdict"] == "reproducible", artifact
    assert artifact["varied"] == ["time", "umask"], artifact["not_varied"]


def test_a_build_that_asks_how_old_its_sources_are_is_found_by_the_third_build(verify, project):
    (project / "a.txt").write_text("a")
    build = "find . -name 'a.txt' -mtime -200 > out"
    run = verify(f'[artifacts.app]\nbuild = "{build}"\noutputs = ["out"]\n', "--ftc-builds=3")
    assert run.verdicts == {"app": "unreproducible"}
