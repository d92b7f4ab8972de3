"""Builds that try to leave their environment: nothing on the machine changes, for root and for an ordinary user."""

import os
import pty
import select
import shutil
import stat
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

import pytest
from kinds_of_machine import AS_ORDINARY_USER

HELPERS = """
import ctypes, os, signal, subprocess, sys
libc = ctypes.CDLL(None, use_errno=True)
OUTSIDE, VICTIM = sys.argv[1], int(sys.argv[2])
def attempt(function, *arguments):
    try:
        return function(*arguments)
    except (OSError, ValueError):
        return None
def write(path):
    with open(path, "w") as file:
        file.write("escaped")
def pids():
    return [name for name in os.listdir("/proc") if name.isdigit()]
"""

ATTACKS = {
    "by descriptors": """
        for pid in pids():
            for place in ["root", "cwd", *(f"fd/{n}" for n in range(64))]:
                top = f"/proc/{pid}/{place}"
                attempt(write, f"{top}{OUTSIDE}/escaped")
                for depth in range(12):
                    attempt(write, f"{top}/{'../' * depth}ftc-escaped")
                    attempt(write, f"{top}/{'../' * depth}{OUTSIDE.lstrip('/')}/escaped")
    """,
    "by files": """
        for folder in (OUTSIDE, "/etc", "/usr", "/run", "/root", "/var/lib", "/"):
            attempt(write, f"{folder}/ftc-escaped")
            attempt(os.mkdir, f"{folder}/ftc-escaped-folder")
        attempt(os.chmod, f"{OUTSIDE}/kept", 0o600)
        attempt(os.utime, f"{OUTSIDE}/kept", (1, 1))
        attempt(os.unlink, f"{OUTSIDE}/kept")
    """,
    "by settings of the kernel": """
        for name in ("kernel/core_pattern", "kernel/hostname", "vm/swappiness", "kernel/randomize_va_space", "fs/file-max"):
            attempt(write, f"/proc/sys/{name}")
            attempt(lambda: open(f"/proc/sys/{name}", "a").write("7"))
        attempt(write, "/proc/sysrq-trigger")
        for name in ("/sys/kernel/mm/transparent_hugepage/enabled", "/sys/kernel/uevent_helper", "/sys/power/state"):
            attempt(write, name)
    """,
    "by nested namespaces": """
        script = f'''
            mount -o remount,rw /; mount -o remount,rw,bind {OUTSIDE}; umount -l {OUTSIDE}; umount -l /tmp
            mount -o bind,rw / /mnt; echo escaped > {OUTSIDE}/escaped; echo escaped > /mnt{OUTSIDE}/escaped
            for pid in /proc/[0-9]*; do echo escaped > $pid/root{OUTSIDE}/escaped; done
            hostname ftc-escaped; rm -f {OUTSIDE}/kept
        '''
        for flags in ("-rm", "-rmu", "-rmpf", "-m", "-u"):
            subprocess.run(["unshare", flags, "sh", "-c", script])
    """,
    "by a proc of its own": """
        script = f'''
            for options in rw ro; do
                mount -t proc -o $options own /mnt; mount -o remount,rw /mnt; mount -o remount,bind,rw /mnt
                for top in /mnt /proc; do
                    umount $top/sys; mount -o remount,rw,bind $top/sys
                    for name in kernel/core_pattern vm/swappiness; do echo 7 > $top/sys/$name; done
                done
                umount /mnt
            done
            mount --bind /proc /mnt; echo 7 > /mnt/sys/vm/swappiness; umount -l /tmp; echo 7 > /tmp/proc/sys/vm/swappiness
        '''
        for flags in ("-Urmpf", "-UrmpfC", "-Urmpfni", "-Urm", "-rm"):
            subprocess.run(["unshare", flags, "sh", "-c", script])
        subprocess.run(["unshare", "-Urmpf", "--mount-proc", "sh", "-c", "echo 7 > /proc/sys/vm/swappiness"])
    """,
    "by a proc mounted in the new way": """
        FSOPEN, FSCONFIG, FSMOUNT, CREATE = 430, 431, 432, 6
        NEWNS, NEWUSER, NEWPID = 0x20000, 0x10000000, 0x20000000
        for attributes in (0, 1):
            if os.fork() == 0:
                libc.unshare(NEWUSER | NEWNS | NEWPID)
                if os.fork() == 0:
                    opened = libc.syscall(FSOPEN, b"proc", 0)
                    libc.syscall(FSCONFIG, opened, CREATE, None, None, 0)
                    mounted = libc.syscall(FSMOUNT, opened, 0, attributes)
                    name = attempt(lambda: os.open("sys/vm/swappiness", os.O_WRONLY, dir_fd=mounted))
                    if mounted >= 0 and name is not None:
                        os.write(name, b"7")
                    os._exit(0)
                os.wait()
                os._exit(0)
            os.wait()
    """,
    "by a sys of its own": """
        script = '''
            for options in rw ro; do
                mount -t sysfs -o $options own /mnt; mount -o remount,rw /mnt; mount -o remount,bind,rw /mnt
                echo never > /mnt/kernel/mm/transparent_hugepage/enabled; echo /ftc > /mnt/kernel/uevent_helper
                mkdir /mnt/fs/cgroup/ftc-escaped
                umount /mnt
            done
        '''
        for flags in ("-Urmn", "-Urmnpf", "-Urm"):
            subprocess.run(["unshare", flags, "sh", "-c", script])
    """,
    "by control groups": """
        script = '''
            mkdir /tmp/groups
            for kind in cgroup2 "cgroup -o freezer" "cgroup -o pids" "cgroup -o memory" "cgroup -o none,name=systemd"; do
                mount -t $kind own /tmp/groups && mkdir /tmp/groups/ftc-escaped && umount /tmp/groups
            done
            mkdir /sys/fs/cgroup/ftc-escaped /sys/fs/cgroup/*/ftc-escaped
        '''
        for flags in ("-UrmC", "-UrmCpf", "-UrmCn", "-rC"):
            subprocess.run(["unshare", flags, "sh", "-c", script])
        # clone3(2) has its flags in memory, where another process changes them while the call is looked at.
        import mmap
        shared = mmap.mmap(-1, 4096)
        arguments = (ctypes.c_uint64 * 11).from_buffer(shared)
        arguments[0], arguments[4] = 0x10020000, signal.SIGCHLD
        os.makedirs("/tmp/groups", exist_ok=True)
        racer = os.fork()
        if racer == 0:
            for turn in range(2_000_000):
                arguments[0] = (0x12020000, 0x10020000)[turn % 2]
            os._exit(0)
        while os.waitpid(racer, os.WNOHANG) == (0, 0):
            pid = libc.syscall(435, arguments, 88)
            if pid == 0:
                for kind in (b"cgroup2", b"tmpfs"):
                    libc.mount(b"own", b"/tmp/groups", kind, 0, None) or attempt(os.mkdir, "/tmp/groups/ftc-escaped")
                os._exit(0)
            if pid > 0:
                assert os.waitpid(pid, 0)[1] == 0
        subprocess.run(["strace", "-f", "-o", "/dev/null", "unshare", "-UrmC", "sh", "-c", script])
    """,
    "by ptrace": """
        ATTACH, SEIZE, POKE = 16, 0x4206, 4
        for pid in pids():
            if int(pid) not in (os.getpid(), os.getppid()):
                for request in (ATTACH, SEIZE):
                    if pid == "1":
                        assert libc.ptrace(request, int(pid), 0, 0) == -1
                attempt(lambda: open(f"/proc/{pid}/mem", "r+b") if pid == "1" else None)
    """,
    "by memory of others": """
        class Piece(ctypes.Structure):
            _fields_ = [("base", ctypes.c_void_p), ("size", ctypes.c_size_t)]
        buffer = ctypes.create_string_buffer(8)
        piece = Piece(ctypes.cast(buffer, ctypes.c_void_p), 8)
        assert libc.process_vm_readv(1, ctypes.byref(piece), 1, ctypes.byref(piece), 1, 0) == -1
    """,
    "by mounts": """
        for kind in (b"tmpfs", b"proc", b"overlay", b"cgroup2"):
            assert libc.mount(b"none", OUTSIDE.encode(), kind, 0, None) == -1
        assert libc.umount2(OUTSIDE.encode(), 2) == -1
        assert libc.mount(b"none", b"/", None, 32 | 4096, None) == -1
        attempt(lambda: os.mknod("disk", 0o60600, os.makedev(8, 0)))
        assert not os.path.exists("disk")
    """,
    "by signals": """
        for pid in (VICTIM, -VICTIM):
            attempt(os.kill, pid, signal.SIGKILL)
        attempt(os.kill, 1, signal.SIGSTOP)
    """,
    "by setns": """
        for pid in pids():
            for kind in ("user", "mnt", "pid", "net", "uts", "ipc", "cgroup"):
                opened = attempt(os.open, f"/proc/{pid}/ns/{kind}", os.O_RDONLY)
                if opened is not None and pid == "1":
                    assert libc.setns(opened, 0) == -1
        handle = libc.syscall(434, 1, 0)
        if handle >= 0:
            assert libc.syscall(438, handle, 5, 0) == -1
    """,
    "by handles of files": """
        handle = (ctypes.c_ubyte * 136)()
        ctypes.cast(handle, ctypes.POINTER(ctypes.c_uint))[0] = 128
        mount = ctypes.c_int()
        if libc.name_to_handle_at(-100, b"/etc/passwd", ctypes.byref(handle), ctypes.byref(mount), 0) == 0:
            top = os.open("/etc", os.O_RDONLY)
            assert libc.open_by_handle_at(top, ctypes.byref(handle), os.O_RDWR) == -1
    """,
    "by io_uring": """
        assert libc.syscall(425, 8, ctypes.create_string_buffer(256)) == -1
    """,
    "by a socket": """
        import socket
        for path in (f"{OUTSIDE}/s.sock",):
            assert socket.socket(socket.AF_UNIX).connect_ex(path) != 0
    """,
    "by a named pipe": """
        pipe = f"{OUTSIDE}/pipe"
        for flags in (os.O_WRONLY, os.O_RDWR, os.O_WRONLY | os.O_TRUNC, os.O_RDWR | os.O_CREAT):
            attempt(lambda: os.write(os.open(pipe, flags | os.O_NONBLOCK), b"escaped"))
        attempt(lambda: os.write(libc.creat(pipe.encode(), 0o600), b"escaped"))
        attempt(lambda: os.write(os.open("pipe", os.O_RDWR, dir_fd=os.open(OUTSIDE, os.O_RDONLY)), b"escaped"))
        how = (ctypes.c_uint64 * 3)(os.O_RDWR, 0, 0)
        attempt(lambda: os.write(libc.syscall(437, -100, pipe.encode(), how, 24), b"escaped"))
        reading = attempt(os.open, pipe, os.O_RDONLY | os.O_NONBLOCK)
        if reading is not None:
            for again in (f"/proc/self/fd/{reading}", f"/dev/fd/{reading}", f"/proc/{os.getpid()}/fd/{reading}"):
                attempt(lambda: os.write(os.open(again, os.O_WRONLY), b"escaped"))
            os.dup2(reading, 1)
            attempt(lambda: os.write(os.open("/dev/stdout", os.O_WRONLY), b"escaped"))
        os.symlink(pipe, "link")
        attempt(lambda: os.write(os.open("link", os.O_RDWR), b"escaped"))
        for flags in ("-Urm", "-rm"):
            subprocess.run(["unshare", flags, "sh", "-c", f"mount --bind {OUTSIDE} /mnt; timeout 1 sh -c 'echo x 1<> /mnt/pipe'"])
        os.mkfifo("own")
        both = os.open("own", os.O_RDWR)
        os.write(both, b"fine")
        assert os.read(both, 4) == b"fine"
    """,
    "by a device file": """
        assert attempt(os.open, f"{OUTSIDE}/device", os.O_RDONLY) is None
        for name in ("null", "zero", "urandom"):
            os.close(os.open(f"/dev/{name}", os.O_RDONLY))
    """,
    "by terminals of others": """
        for name in os.listdir("/dev/pts"):
            opened = name.isdigit() and attempt(os.open, f"/dev/pts/{name}", os.O_RDWR | os.O_NOCTTY)
            if opened:
                attempt(os.write, opened, b"escaped")
        import pty
        ours, theirs = pty.openpty()
        os.write(theirs, b"fine")
        assert os.read(ours, 4) == b"fine"
        assert os.ttyname(theirs).startswith("/dev/pts/")
    """,
    "by the session's keyring": """
        if os.uname().machine == "x86_64":
            libc.syscall.restype = ctypes.c_long
            libc.syscall(248, b"user", b"ftc-escaped", b"x", ctypes.c_size_t(1), ctypes.c_long(-3))
    """,
    "by a terminal": """
        import fcntl
        for name in ("/dev/tty", "/dev/console", "/dev/tty1", "/dev/mem", "/dev/kmsg", "/dev/sda", "/dev/vda"):
            opened = attempt(os.open, name, os.O_RDWR)
            if opened is not None:
                attempt(fcntl.ioctl, opened, 0x5412, b"x")
    """,
}
SETTINGS = ("kernel/core_pattern", "kernel/hostname", "vm/swappiness", "kernel/randomize_va_space", "fs/file-max")
SYS_SETTINGS = ("/sys/kernel/mm/transparent_hugepage/enabled", "/sys/kernel/uevent_helper")


@pytest.fixture
def outside():
    """A folder that builds see, as it is not in a private one, and that anybody may change; a socket is in it."""
    import socket

    folder = Path(tempfile.mkdtemp(prefix="ftc-outside-", dir="/opt" if os.access("/opt", os.W_OK) else Path.home()))
    folder.chmod(0o777)
    (folder / "kept").write_text("kept")
    (folder / "kept").chmod(0o666)
    os.mkfifo(folder / "pipe")
    (folder / "pipe").chmod(0o666)
    if os.geteuid() == 0:
        os.mknod(folder / "device", stat.S_IFCHR | 0o666, os.makedev(1, 3))
        (folder / "device").chmod(0o666)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(folder / "s.sock"))
        server.listen()
        yield folder
    shutil.rmtree(folder)


@pytest.fixture
def victim():
    """A process of this machine."""
    with subprocess.Popen(["sleep", "600"], start_new_session=True) as process:
        yield process
        process.kill()


def look(outside: Path) -> dict[str, object]:
    """Return what the attacks try to change."""
    kept = outside / "kept"
    return {
        "files": sorted(path.name for path in outside.iterdir()),
        "kept": (kept.read_text(), kept.stat().st_mode, kept.stat().st_mtime_ns),
        "settings": {name: Path("/proc/sys", name).read_text() for name in SETTINGS},
        "mounts": Path("/proc/self/mountinfo").read_text(),
        "escaped": [str(path) for top in ("/", "/tmp", "/etc", "/usr") for path in Path(top).glob("ftc-escaped*")],
        "groups": [str(path) for path in Path("/sys/fs/cgroup").glob("**/ftc-escaped*")],
        "sys": [path.read_text() for path in map(Path, SYS_SETTINGS) if path.exists()],
        "keys": "ftc-escaped" in Path("/proc/keys").read_text(),
    }


@pytest.fixture
def receivers(outside):
    """Descriptors in which arrives what somebody writes to a named pipe, or to a terminal, of this machine."""
    terminal, other = pty.openpty()
    os.chmod(os.ttyname(other), 0o666)
    pipe = os.open(outside / "pipe", os.O_RDWR | os.O_NONBLOCK)
    yield [terminal, pipe]
    for descriptor in (terminal, other, pipe):
        os.close(descriptor)


@pytest.mark.parametrize("who", ["the user of the tests", "an ordinary user"])
def test_no_build_changes_the_machine(who, outside, victim, receivers, open_folder):
    project = open_folder / "project"
    project.mkdir()
    project.chmod(0o777)
    (project / "pytest.ini").write_text("[pytest]\n")
    declared = []
    for name, code in ATTACKS.items():
        file = f"{name.replace(' ', '-').replace(chr(39), '')}.py"
        (project / file).write_text(HELPERS + textwrap.dedent(code) + "\nopen('out', 'w').write('tried')\n")
        build = f'build = ["python3", "{file}", "{outside}", "{victim.pid}"]'
        declared.append(f'[artifacts."{name}"]\n{build}\noutputs = ["out"]\n')
    (project / "ftc.toml").write_text("\n".join(declared))
    before = look(outside)
    becomes = ("unshare", "-m", "sh", "-c", AS_ORDINARY_USER, "sh")
    prefix = becomes if who == "an ordinary user" and os.geteuid() == 0 else ()
    command = (*prefix, sys.executable, "-m", "pytest", "--ftc-verify", "--ftc-diagnose=off", "--ftc-builds=2", "-q")
    environ = {**os.environ, "HOME": str(open_folder), "XDG_CACHE_HOME": str(open_folder / "cache")}
    done = subprocess.run(command, cwd=project, env=environ, capture_output=True, text=True)
    assert look(outside) == before, done.stdout
    assert victim.poll() is None
    assert select.select(receivers, [], [], 0)[0] == []
    assert done.returncode == 0, done.stdout + done.stderr


SANDBOXES = {
    "a proc of its own": "unshare -Urpf --mount-proc sh -c 'test $$ = 1 && cat /proc/1/comm'",
    "all namespaces at once": "unshare -UrmpfinuC --mount-proc sh -c 'ls /proc/1/ns/cgroup'",
    "a tmpfs and another root": "unshare -Urm sh -c 'mount -t tmpfs t /mnt && mkdir /mnt/a && chroot / true && echo fine'",
    "namespaces of a process": """python3 -c '
import ctypes, os
libc = ctypes.CDLL(None)
pid = libc.syscall({"x86_64": 56, "aarch64": 220}[os.uname().machine], 0x02000000 | 0x10000000 | 17, 0, 0, 0, 0)
if pid == 0:
    os._exit(7)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))'""",
    "threads and other programs": """python3 -c '
import os, threading
thread = threading.Thread(target=print, args=("thread",))
thread.start()
thread.join()
os.waitpid(os.posix_spawn("/bin/true", ["true"], {}), 0)
print("fine")'""",
}


@pytest.mark.parametrize("name", SANDBOXES)
def test_sandboxes_that_a_build_makes_go_on(name, verify_build):
    """Their /proc is read-only, and their control groups are those of the session, if that is one of root."""
    run = verify_build(f"{SANDBOXES[name]} > out")
    assert run.verdicts == {"app": "reproducible"}, run.text
