"""Each variation finds exactly its own leak: alone it shows it, and with all but it there is nothing to see."""

import pytest

from pytest_ftc.variations import CATALOGUE

LEAKS = {
    "time": "date +%Y",
    "timezone": "date -d @0 +%H",
    "locales": "echo $LC_ALL",
    "build_path": "pwd",
    "home": "echo $HOME",
    "temp_dir": "echo $TMPDIR",
    "exec_path": "echo $PATH",
    "environment": "echo $FTC_CANARY",
    "terminal": "echo $COLUMNS",
    "umask": "umask",
    "user_group": "id -u; id -un; id -g; id -gn; echo $USER",
    "domain_host": "uname -n; cat /etc/hostname; cat /etc/machine-id",
    "kernel": "uname -r",
    "num_cpus": "nproc",
    "aslr": "cut -c1-12 /proc/self/maps | head -1",
    "pid": "echo $$",
    "fileordering": "ls -U | grep file-",
    "source_mtime": "stat -c %Y file-1",
    "source_mode": "stat -c %a file-1",
    "filesystem": "stat -f -c %T .",
    "hash_seed": "python3 -c 'print(hash(\"x\"))'",
    "network": "tail -n +3 /proc/net/dev | cut -d: -f1 | LC_ALL=C sort",
}

SMALL_FOLDERS = [("a", "b"), ("b", "a"), ("b", "bin"), ("bin", "b")]


@pytest.fixture(scope="module")
def verified(tmp_path_factory, request):
    """All leaks with and without their variation, in one session, so that the builds overlap."""
    import json
    import subprocess
    import sys

    folder = tmp_path_factory.mktemp("leaks")
    for number in range(8):
        (folder / f"file-{number}").write_text(str(number))
    (folder / "pytest.ini").write_text("[pytest]\n")
    tables = []
    for name, leak in LEAKS.items():
        for kind, specification in (("alone", f"+{name}"), ("without", f"all,-{name}")):
            script = f"({leak}) > out"
            tables.append(f'[artifacts."{name} {kind}"]\nbuild = {json.dumps(script)}\noutputs = ["out"]')
            tables.append(f'variations = "{specification}"\n')
    tables.append('[artifacts."type of file system"]\nbuild = "stat -f -c %T . > out"\noutputs = ["out"]')
    tables.append('variations = "source_mtime,umask"\n')
    for first, second in SMALL_FOLDERS:
        script = f"mkdir made; : > made/{first}; : > made/{second}; ls -U made > out"
        tables.append(f'[artifacts."made {first} {second}"]\nbuild = "{script}"\noutputs = ["out"]')
    (folder / "ftc.toml").write_text("\n".join(tables))
    report = folder.parent / "leaks.json"
    command = [sys.executable, "-m", "pytest", "--ftc-verify", "--ftc-diagnose=off", f"--ftc-json={report}"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert report.exists(), done.stdout + done.stderr
    return {artifact["name"]: artifact for artifact in json.loads(report.read_text())["artifacts"]}


def test_every_variation_has_its_leak():
    assert set(LEAKS) == {variation.name for variation in CATALOGUE}


@pytest.mark.parametrize("name", LEAKS)
def test_a_leak_shows_under_its_variation_alone(verified, name):
    artifact = verified[f"{name} alone"]
    if artifact["varied"]:
        assert artifact["varied"] == [name]
        assert artifact["verdict"] == "unreproducible", artifact
    else:
        # The machine cannot vary it, and so nothing was verified.
        assert artifact["verdict"] == "error"
        assert artifact["not_varied"][0]["variation"] == name


@pytest.mark.parametrize("name", LEAKS)
def test_a_leak_is_gone_without_its_variation(verified, name):
    artifact = verified[f"{name} without"]
    assert name not in artifact["varied"]
    assert artifact["verdict"] == "reproducible", artifact["findings"]


def test_other_times_of_the_sources_leave_the_type_of_the_file_system_alone(verified):
    artifact = verified["type of file system"]
    assert artifact["varied"] == ["umask", "source_mtime"]
    assert artifact["verdict"] == "reproducible", artifact["findings"]


@pytest.mark.parametrize(("first", "second"), SMALL_FOLDERS)
def test_the_order_of_two_files_that_the_build_made_shows_whatever_file_systems_do(verified, first, second):
    artifact = verified[f"made {first} {second}"]
    if "fileordering" in artifact["varied"]:
        assert artifact["verdict"] == "unreproducible"
