"""Files that show the machine's own conditions."""

import pytest

from pytest_ftc.builds.launcher.tracing.unvaried import UnvariedFiles


@pytest.mark.parametrize(
    ("path", "isolated", "evaded"),
    [
        ("/etc/localtime", True, "timezone"),
        ("/proc/interrupts", True, "num_cpus"),
        ("/proc/self/net/softnet_stat", True, "num_cpus"),
        ("/proc/12/net/softnet_stat", True, "num_cpus"),
        ("/sys/class/rtc/rtc0/since_epoch", True, "time"),
        ("/proc/sysvipc/shm", True, "time"),
        ("/dev/ptp0", True, "time"),
        ("/proc/zoneinfo", True, "num_cpus"),
        ("/proc/irq/default_smp_affinity", True, "num_cpus"),
        ("/proc/self/net/stat/arp_cache", True, "num_cpus"),
        ("/sys/block/vda/mq", True, "num_cpus"),
        ("/sys/devices/pci0000:00/0000:00:03.0/local_cpulist", True, "num_cpus"),
        ("/proc/1/status", False, "num_cpus"),
        ("/sys/devices/pci0000:00/0000:00:03.0/virtio0/net/eth0/address", True, "network"),
        ("/proc/cpuinfo", False, "num_cpus"),
        ("/proc/uptime", False, "time"),
        ("/sys/devices/system/cpu/online", False, "num_cpus"),
        ("/proc/version", False, "kernel"),
    ],
)
def test_a_variation_is_evaded(path, isolated, evaded):
    files = UnvariedFiles(isolated=isolated)
    files.saw(path, "/usr/bin/cat")
    assert files.evaded == {evaded: f"cat uses {path}, which shows the machine's own"}


@pytest.mark.parametrize(
    "path",
    [
        "/etc/localtime2",
        "/etc/passwd",
        "/proc/cpuinfo",
        "/proc/uptime",
        "/proc/1/status",
        "/usr/share/zoneinfo/UTC",
        "/sys/devices/virtual/net/lo/address",
        "/sys/devices/system/cpu/online",
    ],
)
def test_other_files_evade_nothing(path):
    files = UnvariedFiles(isolated=True)
    files.saw(path, "/usr/bin/cat")
    assert not files.evaded


def test_a_link_that_a_command_names_may_be_read_without_being_opened():
    files = UnvariedFiles(isolated=True)
    files.saw_arguments(["sh", "-c", "ls; readlink -f /etc/localtime > out"])
    assert files.evaded == {"timezone": "sh uses /etc/localtime, which shows the machine's own"}
    other = UnvariedFiles(isolated=True)
    other.saw_arguments(["cat", "/etc/hostname"])
    assert not other.evaded
