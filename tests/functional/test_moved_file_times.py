"""Programs that compare times of files, with each other or with the clock, work as ever where the clock is moved."""

import json

import pytest
from one_run import verify_folder

AGREES = """
import os, time
def near(*times):
    for one in times: assert abs(time.time() - one) < 100, (time.time(), times)
open('f', 'w').close(); descriptor = os.open('f', os.O_RDONLY); os.symlink('f', 'l'); os.mkdir('d')
near(*os.stat('f')[7:10]); near(*os.lstat('l')[7:10]); near(*os.fstat(descriptor)[7:10]); near(*os.stat('d')[7:10])
near(next(entry for entry in os.scandir('.') if entry.name == 'f').stat().st_mtime)
near(os.stat('f', dir_fd=os.open('.', os.O_RDONLY)).st_mtime); near(os.fstat(os.pipe()[0]).st_mtime)
near(os.stat(os.environ['TMPDIR']).st_mtime)
os.utime('f'); near(os.stat('f').st_mtime)
assert os.lstat('l').st_size == 1 and os.stat('l').st_ino == os.stat('f').st_ino == os.fstat(descriptor).st_ino
"""
SET = """
import os, time
for moment in (0, 1, 86400 * 365 * 20, int(time.time()), int(time.time()) - 7200, 4000000000):
    open('f', 'w').close(); os.utime('f', ns=(moment * 10**9 + 7, moment * 10**9 + 5))
    status = os.stat('f')
    assert (status.st_atime_ns, status.st_mtime_ns) == (moment * 10**9 + 7, moment * 10**9 + 5), (moment, status)
    assert abs(status.st_ctime - time.time()) < 100
"""
RIGHTS = """
import os
if os.getuid():
    os.mkdir('d'); open('d/f', 'w').close(); os.chmod('d', 0)
    for ask in (os.stat, os.lstat, os.path.getmtime):
        try: ask('d/f')
        except PermissionError: continue
        raise SystemExit('a folder without permissions was searched')
    os.chmod('d', 0o700); os.stat('d/f')
"""
ERRORS = """
import os
for name, number in (('missing', 2), ('file/x', 20), ('loop', 40), ('x' * 300, 36), ('', 2)):
    if name == 'loop': os.symlink('loop', 'loop')
    try: os.stat(name)
    except OSError as error: assert error.errno == number, (name, error)
    else: raise SystemExit(name)
"""
MAKE = """
made: part
\tcat part > made; echo built >> log
part: file
\tcp file part
"""
WORKS = {
    "agrees with the clock": f"cat > a.py <<'X'\n{AGREES}\nX\npython3 a.py",
    "a time that is set is read back": f"cat > a.py <<'X'\n{SET}\nX\npython3 a.py",
    "permissions": f"cat > a.py <<'X'\n{RIGHTS}\nX\npython3 a.py",
    "errors": f"cat > a.py <<'X'\n{ERRORS}\nX\npython3 a.py",
    "make": f"cat > Makefile <<'X'\n{MAKE}\nX\nmake 2> errors; make; sleep 0.1; make -q && ! grep skew errors"
    " && touch part && ! make -q && make && test $(wc -l < log) = 2",
    "copies": "echo > f; sleep 0.1; cp -p f g; [ ! f -nt g ] && [ ! g -nt f ] && echo > h && [ h -nt g ] && [ h -nt file ]",
    "archives": "echo > f; tar -cf a.tar f; sleep 1.1; mkdir x; tar -xf a.tar -C x;"
    " test $(stat -c %Y f) = $(stat -c %Y x/f) && tar -df a.tar",
    "git": "git init -q . && git add file && git -c user.name=a -c user.email=a@b commit -qm a && git diff --quiet",
    "compiled Python": "echo x=1 > m.py; python3 -c 'import m'; python3 -v -c 'import m' 2>&1 | grep -q 'matches.*m.py'",
    "find": 'echo > f; test "$(find f -mmin -5)" = f && test -z "$(find f -mmin +5)" && test -z "$(find f -newermt now+1min)"',
    "devices": "test -c /dev/null && test -p /dev/stdin || test -c /dev/stdin && echo x | test -p /dev/stdin",
    "own user namespace": "echo > f; unshare -r sh -c 'test $(stat -c %u f) = 0 && test -O f'",
    "threads": 'python3 -c \'import os, concurrent.futures as c; open("f", "w").close();'
    ' print(len(set(c.ThreadPoolExecutor(8).map(lambda _: os.stat("f").st_mtime_ns, range(2000)))))\' | grep -qx 1',
}


@pytest.fixture(scope="module", params=["+398d", "-398d"])
def verified(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("times") / "project"
    (folder / "empty").mkdir(parents=True)
    (folder / "empty" / "file").write_text("x\n")
    (folder / "pytest.ini").write_text("[pytest]\n")
    tables = [
        f"[artifacts.{json.dumps(name)}]\nbuild = {json.dumps(f'({build}) && echo fine > out')}\noutputs = ['out']\nsource = 'empty'\n"
        for name, build in WORKS.items()
    ]
    variations = f"time,user_group,time.offset={request.param}"
    (folder / "ftc.toml").write_text("\n".join([f"variations = '{variations}'\nbuilds = 2", *tables]))
    return verify_folder(folder, "--ftc-diagnose=off")


@pytest.mark.parametrize("name", WORKS)
def test_it_works_as_ever(verified, name):
    artifact = verified[name]
    assert artifact["verdict"] == "reproducible", artifact
    assert artifact["varied"] == ["time", "user_group"], artifact["not_varied"]
