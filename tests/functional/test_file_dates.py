"""Whatever of the real date a build takes from the time of a file, the clock is not said to be varied."""

import json
import subprocess
import sys

import pytest

ZIP = """
import os, time, zipfile
open('f', 'w').close()
with zipfile.ZipFile('out', 'w') as archive:
    archive.writestr(zipfile.ZipInfo('f', time.gmtime(os.stat('f').st_mtime)[:3] + (0, 0, 0)), 'x')
"""
TAR = """
import io, os, tarfile
open('f', 'w').close()
with tarfile.open('out', 'w') as archive:
    info = tarfile.TarInfo('f')
    info.mtime = int(os.stat('f').st_mtime) // 86400 * 86400
    archive.addfile(info, io.BytesIO())
"""
FORMATS = ("%Y", "%Y-%m", "%B %Y", "%b", "%A", "%a", "%j", "%V", "%U", "%y%m%d", "%b %e", "%d/%m", "%m", "%F")
LEAKS = {
    **{f"date {form.replace(chr(47), chr(46))}": f"touch f; date -u -r f '+{form}' > out" for form in FORMATS},
    "year in a sentence": 'touch f; echo "(c) $(date -u -r f +%Y) the authors" > out',
    "days since 1970": "touch f; expr $(stat -c %Y f) / 86400 > out",
    "listing": "touch f; TZ=UTC ls -l --time-style='+%b %d %H:%M' f | cut -d' ' -f6-8 | cut -c1-6 > out",
    "day in gzip": "touch f; date -u -r f +%F | gzip -n > out",
    "day of a zip entry": f"cat > pack.py <<X\n{ZIP}\nX\npython3 pack.py",
    "day of a tar entry": f"cat > pack.py <<X\n{TAR}\nX\npython3 pack.py",
    "compressed tar": f"cat > pack.py <<X\n{TAR}\nX\npython3 pack.py && gzip -n out && mv out.gz out",
    "archive that cannot be opened": "printf 'Rar!\\032\\007\\001' > out",
}
FINE = {
    "no date": "echo hello > out",
    "other years": "echo 1999 2001 > out",
    "a number": "echo 48 > out",
    "time of the source": "touch -d @86400 f; date -u -r f +%F > out",
    "a calendar": "for day in 1 2 3 4 5 6 7; do date -u -d @$((day * 86400)) +%A; done > out",
    "a zip of another day": ZIP.replace("os.stat('f').st_mtime", "86400 * 9000").join(
        ("cat > pack.py <<X\n", "\nX\npython3 pack.py")
    ),
}


@pytest.fixture(scope="module")
def verified(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dates") / "project"
    folder.mkdir()
    (folder / "pytest.ini").write_text("[pytest]\n")
    tables = [
        f"[artifacts.{json.dumps(name)}]\nbuild = {json.dumps(build)}\noutputs = ['out']\nsource = 'empty'\n"
        for name, build in (LEAKS | FINE).items()
    ]
    (folder / "empty").mkdir()
    (folder / "empty" / "file").write_text("")
    (folder / "ftc.toml").write_text("\n".join(["variations = 'time,umask'", *tables]))
    report = folder.parent / "report.json"
    command = [sys.executable, "-m", "pytest", "--ftc-verify", "--ftc-diagnose=off", f"--ftc-json={report}"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert report.exists(), done.stdout + done.stderr
    return {artifact["name"]: artifact for artifact in json.loads(report.read_text())["artifacts"]}


@pytest.mark.parametrize("name", LEAKS)
def test_the_clock_is_not_claimed(verified, name):
    artifact = verified[name]
    assert artifact["verdict"] == "reproducible", artifact
    assert artifact["varied"] == ["umask"]
    reason = artifact["not_varied"][0]["reason"]
    assert "real date of the builds" in reason or "not searched for the date of the builds: out: " in reason


@pytest.mark.parametrize("name", FINE)
def test_the_clock_is_claimed_where_no_real_date_is_seen(verified, name):
    artifact = verified[name]
    assert artifact["verdict"] == "reproducible", artifact
    assert artifact["varied"] == ["time", "umask"], artifact["not_varied"]
