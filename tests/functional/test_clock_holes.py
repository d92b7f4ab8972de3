"""No program gets at the real clock by another way, and waits for a moment of the moved clock end in time."""

import json
from pathlib import Path

import pytest
from one_run import verify_folder

from pytest_ftc.variations.time import SHIFT

VDSO = """
#include <elf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <time.h>
static uintptr_t find(void) {
    char line[4096]; FILE *maps = fopen("/proc/self/maps", "r");
    while (BY_MAPS && fgets(line, sizeof line, maps)) if (strstr(line, "[vdso]")) return strtoul(line, 0, 16);
    return getauxval(AT_SYSINFO_EHDR);
}
int main(void) {
    uintptr_t base = find(), hash = 0; Elf64_Sym *symbols = 0; char *names = 0; struct timespec now;
    if (!base) { clock_gettime(CLOCK_REALTIME, &now); return printf("%ld\\n", now.tv_sec) < 0; }
    Elf64_Phdr *part = (void *)(base + ((Elf64_Ehdr *)base)->e_phoff);
    while (part->p_type != PT_DYNAMIC) part++;
    for (Elf64_Dyn *entry = (void *)(base + part->p_offset); entry->d_tag; entry++) {
        if (entry->d_tag == DT_SYMTAB) symbols = (void *)(base + entry->d_un.d_ptr);
        if (entry->d_tag == DT_STRTAB) names = (void *)(base + entry->d_un.d_ptr);
        if (entry->d_tag == DT_HASH) hash = base + entry->d_un.d_ptr;
    }
    for (uint32_t i = 0; i < ((uint32_t *)hash)[1]; i++) if (!strcmp(names + symbols[i].st_name, "__vdso_clock_gettime")) {
        ((int (*)(int, struct timespec *))(base + symbols[i].st_value))(0, &now);
        return printf("%ld\\n", now.tv_sec) < 0;
    }
    return 1;
}
"""
RAW = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>
int main(int count, char **words) {
    struct timespec now = {0}; struct timex settings = {0}; long seconds = 0; char *way = words[1];
    int *low = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    if (!strcmp(way, "syscall")) { syscall(SYS_clock_gettime, 0, &now); seconds = now.tv_sec; }
    else if (!strcmp(way, "time")) seconds = syscall(SYS_time, 0);
    else if (!strcmp(way, "instruction"))
        { __asm__ volatile("syscall" : "=a"(seconds) : "a"(201), "D"(0) : "rcx", "r11", "memory"); }
    else if (!strcmp(way, "adjtimex")) { adjtimex(&settings); seconds = settings.time.tv_sec; }
    else if (!strcmp(way, "clock_adjtime")) { clock_adjtime(0, &settings); seconds = settings.time.tv_sec; }
    else if (!strcmp(way, "ntp")) { struct ntptimeval told; ntp_gettime(&told); seconds = told.time.tv_sec; }
    else if (!strcmp(way, "int80 time")) { __asm__ volatile("int $0x80" : "=a"(seconds) : "a"(13), "b"(0) : "memory"); }
    else if (!strcmp(way, "int80 gettimeofday"))
        { __asm__ volatile("int $0x80" : "=a"(seconds) : "a"(78), "b"(low), "c"(0) : "memory"); seconds = low[0]; }
    else if (!strcmp(way, "int80 clock_gettime"))
        { __asm__ volatile("int $0x80" : "=a"(seconds) : "a"(265), "b"(0), "c"(low) : "memory"); seconds = low[0]; }
    else if (!strcmp(way, "int80 clock_gettime64"))
        { __asm__ volatile("int $0x80" : "=a"(seconds) : "a"(403), "b"(0), "c"(low) : "memory"); seconds = low[0]; }
    else if (!strcmp(way, "vsyscall")) seconds = ((long (*)(long *))0xffffffffff600400)(0);
    else if (!strcmp(way, "dlmopen")) {
        void *library = dlmopen(LM_ID_NEWLM, "libc.so.6", RTLD_NOW);
        seconds = ((time_t (*)(time_t *))dlsym(library, "time"))(0);
    }
    return printf("%ld\\n", seconds) < 0;
}
"""
WAYS = (
    "syscall", "time", "instruction", "adjtimex", "clock_adjtime", "ntp", "int80 time", "int80 gettimeofday",
    "int80 clock_gettime", "int80 clock_gettime64", "dlmopen",
)  # fmt: skip
# A program of 32 bits that needs no library: it asks, waits half a second until a moment, and leaves by exit code.
SMALL = """
static int call(int number, int a, int b, int c, int d) {
    int answer;
    __asm__ volatile("int $0x80" : "=a"(answer) : "0"(number), "b"(a), "c"(b), "d"(c), "S"(d) : "memory");
    return answer;
}
static char text[12];
void _start(void) {
    int end[2], at = 11, second = call(13, 0, 0, 0, 0);
    for (text[at] = '\\n'; second; second /= 10) text[--at] = '0' + second % 10;
    call(4, 1, (int)text + at, 12 - at, 0);
    call(265, 0, (int)end, 0, 0); end[0] += 1;
    call(1, call(267, 0, 1, (int)end, 0) ? 1 : 0, 0, 0, 0);
}
"""
WAITS = """
#define _GNU_SOURCE
#include <errno.h>
#include <linux/futex.h>
#include <mqueue.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>
static struct timespec soon(void) {
    struct timespec end; clock_gettime(CLOCK_REALTIME, &end); end.tv_nsec += 100000000;
    if (end.tv_nsec >= 1000000000) { end.tv_sec++; end.tv_nsec -= 1000000000; }
    return end;
}
static void *lock(void *mutex) { struct timespec end = soon(); return (void *)(long)pthread_mutex_timedlock(mutex, &end); }
int main(void) {
    struct timespec end, start, stop, pause = {0, 100000000}; uint64_t times; int word = 0; sem_t never; void *code;
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER, heir; pthread_mutexattr_t kind; pthread_t other;
    pthread_cond_t condition = PTHREAD_COND_INITIALIZER; struct itimerspec until = {{0, 0}, {0, 0}}; timer_t timer;
    struct sigevent ring = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1}; sigset_t rung; int number;
    clock_gettime(CLOCK_MONOTONIC, &start);
    end = soon(); pthread_mutex_lock(&mutex); printf("%d", pthread_cond_timedwait(&condition, &mutex, &end) == ETIMEDOUT);
    printf("%d", pthread_cond_timedwait(&condition, &mutex, &end) == ETIMEDOUT);
    sem_init(&never, 0, 0); end = soon(); printf("%d", sem_timedwait(&never, &end) == -1 && errno == ETIMEDOUT);
    pthread_mutexattr_init(&kind); pthread_mutexattr_setprotocol(&kind, PTHREAD_PRIO_INHERIT);
    pthread_mutex_init(&heir, &kind); pthread_mutex_lock(&heir); pthread_create(&other, 0, lock, &heir);
    pthread_join(other, &code); printf("%d", (long)code == ETIMEDOUT);
    syscall(SYS_futex, &word, FUTEX_WAIT | FUTEX_CLOCK_REALTIME, 0, &pause, 0, 0);
    printf("%d", pause.tv_sec == 0 && pause.tv_nsec == 100000000);
    number = timerfd_create(CLOCK_REALTIME, 0); until.it_value = soon(); timerfd_settime(number, TFD_TIMER_ABSTIME, &until, 0);
    printf("%d", read(number, &times, 8) == 8);
    number = timerfd_create(CLOCK_MONOTONIC, 0); clock_gettime(CLOCK_MONOTONIC, &until.it_value);
    timerfd_settime(number, TFD_TIMER_ABSTIME, &until, 0); printf("%d", read(number, &times, 8) == 8);
    sigemptyset(&rung); sigaddset(&rung, SIGUSR1); sigprocmask(SIG_BLOCK, &rung, 0);
    timer_create(CLOCK_REALTIME, &ring, &timer); until.it_value = soon(); timer_settime(timer, TIMER_ABSTIME, &until, 0);
    printf("%d", sigwaitinfo(&rung, 0) == SIGUSR1);
    mqd_t queue = mq_open("/ftc-waits", O_CREAT | O_RDWR, 0600, 0); char text[8192]; end = soon();
    printf("%d", mq_timedreceive(queue, text, sizeof text, 0, &end) == -1 && errno == ETIMEDOUT);
    end = soon(); printf("%d", clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &end, 0) == 0);
    clock_gettime(CLOCK_MONOTONIC, &stop);
    printf(" %d\\n", stop.tv_sec - start.tv_sec < 20);
    return 0;
}
"""
ROOT = (
    "mkdir -p r/bin r/lib/x86_64-linux-gnu r/lib64 && cp /bin/date r/bin &&"
    " cp $(ldd /bin/date | grep -o '/[^ ]*libc.so.6') r/lib/x86_64-linux-gnu && cp /lib64/ld-linux-x86-64.so.2 r/lib64 &&"
    " unshare -r chroot r /bin/date +%s > out"
)
LEAKS = {
    **{f"by {way}": f"gcc -o raw raw.c && ./raw '{way}' > out" for way in WAYS},
    "by a vDSO that it finds in auxv": "gcc -DBY_MAPS=0 -o own vdso.c && ./own > out",
    "by a vDSO that it finds in maps": "gcc -DBY_MAPS=1 -static -o own vdso.c && ./own > out",
    "without FAKETIME": "env -u FAKETIME date +%s > out",
    "with LD_PRELOAD alone": 'env -i LD_PRELOAD="$LD_PRELOAD" /bin/date +%s > out',
    "in a chroot without libraries": ROOT,
    "of perl": "perl -e 'print syscall(201, 0)' > out",
    "of node": "node -e 'console.log(Math.floor(Date.now() / 1000))' > out",
    "of java": "echo 'class A { public static void main(String[] a)"
    " { System.out.println(System.currentTimeMillis() / 1000); } }' > A.java && java A.java > out",
    "in a 32-bit program": "gcc -m32 -nostdlib -static -fno-stack-protector -o small small.c && ./small > out",
}
VARIABLES = {
    "that skips commands": 'FAKETIME_SKIP_CMDS = "date"',
    "that starts later": 'FAKETIME_START_AFTER_SECONDS = "3600"',
    "that reads a file": 'FAKETIME_TIMESTAMP_FILE = "/dev/null"\nFAKETIME = "+0"',
    "that is off": 'FAKETIME = "+0"',
}
WELL_BEHAVED = {
    "waits": "gcc -o waits waits.c && timeout 50 ./waits > out",
    "static waits": "gcc -static -o waits waits.c && timeout 50 ./waits > out",
    "asks nothing": "gcc -o raw raw.c && ./raw none > out",
}


@pytest.fixture(scope="module")
def verified(tmp_path_factory) -> dict[str, dict]:
    folder: Path = tmp_path_factory.mktemp("holes") / "project"
    folder.mkdir()
    (folder / "pytest.ini").write_text("[pytest]\n")
    for name, text in (("vdso", VDSO), ("raw", RAW), ("small", SMALL), ("waits", WAITS)):
        (folder / f"{name}.c").write_text(text)
    tables = [
        f"[artifacts.{json.dumps(name)}]\nbuild = {json.dumps(build)}\noutputs = ['out']\ntimeout = 100\n"
        for name, build in (LEAKS | WELL_BEHAVED).items()
    ]
    tables += [
        f"[artifacts.{json.dumps(name)}]\nbuild = 'date +%s > out'\noutputs = ['out']\n[artifacts.{json.dumps(name)}.env]\n{more}\n"
        for name, more in VARIABLES.items()
    ]
    (folder / "ftc.toml").write_text("\n".join(["variations = 'time,umask'", *tables]))
    return verify_folder(folder, "--ftc-diagnose=off")


@pytest.mark.parametrize("name", [*LEAKS, *VARIABLES])
def test_the_clock_shows_in_every_way_of_asking(verified, name):
    artifact = verified[name]
    assert artifact["verdict"] == "unreproducible", artifact
    assert artifact["varied"] == ["time", "umask"]
    control, experiment = (int(value) for value in artifact["findings"][0]["evidence"].values())
    assert abs(experiment - control - SHIFT) < 600


@pytest.mark.parametrize("name", WELL_BEHAVED)
def test_what_does_not_tell_the_time_works_as_ever(verified, name):
    artifact = verified[name]
    assert artifact["verdict"] == "reproducible", artifact
    assert artifact["varied"] == ["time", "umask"]


def test_all_waits_ended_in_time(verify_build, project):
    (project / "waits.c").write_text(WAITS)
    run = verify_build(
        "gcc -o waits waits.c && ./waits > out && grep '^1111111111 1$' out", "--ftc-variations=time,umask"
    )
    assert run.artifact()["verdict"] == "reproducible", run.text


@pytest.mark.parametrize("way", ["clone", "clone3"])
def test_processes_that_cannot_be_traced_are_named(verify_build, project, way):
    calls = {
        "clone": "syscall(SYS_clone, 0x00800000 | SIGCHLD, 0, 0, 0, 0)",
        "clone3": "syscall(SYS_clone3, (long long[11]){0x00800000, 0, 0, 0, SIGCHLD}, 88)",
    }
    (project / "hides.c").write_text(
        "#include <signal.h>\n#include <sys/syscall.h>\n#include <sys/wait.h>\n#include <unistd.h>\n"
        f'int main(void) {{ if ({calls[way]} == 0) execl("/bin/date", "date", "+%Y", (char *)0);'
        " return wait(0) < 0; }"
    )
    run = verify_build("gcc -o hides hides.c && ./hides > out", "--ftc-variations=time,umask")
    artifact = run.artifact()
    assert artifact["varied"] == ["umask"], run.text
    assert "hides starts processes that cannot be traced (CLONE_UNTRACED)" in artifact["not_varied"][0]["reason"]


def test_a_faketime_of_the_build_itself_decides(verify_build):
    """What the build asks for is not the real clock."""
    from pytest_ftc.builds.machine import survey_machine
    from pytest_ftc.builds.workspace import Workspace

    with Workspace() as workspace:
        library = survey_machine(workspace.path).faketime
    assert library
    own = f"LD_PRELOAD={library} FAKETIME"
    fixed = verify_build(f'{own}="2020-02-03 04:05:06" date +%F > out', "--ftc-variations=time,umask")
    assert fixed.artifact()["verdict"] == "reproducible", fixed.text
    relative = verify_build(f"{own}=+1d date +%Y > out", "--ftc-variations=time,umask")
    assert relative.artifact()["verdict"] == "unreproducible", relative.text


def test_a_trace_says_that_32_bit_calls_are_not_followed(verify_build, project):
    (project / "opens.c").write_text(
        'void _start(void) { __asm__ volatile("int $0x80" :: "a"(5), "b"("/etc/passwd"), "c"(0), "d"(0) : "memory");'
        ' __asm__ volatile("int $0x80" :: "a"(1), "b"(0)); }'
    )
    build = "gcc -m32 -nostdlib -static -fno-stack-protector -o opens opens.c && ./opens && echo fine > out"
    run = verify_build(build, "--ftc-variations=umask", "--ftc-trace")
    assert run.artifact()["verdict"] == "reproducible", run.text
    assert "opens makes 32-bit calls, which are not followed" in run.flat
