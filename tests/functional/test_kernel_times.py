"""Where a build asks the kernel for a real time that nothing moves, the clock is not said to be varied."""

import json

import pytest
from one_run import verify_folder

PACKET = """
import fcntl, socket, struct, sys
level, option, ask = (int(word, 0) for word in sys.argv[1:])
receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
if option: receiver.setsockopt(level, option, 1)
receiver.bind(('127.0.0.1', 0)); receiver.settimeout(5)
socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', receiver.getsockname())
data, more, _, _ = receiver.recvmsg(10, 200)
stamp = fcntl.ioctl(receiver, ask, bytes(16)) if ask else more[0][2] if more else bytes(16)
open('out', 'w').write('build no %d' % (struct.unpack_from('q', stamp)[0] // 86400 // 30 * 7919))
"""
OBJECTS = """
#include <stdio.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
int main(int count, char **words) {
    long when = 0; struct shmid_ds memory; struct semid_ds group; struct msqid_ds queue;
    if (!strcmp(words[1], "shm")) { shmctl(shmget(IPC_PRIVATE, 9, 0600), IPC_STAT, &memory); when = memory.shm_ctime; }
    if (!strcmp(words[1], "shm index")) { shmget(IPC_PRIVATE, 9, 0600); shmctl(0, SHM_STAT, &memory); when = memory.shm_ctime; }
    if (!strcmp(words[1], "sem")) { semctl(semget(IPC_PRIVATE, 1, 0600), 0, IPC_STAT, &group); when = group.sem_ctime; }
    if (!strcmp(words[1], "msg")) { msgctl(msgget(IPC_PRIVATE, 0600), IPC_STAT, &queue); when = queue.msg_ctime; }
    if (!strcmp(words[1], "none")) { shmctl(shmget(IPC_PRIVATE, 9, 0600), IPC_RMID, 0); }
    return printf("%ld\\n", when / 86400 / 30 * 7919) < 0;
}
"""
SMALL = """
static int call(int number, int a, int b, int c, int d, int e) {
    int answer;
    __asm__ volatile("int $0x80" : "=a"(answer) : "0"(number), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e) : "memory");
    return answer;
}
static int told[64];
void _start(void) {
    int id = call(117, 23, 0, 9, 0600, 0);
    call(117, 24, id, 2 | 256, 0, (int)told);
    call(1, 0, 0, 0, 0, 0);
}
"""
STAMPS = {
    "SO_TIMESTAMP": "python3 packet.py 1 29 0",
    "SO_TIMESTAMPNS": "python3 packet.py 1 35 0",
    "SO_TIMESTAMP with 64-bit times": "python3 packet.py 1 63 0",
    "SIOCGSTAMP": "python3 packet.py 0 0 0x8906",
    "SIOCGSTAMPNS": "python3 packet.py 0 0 0x80108907",
    **{f"System V {kind}": f"gcc -o objects objects.c && ./objects '{kind}' > out" for kind in ("shm", "shm index")},
    **{f"System V {kind}": f"gcc -o objects objects.c && ./objects {kind} > out" for kind in ("sem", "msg")},
    "ipcs": "ipcmk -M 1 > made && ipcs -m -t | grep -c shmid > out",
    "sysvipc": "ipcmk -M 1 > made && wc -l < /proc/sysvipc/shm > out",
    "a 32-bit call": "gcc -m32 -nostdlib -static -fno-stack-protector -o small small.c && ./small && echo x > out",
}
FINE = {
    "a packet without a stamp": "python3 packet.py 1 2 0",
    "an object without times": "gcc -o objects objects.c && ./objects none > out",
}


@pytest.fixture(scope="module")
def verified(tmp_path_factory) -> dict[str, dict]:
    folder = tmp_path_factory.mktemp("stamps") / "project"
    folder.mkdir()
    (folder / "pytest.ini").write_text("[pytest]\n")
    for name, text in (("packet.py", PACKET), ("objects.c", OBJECTS), ("small.c", SMALL)):
        (folder / name).write_text(text)
    tables = [
        f"[artifacts.{json.dumps(name)}]\nbuild = {json.dumps(build)}\noutputs = ['out']\n"
        for name, build in (STAMPS | FINE).items()
    ]
    (folder / "ftc.toml").write_text("\n".join(["variations = 'time,umask'", *tables]))
    return verify_folder(folder, "--ftc-diagnose=off")


@pytest.mark.parametrize("name", STAMPS)
def test_a_real_time_of_the_kernel_is_named(verified, name):
    artifact = verified[name]
    assert artifact["verdict"] == "reproducible", artifact
    assert artifact["varied"] == ["umask"]
    reason = artifact["not_varied"][0]["reason"]
    expected = "packet" if name.startswith("S") and "System" not in name else "System V object"
    assert f"for the real time{'s' * (expected != 'packet')} of a {expected}" in reason or "/proc/sysvipc/" in reason


@pytest.mark.parametrize("name", FINE)
def test_other_uses_of_the_same_things_evade_nothing(verified, name):
    artifact = verified[name]
    assert artifact["verdict"] == "reproducible", artifact
    assert artifact["varied"] == ["time", "umask"], artifact["not_varied"]
