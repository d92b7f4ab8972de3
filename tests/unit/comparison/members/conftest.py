import subprocess

import pytest

from pytest_ftc.comparison.members.walk import walk


@pytest.fixture
def compare(tmp_path):
    """Return what differs between two contents, given as bytes or paths, as (field, member, location, values)."""

    def compare(one, other, name="output.bin"):
        sides = []
        for side, content in (("control.side", one), ("experiment.side", other)):
            if isinstance(content, bytes):
                (tmp_path / side).write_bytes(content)
                content = tmp_path / side
            sides.append(content)
        return walk(*sides, name)

    return compare


@pytest.fixture
def folders(tmp_path):
    """Two equal folders to make things in."""
    made = tmp_path / "one", tmp_path / "other"
    for folder in made:
        folder.mkdir()
    return made


@pytest.fixture
def run():
    def run(*command, cwd, **variables):
        environ = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC", **variables}
        done = subprocess.run(command, cwd=cwd, env=environ, capture_output=True, text=True)
        assert done.returncode == 0, (command, done.stderr)
        return done.stdout

    return run


@pytest.fixture
def table():
    """Leaves as plain tuples, short enough to be written down."""
    return lambda found: [
        (leaf.field.value, leaf.member, leaf.location, leaf.control, leaf.experiment) for leaf in found.leaves
    ]
