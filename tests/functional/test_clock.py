"""Programs that libfaketime does not reach see the moved clock all the same, or the clock is not said to be varied."""

import json
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

DATE = """
#include <stdio.h>
#include <sys/time.h>
#include <time.h>
int main(void) {
    struct timeval day; struct timespec precise; char text[20]; time_t now = time(NULL);
    gettimeofday(&day, NULL); clock_gettime(CLOCK_REALTIME, &precise);
    if (day.tv_sec - now > 1 || precise.tv_sec - now > 1 || now - precise.tv_sec > 1) return 1;
    strftime(text, sizeof text, "%Y-%m-%d", gmtime(&now));
    return puts(text) < 0;
}
"""

WAITS = """
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t never = PTHREAD_COND_INITIALIZER;
static void *wait_a_moment(void *unused) {
    struct timespec end; int code;
    clock_gettime(CLOCK_REALTIME, &end); end.tv_sec += 1;
    pthread_mutex_lock(&lock); code = pthread_cond_timedwait(&never, &lock, &end); pthread_mutex_unlock(&lock);
    if (vfork() == 0) { execl("/bin/true", "true", (char *)0); _exit(1); }
    return (void *)(long)(code == ETIMEDOUT);
}
int main(void) {
    pthread_t threads[20]; struct timespec end; void *timed_out; long count = 0;
    for (int i = 0; i < 20; i++) pthread_create(&threads[i], 0, wait_a_moment, 0);
    for (int i = 0; i < 20; i++) { pthread_join(threads[i], &timed_out); count += (long)timed_out; }
    clock_gettime(CLOCK_REALTIME, &end); end.tv_sec += 1;
    printf("%ld %d\\n", count, clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &end, 0));
    return 0;
}
"""

JEMALLOC = """
#include <stdio.h>
#include <string.h>
#include <time.h>
const char *volatile allocator = "jemalloc";
int main(void) {
    char line[4096], text[20]; time_t now = time(NULL); FILE *maps = fopen("/proc/self/maps", "r");
    while (fgets(line, sizeof line, maps)) if (strstr(line, "faketime")) return 1;
    strftime(text, sizeof text, "%Y-%m-%d", gmtime(&now));
    return puts(text) < 0;
}
"""

BUILDS = {
    "static program": "gcc -static -o date date.c && ./date > out",
    "empty environment": "env -i /bin/date +%F > out",
    "interpreter in an empty environment": "env -i $(command -v python3) -c 'import time; print(time.strftime(\"%F\"))' > out",
    "program with jemalloc": "gcc -o jemalloc jemalloc.c && ./jemalloc > out",
    "static program of a static program": "gcc -static -o date date.c && env -i ./date > out",
    "static program that waits": "gcc -static -o waits waits.c && ./waits > out",
    "program that does not mind": "date -d @0 > out",
    "program that waits": "python3 -c 'import time; time.sleep(0.05); print(1)' > out && sleep 0.05",
    "program that is stopped": (
        "sh -c 'kill -STOP $$; echo went on > out' & process=$!; sleep 0.3; kill -CONT $process; wait $process;"
        " sh -c 'trap \"echo heard >> out\" USR1; kill -USR1 $$'; timeout -s INT 0.3 sleep 5; echo $? >> out"
    ),
    "program under another tracer": "strace -f -o trace sh -c 'sleep 0.1; /bin/date -d @0' > out",
    "checker of its own memory": (
        "echo 'int main(void) { return 0; }' > main.c && gcc -fsanitize=address -o main main.c && ./main && echo fine > out"
    ),
}


def verify(folder: Path, *prefix: str, variations: str = "all") -> tuple[dict[str, dict], str]:
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "date.c").write_text(DATE)
    (folder / "waits.c").write_text(WAITS)
    (folder / "jemalloc.c").write_text(JEMALLOC)
    tables = [
        f"[artifacts.{json.dumps(name)}]\nbuild = {json.dumps(build)}\noutputs = ['out']\ntimeout = 60\n"
        for name, build in BUILDS.items()
    ]
    (folder / "ftc.toml").write_text("\n".join([f"variations = '{variations}'", *tables]))
    report = folder.parent / "report.json"
    command = [*prefix, sys.executable, "-m", "pytest", "--ftc-verify", "--ftc-diagnose=off", f"--ftc-json={report}"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=os.environ)
    assert report.exists(), done.stdout + done.stderr
    return {artifact["name"]: artifact for artifact in json.loads(report.read_text())["artifacts"]}, done.stdout


@pytest.fixture(scope="module")
def verified(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict]:
    """All builds with only the clock and one more variation, in one session."""
    folder = tmp_path_factory.mktemp("clock") / "project"
    folder.mkdir()
    return verify(folder, variations="time,umask")[0]


@pytest.mark.parametrize("name", list(BUILDS)[:5])
def test_a_date_from_a_program_out_of_reach_is_found(verified, name):
    artifact = verified[name]
    assert artifact["verdict"] == "unreproducible", artifact
    assert artifact["varied"] == ["time", "umask"]
    (finding,) = artifact["findings"]
    years = {value[:4] for value in finding["evidence"].values()}
    assert len(years) == 2


@pytest.mark.parametrize("name", list(BUILDS)[5:9])
def test_a_build_that_does_not_leak_the_clock_runs_as_ever(verified, name):
    artifact = verified[name]
    assert artifact["verdict"] == "reproducible", artifact
    assert artifact["varied"] == ["time", "umask"]


@pytest.mark.parametrize("name", list(BUILDS)[9:])
def test_a_build_that_traces_its_own_processes_may_and_the_clock_is_not_claimed(verified, name):
    artifact = verified[name]
    assert artifact["verdict"] == "reproducible", artifact
    assert artifact["varied"] == ["umask"]
    (not_varied,) = artifact["not_varied"]
    assert not_varied["variation"] == "time"
    assert "is traced by the build itself" in not_varied["reason"]


def test_the_clock_is_not_claimed_where_nobody_may_watch(tmp_path):
    folder = tmp_path / "project"
    folder.mkdir()
    sandbox = [sys.executable, str(Path(__file__).with_name("without_call.py")), "ptrace"]
    artifacts, out = verify(folder, *sandbox, variations="time,umask")
    artifact = artifacts["program that does not mind"]
    assert artifact["verdict"] == "reproducible"
    assert artifact["varied"] == ["umask"]
    assert "allow ptrace(2)" in artifact["not_varied"][0]["reason"]
    assert "not varied  time" in out
    assert any("the control build could not be traced" in note for note in artifact["notes"])


@pytest.fixture
def file_of_today():
    """A file that was made before the build; builds see this folder, but not those for temporary files."""
    folder = Path(tempfile.mkdtemp(prefix="ftc-today-", dir=pwd.getpwuid(os.getuid()).pw_dir))
    (folder / "file").touch()
    yield folder / "file"
    shutil.rmtree(folder)


def test_the_clock_is_not_claimed_when_the_date_of_a_file_is_written(verify_build, file_of_today):
    run = verify_build(f"date -u -r {file_of_today} +%F > out", "--ftc-variations=time,umask")
    artifact = run.artifact()
    assert artifact["verdict"] == "reproducible"
    assert artifact["varied"] == ["umask"]
    assert artifact["not_varied"][0]["reason"].startswith("the outputs contain the real date of the builds (2")


def test_the_date_of_a_file_that_the_build_has_made_moves_with_the_clock(verify_build):
    artifact = verify_build(": > made; date -u -r made +%F > out", "--ftc-variations=time,umask").artifact()
    assert artifact["verdict"] == "unreproducible"
    assert artifact["varied"] == ["time", "umask"]


def test_with_nothing_else_varied_such_a_date_leaves_nothing_to_claim(verify_build, file_of_today):
    run = verify_build(f"date -u -r {file_of_today} +%F > out", "--ftc-variations=time")
    assert run.artifact()["verdict"] == "error"
