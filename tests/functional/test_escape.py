"""Builds that try to leave their environment: nothing on the machine changes, for root and for an ordinary user."""

import os
import shutil
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


@pytest.fixture
def outside():
    """A folder that builds see, as it is not in a private one, and that anybody may change; a socket is in it."""
    import socket

    folder = Path(tempfile.mkdtemp(prefix="ftc-outside-", dir="/opt" if os.access("/opt", os.W_OK) else Path.home()))
    folder.chmod(0o777)
    (folder / "kept").write_text("kept")
    (folder / "kept").chmod(0o666)
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
        "keys": "ftc-escaped" in Path("/proc/keys").read_text(),
    }


@pytest.mark.parametrize("who", ["the user of the tests", "an ordinary user"])
def test_no_build_changes_the_machine(who, outside, victim, open_folder):
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
    assert done.returncode == 0, done.stdout + done.stderr
