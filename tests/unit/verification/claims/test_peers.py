"""Which variations a process outside takes away."""

from pytest_ftc.model import BuildResult, BuildStatus, Role
from pytest_ftc.verification.claims.peers import find_deciding, find_evaded, name_peers

VARIED = ("time", "fileordering", "network", "a_plugins_own")


def builds(*peers: tuple[str, str]) -> list[BuildResult]:
    control = BuildResult(id="c", role=Role.CONTROL, environment={}, status=BuildStatus.OK)
    experiment = BuildResult(id="e", role=Role.EXPERIMENT, environment={}, status=BuildStatus.OK, peers=peers)
    return [control, experiment]


def test_a_build_alone_evades_nothing():
    assert find_evaded(builds(), VARIED) == {}
    assert name_peers(builds()) == ()


def test_a_daemon_evades_all_but_the_variations_of_the_source():
    evaded = find_evaded(builds(("docker", "/run/docker.sock")), VARIED)
    assert evaded == dict.fromkeys(
        ("time", "network", "a_plugins_own"),
        "it talked to the daemon at /run/docker.sock, which no variation reaches",
    )


def test_by_network_only_where_the_network_is_not_varied():
    reached = builds(("curl", "127.0.0.1:80"), ("x", "@abstract"))
    assert find_deciding(reached, VARIED) == ()
    assert find_deciding(reached, ("time",)) == ("127.0.0.1:80", "@abstract")
    assert find_evaded(reached, ("time",)) == {
        "time": "it talked to 127.0.0.1:80, the daemon at @abstract, which no variation reaches"
    }


def test_each_program_and_peer_is_named_once_and_not_what_is_said_already():
    reached = builds(("b", "/run/s"), ("a", "192.0.2.1:443"), ("b", "/run/s"))
    assert name_peers(reached, but=("a tried to reach 192.0.2.1:443",)) == ("b talked to the daemon at /run/s",)


def test_pipes_devices_and_locks_are_no_conversations_but_decide_as_well():
    met = builds(
        ("cat", "pipe:/opt/p"), ("x", "lock:/opt/l"), ("y", "/run/s"), ("z", "lock:/opt/m"), ("d", "device:/dev/d")
    )
    assert find_evaded(met, ("time", "network")) == dict.fromkeys(
        ("time", "network"),
        "it opened the named pipe /opt/p, locked /opt/l, /opt/m, talked to the daemon at /run/s, "
        "opened the device /dev/d, which no variation reaches",
    )
    assert name_peers(met)[:2] == ("cat opened the named pipe /opt/p", "d opened the device /dev/d")
