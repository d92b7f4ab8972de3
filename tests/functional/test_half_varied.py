"""Every place where a condition shows is varied with it, or the verdict says that the condition is not varied."""

import json

import pytest
from one_run import verify_folder

CPUS = "num_cpus"
CPUID = (
    "int main(void) { unsigned a = 0xb, b, c = 1, d;"
    ' __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d)); return (b & 0xffff) == 70000; }'
)
LOADS = 'import ctypes; print(ctypes.CDLL("./l.so").main())'
LEAKS = {
    "cpuinfo": (CPUS, "grep -c ^processor /proc/cpuinfo"),
    "lscpu": (CPUS, "lscpu | grep -E '^(CPU|On-line|NUMA node0)'"),
    "nproc --all": (CPUS, "nproc --all"),
    "getconf": (CPUS, "getconf _NPROCESSORS_CONF"),
    "cpu_count": (CPUS, "python3 -c 'import os; print(os.cpu_count())'"),
    "proc stat": (CPUS, "grep -c '^cpu[0-9]' /proc/stat"),
    "online": (CPUS, "cat /sys/devices/system/cpu/online"),
    "possible": (CPUS, "cat /sys/devices/system/cpu/possible"),
    "present": (CPUS, "cat /sys/devices/system/cpu/present"),
    "folders of cpus": (CPUS, "ls /sys/devices/system/cpu | grep -c '^cpu[0-9]'"),
    "folders of nodes": (CPUS, "ls -d /sys/devices/system/node/node*/cpu* | grep -c 'cpu[0-9]'"),
    "node": (CPUS, "node -e 'console.log(require(\"os\").cpus().length)'"),
    "status of the first process": (CPUS, "grep Cpus_allowed_list /proc/1/status"),
    "affinity of the first process": (CPUS, "python3 -c 'import os; print(os.sched_getaffinity(1))'"),
    "status of the parent": (CPUS, "grep Cpus_allowed: /proc/$PPID/status"),
    "release": ("kernel", "cat /proc/sys/kernel/osrelease"),
    "version": ("kernel", "cat /proc/version"),
    "timezone file": ("timezone", "cat /etc/timezone"),
    "interfaces": ("network", "ls /sys/class/net"),
    "addresses": ("network", "cat /sys/class/net/*/address"),
    "virtual interfaces": ("network", "ls /sys/devices/virtual/net /sys/class/net"),
    "routes": ("network", "cat /proc/net/route"),
    "home of the user": ("home", "getent passwd $(id -u) | cut -d: -f6"),
    "home without HOME": ("home", "env -u HOME python3 -c 'import os; print(os.path.expanduser(\"~\"))'"),
    "shell of the user": ("user_group", "getent passwd $(id -u) | cut -d: -f7"),
    "name of the user": ("user_group", "getent passwd $(id -u) | cut -d: -f5"),
    "second machine-id": ("domain_host", "cat /var/lib/dbus/machine-id /etc/machine-id"),
    "days since the boot": ("time", "cut -d. -f1 /proc/uptime | sed 's/^/00000/; s/.....$//'"),
    "month of the boot": ("time", "TZ=UTC uptime -s | cut -c1-7"),
    "moment of the boot": ("time", "grep btime /proc/stat | cut -c1-10"),
    "monotonic clock": ("time", "python3 -c 'import time; print(int(time.monotonic()) // 100000)'"),
}
NOT_VARIED = {
    "zone without variables": ("timezone", "env -i date +%Z"),
    "zone without TZ": ("timezone", "unset TZ; date +%Z"),
    "zone by the link": ("timezone", "readlink -f /etc/localtime"),
    "zone by the link in Python": ("timezone", "python3 -c 'import os; print(os.readlink(\"/etc/localtime\"))'"),
    "siblings": (CPUS, "cat /sys/devices/system/cpu/cpu0/topology/package_cpus_list"),
    "sandbox with a proc of its own": (CPUS, "unshare -r -p -f -m --mount-proc grep -c ^processor /proc/cpuinfo"),
    "interrupts": (CPUS, "head -1 /proc/interrupts | wc -w"),
    "CPUID": (CPUS, f"echo '{CPUID}' > count.c && gcc -O2 -o count count.c && ./count"),
    "CPUID in a library": (CPUS, f"echo '{CPUID}' > l.c && gcc -shared -fPIC -o l.so l.c && python3 -c '{LOADS}'"),
    "affinity of its own": (CPUS, "taskset -c 0-63 nproc"),
}
WORKS = {
    "make": "printf 'out: a b c\\n\\tcat a b c > out\\na b c:\\n\\techo $@ > $@\\n' > Makefile; make -s -j$(nproc)",
    "gcc": "echo 'int main(void) { return 0; }' > m.c && gcc -o m m.c && ./m && echo fine > out",
    "java": "echo 'class A { public static void main(String[] a) { System.out.println(1); } }' > A.java && java A.java > out",
    "node": "node -e 'console.log(require(\"os\").cpus().length > 0)' > out",
    "npm": 'echo \'{"name":"a","version":"1.0.0"}\' > package.json && npm pack --silent > /dev/null && echo fine > out',
    "threads": "python3 -c 'import concurrent.futures as c; print(sum(c.ThreadPoolExecutor().map(int, \"123\")))' > out",
    "sandbox": "unshare -r -p -f -m --mount-proc sh -c 'test -d /proc/1' && echo fine > out",
    "waiting": "timeout 0.3 sleep 5; echo $? > out; sleep 0.1",
}


@pytest.fixture(scope="module")
def verified(tmp_path_factory):
    folder = tmp_path_factory.mktemp("half") / "project"
    folder.mkdir()
    (folder / "pytest.ini").write_text("[pytest]\n")
    tables = []
    for name, (variation, command) in (LEAKS | NOT_VARIED).items():
        for kind, specification in (("alone", f"umask,{variation}"), ("without", f"all,-{variation}")):
            build = f"({command}) > out"
            tables.append(f"[artifacts.{json.dumps(f'{name} {kind}')}]\nbuild = {json.dumps(build)}\noutputs = ['out']")
            tables.append(f"variations = '{specification}'\n")
    for name, build in WORKS.items():
        tables.append(f"[artifacts.{json.dumps(name)}]\nbuild = {json.dumps(build)}\noutputs = ['out']\n")
    (folder / "ftc.toml").write_text("\n".join(tables))
    return verify_folder(folder, "--ftc-diagnose=off")


@pytest.mark.parametrize("name", LEAKS)
def test_what_shows_a_condition_shows_the_varied_one(verified, name):
    variation = LEAKS[name][0]
    artifact = verified[f"{name} alone"]
    assert artifact["verdict"] == "unreproducible" or variation not in artifact["varied"], artifact
    assert artifact["verdict"] == "unreproducible" or _is_missing(variation, artifact)
    assert verified[f"{name} without"]["verdict"] == "reproducible", verified[f"{name} without"]


def _is_missing(variation, artifact):
    """Whether the machine cannot vary it for another reason than that a file shows it all the same."""
    reasons = [one["reason"] for one in artifact["not_varied"] if one["variation"] == variation]
    return bool(reasons) and "the machine's own" not in reasons[0]


@pytest.mark.parametrize("name", NOT_VARIED)
def test_what_cannot_be_varied_is_said(verified, name):
    variation = NOT_VARIED[name][0]
    artifact = verified[f"{name} alone"]
    assert artifact["verdict"] == "reproducible", artifact
    assert artifact["varied"] == ["umask"]
    reasons = [one["reason"] for one in artifact["not_varied"] if one["variation"] == variation]
    ways = ("which shows the machine's own", "sets its CPUs with sched_setaffinity(2)", "with the instruction CPUID")
    assert sum(way in reasons[0] for way in ways) == 1 or _is_missing(variation, artifact)


@pytest.mark.parametrize("name", WORKS)
def test_builds_work_as_ever(verified, name):
    artifact = verified[name]
    assert artifact["verdict"] == "reproducible", artifact
    assert {"time", "timezone", "umask"} <= set(artifact["varied"]), artifact["not_varied"]
