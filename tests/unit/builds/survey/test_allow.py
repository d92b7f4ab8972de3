"""What allows a machine to vary what it does not."""

import pytest

from pytest_ftc.builds.survey.allow import Surroundings, find_remedies, look_around
from pytest_ftc.model import Isolation, Machine
from pytest_ftc.variations.locales import Locales
from pytest_ftc.variations.user_group import UserGroup

REFUSED = Machine(isolation=Isolation.NONE, isolation_reason="namespaces are refused here")
APPARMOR = {"kernel.apparmor_restrict_unprivileged_userns": "1"}


def remedies(machine, **around):
    return dict(find_remedies(machine, Surroundings(**around)))


@pytest.mark.parametrize(
    ("around", "command"),
    [
        ({"sysctls": {"user.max_user_namespaces": "0"}}, "sudo sysctl -w user.max_user_namespaces=15000"),
        ({"sysctls": {"kernel.unprivileged_userns_clone": "0"}}, "sudo sysctl -w kernel.unprivileged_userns_clone=1"),
        ({"sysctls": APPARMOR}, "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, as Ubuntu 24.04"),
        ({"container": "docker"}, "docker run --security-opt seccomp=unconfined"),
        ({"container": "podman", "sysctls": APPARMOR}, "podman run --security-opt seccomp=unconfined"),
        ({"container": "kubernetes"}, "in the securityContext"),
        (
            {"container": "docker", "sysctls": {"user.max_user_namespaces": "0"}},
            "on the host: sudo sysctl -w user.max_user_namespaces=15000",
        ),
    ],
)
def test_namespaces_are_allowed_by_what_forbids_them_there(around, command):
    assert remedies(REFUSED, **around)[REFUSED.isolation_reason].startswith(command)


def test_where_nothing_is_known_nothing_is_advised():
    assert remedies(REFUSED, sysctls={"user.max_user_namespaces": "63000"}) == {}


def test_a_machine_that_varies_all_needs_no_advice():
    able = Machine(isolation=Isolation.USER, faketime="/lib/libfaketime.so.1", locales=("C", "de_DE.utf8"))
    assert remedies(able, container="docker", sysctls=APPARMOR) == {}


def test_root_without_a_user_namespace():
    machine = Machine(isolation=Isolation.ROOT)
    machine = Machine(isolation=Isolation.ROOT, allow=remedies(machine, sysctls={"user.max_user_namespaces": "0"}))
    reason = UserGroup().unavailable(machine)
    assert reason
    assert machine.find_permission(reason) == "sudo sysctl -w user.max_user_namespaces=15000"


@pytest.mark.parametrize("field", ["personality_reason", "fresh_proc_reason"])
def test_what_a_container_refuses_its_options_allow(field):
    machine = Machine(isolation=Isolation.USER, **{field: "refused"})
    assert "systempaths=unconfined" in remedies(machine, container="docker")["refused"]
    assert "refused" not in remedies(machine)


@pytest.mark.parametrize(
    ("distribution", "command"),
    [
        (("ubuntu", "debian"), "sudo apt-get install locales-all"),
        (("fedora",), "sudo dnf install glibc-all-langpacks"),
        (("alpine",), ""),
        ((), ""),
    ],
)
def test_a_missing_locale_is_a_package(distribution, command):
    machine = Machine(isolation=Isolation.USER, locales=("C",))
    machine = Machine(isolation=Isolation.USER, allow=remedies(machine, distribution=distribution))
    reason = Locales().unavailable(machine)
    assert reason
    assert machine.find_permission(reason) == command


def test_a_missing_libfaketime_is_a_package():
    machine = Machine(isolation=Isolation.USER, faketime_reason="no libfaketime found")
    assert remedies(machine, distribution=("arch",))["no libfaketime found"] == "sudo pacman -S libfaketime"


def test_looking_around(tmp_path):
    assert look_around(str(tmp_path), {}) == Surroundings()
    assert look_around(str(tmp_path), {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}).container == "kubernetes"
    (tmp_path / "proc/sys/user").mkdir(parents=True)
    (tmp_path / "proc/sys/user/max_user_namespaces").write_text("0\n")
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/os-release").write_text('NAME="X"\nID=pop\nID_LIKE="ubuntu debian"\n')
    (tmp_path / ".dockerenv").touch()
    assert look_around(str(tmp_path), {}) == Surroundings(
        container="docker",
        sysctls={"user.max_user_namespaces": "0"},
        distribution=("pop", "ubuntu", "debian"),
    )
    (tmp_path / "run").mkdir()
    (tmp_path / "run/.containerenv").touch()
    assert look_around(str(tmp_path), {}).container == "podman"
