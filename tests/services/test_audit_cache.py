"""``ftc audit-cache`` on a real server, whose action cache holds sound results and planted ones."""

import json
import os
import re
import subprocess
import sys

import pytest
from services.planted_cache import PlantedCache
from services.reapi_servers import STANDARD, Casd

from pytest_ftc.integrations.reapi.address import RemoteAddress
from pytest_ftc.integrations.reapi.connection import Connection
from pytest_ftc.model.digest import Digest

RACE = "".join(f"(sleep 0.0$(shuf -i 10-90 -n 1); echo {name} >> out) & " for name in "abcd") + "wait"


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """A server, and a list of its actions."""
    folder = tmp_path_factory.mktemp("audited")
    with Casd(folder / "casd") as server:
        with Connection(RemoteAddress(target=server.target)) as connection:
            cache = PlantedCache(connection, server.file, properties=STANDARD)
            for number in range(4):
                cache.plant(
                    f"sound-{number}",
                    f"cat in > out; echo {number} >> out",
                    {"out": b"x\n%d\n" % number},
                    inputs={"in": b"x\n"},
                )
            cache.plant(
                "sound-folders",
                "cat ../in > sub/out; mkdir -p tree/deep; echo a > tree/a; echo b > tree/deep/b",
                {"sub/out": b"x\n"},
                inputs={"in": b"x\n", "w/y": b"k"},
                folder="w",
                trees={"tree": {"a": b"a\n", "deep/b": b"b\n"}},
            )
            cache.plant("clock", "date +%s > out", {"out": b"1700000000\n"})
            cache.plant("race", RACE, {"out": b"a\nb\nc\nd\n"})
            cache.plant("path", "pwd > out", {"out": b"/somewhere\n"})
            cache.plant("altered", "echo altered-1 > out", {"out": b"altered-1\n"})
            cache.alter(b"altered-1\n")
            cache.plant("dangling", "echo dangling-1 > out", {"out": b"dangling-1\n"})
            cache.remove(b"dangling-1\n")
            cache.plant("input-gone", "cat in > out", {"out": b"kept\n"}, inputs={"in": b"kept\n", "z": b"gone\n"})
            cache.remove(b"gone\n")
            cache.plant("poisoned", "echo fine > out", {"out": b"evil\n"})
            cache.plant("fails-now", "echo oops >&2; exit 3", {"out": b"was fine\n"})
            cache.write_list(folder / "actions")
        yield server, folder


def audit(server, folder, *arguments, listed="actions"):
    words = ["audit-cache", listed, f"--server-cas=grpc://{server.target}", "--json=found.json", "--state=state.jsonl"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest_ftc", *words, *arguments],
        cwd=folder,
        env={**os.environ, "COLUMNS": "160"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert "Traceback" not in done.stderr, done.stderr
    found = json.loads((folder / "found.json").read_text())
    return done, {action["label"]: action for action in found["actions"]}


WRONG = {
    "clock": "unreproducible",
    "race": "unreproducible",
    "path": "unreproducible",
    "altered": "altered",
    "dangling": "dangling",
    "input-gone": "dangling",
    "poisoned": "differs",
    "fails-now": "fails",
}


def test_all_that_is_wrong_is_named_with_its_cause_and_nothing_else(planted):
    done, found = audit(*planted, "--on-farm")
    assert done.returncode == 1, done.stdout + done.stderr
    said = {label: action["standing"] for label, action in found.items()}
    # This server gives no result whose outputs are gone; what they were, only a log of executions says.
    wrong = {label: standing for label, standing in said.items() if standing != "reproducible"}
    assert wrong == {**WRONG, "dangling": "absent"}, done.stdout
    causes = {label: {(place["cause"], place["confirmed"]) for place in one["found"]} for label, one in found.items()}
    assert causes["clock"] == {("time", True)}
    assert causes["path"] == {("build_path", True)}
    # How many builds of a race agree is luck; however that falls, no other cause is confirmed.
    assert {cause for cause, confirmed in causes["race"] if confirmed} <= {"race", "random"}
    assert causes["race"]
    assert "evil" in done.stdout
    assert "oops" in done.stdout or "exit status 3" in done.stdout


def test_an_audit_goes_on_where_the_last_one_ended(planted):
    _done, found = audit(*planted, "--on-farm")
    again, resumed = audit(*planted, "--on-farm")
    assert again.returncode == 1
    assert {label for label, action in resumed.items() if not action["resumed"]} == {"dangling"}
    assert {label: action["standing"] for label, action in resumed.items()} == {
        label: action["standing"] for label, action in found.items()
    }


def test_contents_are_checked_without_an_execution(planted):
    server, folder = planted
    done, found = audit(server, folder, "--check-only", "--again")
    assert done.returncode == 1
    wrong = {label: one["standing"] for label, one in found.items() if one["standing"] != "intact"}
    assert wrong == {"altered": "altered", "dangling": "absent", "input-gone": "dangling"}
    assert all(one["executions"] == 0 for one in found.values())


def test_a_log_of_executions_says_what_a_result_was(planted):
    server, folder = planted
    lines = [line.split() for line in (folder / "actions").read_text().splitlines()]
    (digest,) = [Digest.parse(words[0]) for words in lines if words[1] == "dangling"]
    output = Digest.of(b"dangling-1\n")
    entry = {
        "targetLabel": "//:dangling",
        "mnemonic": "Genrule",
        "digest": {"hash": digest.hash, "sizeBytes": str(digest.size), "hashFunctionName": "SHA-256"},
        "actualOutputs": [{"path": "out", "digest": {"hash": output.hash, "sizeBytes": str(output.size)}}],
    }
    (folder / "log.json").write_text(json.dumps(entry, indent=1))
    done, found = audit(server, folder, "--check-only", listed="log.json")
    assert done.returncode == 1
    assert found["//:dangling Genrule"]["standing"] == "dangling", done.stdout
    assert "output out is gone" in done.stdout


def test_an_earlier_audit_says_what_a_result_was(planted, tmp_path):
    """The server's answer for a result whose outputs are gone is the one for a result that never was."""
    server, _ = planted
    with Connection(RemoteAddress(target=server.target)) as connection:
        cache = PlantedCache(connection, server.file, properties=STANDARD)
        cache.plant("gone-later", "true", {"out": b"gone later\n"}, trees={"tree": {"a": b"there\n"}})
        cache.listed["never"] = Digest.of(b"never")
        cache.write_list(tmp_path / "actions")
        _done, before = audit(server, tmp_path, "--check-only")
        cache.remove(b"gone later\n")
    _done, after = audit(server, tmp_path, "--check-only")
    assert [one["gone-later"]["standing"] for one in (before, after)] == ["intact", "dangling"]
    assert re.fullmatch(
        "output out is gone: [0-9a-f]{64}/11; the server gives no result", after["gone-later"]["reason"]
    )
    assert after["never"]["reason"] == "the action cache has no result for it"


def test_nothing_is_written_to_the_action_cache(planted):
    before = audit(*planted, "--check-only", "--again")[1]
    audit(*planted, "--on-farm", "--again", "--sample=3")
    after = audit(*planted, "--check-only", "--again")[1]
    assert {label: one["result"] for label, one in after.items()} == {
        label: one["result"] for label, one in before.items()
    }


def test_actions_run_on_another_farm_which_gets_their_inputs(planted, running_casd, tmp_path):
    """The file names look like patterns, and git would not have all of them."""
    server, _ = planted
    with Connection(RemoteAddress(target=server.target)) as connection:
        cache = PlantedCache(connection, server.file, properties=STANDARD)
        inputs = {"[a]*": b"in\n", "xo": b"z\n", "__pycache__/kept": b"k\n"}
        cache.plant("odd", "cat '[a]*' __pycache__/kept > '[o]*'", {"[o]*": b"in\nk\n"}, inputs=inputs)
        cache.plant("poisoned-too", "echo fine > out", {"out": b"evil\n"})
        cache.write_list(tmp_path / "actions")
    done, found = audit(server, tmp_path, f"--execute-on={running_casd.endpoint}")
    said = {label: action["standing"] for label, action in found.items()}
    assert said == {"odd": "reproducible", "poisoned-too": "differs"}, done.stdout + done.stderr
    assert {"time", "build_path", "umask"} <= set(found["odd"]["varied"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--server-cas=http://x:1"], "expected grpc://HOST:PORT or grpcs://HOST:PORT"),
        (["--server-cas=grpc://127.0.0.1:1"], "grpc://127.0.0.1:1: "),
        ([], "expected --server-cas URL, or a farm in [tool.ftc.remote]; found neither"),
    ],
)
def test_a_wrong_server_is_one_clear_error(tmp_path, arguments, said):
    (tmp_path / "actions").write_text("0" * 64 + "/1\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest_ftc", "audit-cache", "actions", "--check-only", *arguments],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
