"""``reference``: the builds must equal what was published too."""

import gzip
import subprocess

import pytest

PROJECT = """
[artifacts.app]
build = "echo built | gzip -n > out.gz"
outputs = ["out.gz"]
source = "src"
reference = "{reference}"
"""
OPTIONS = ("--ftc-variations=home,umask", "--ftc-diagnose=fast")


@pytest.fixture
def released(project):
    (project / "src").mkdir()
    (project / "src" / "a").write_text("a")
    (project / "released").mkdir()
    return project / "released"


def compress(text: str, mtime: int = 0) -> bytes:
    return gzip.compress(text.encode(), mtime=mtime)


@pytest.mark.parametrize("pattern", ["released/*.gz", "released"])
def test_what_was_published_is_built_again(verify, released, pattern):
    verify(PROJECT.format(reference=pattern), *OPTIONS)  # nothing is published yet
    folder = released.parent / "src"
    subprocess.run("echo built | gzip -n > ../released/out.gz", shell=True, cwd=folder, check=True)
    run = verify(PROJECT.format(reference=pattern), *OPTIONS)
    assert run.verdicts == {"app": "reproducible"}
    assert "equal to what was published: out.gz" in run.artifact()["notes"]
    assert verify(None, *OPTIONS).artifact()["cached"]
    (released / "out.gz").write_bytes(compress("other\n"))
    changed = verify(None, *OPTIONS)
    assert (changed.artifact()["cached"], changed.verdicts) == (False, {"app": "unreproducible"})


def test_what_differs_is_a_finding_and_normalizing_is_said_apart(verify, released):
    (released / "out.gz").write_bytes(compress("built\n", mtime=1_000_000_000))
    run = verify(PROJECT.format(reference="released/*.gz"), *OPTIONS)
    assert run.verdicts == {"app": "unreproducible"}
    finding = run.artifact()["findings"][0]
    assert (finding["output"], finding["cause"], finding["confirmed"]) == ("out.gz", "time", False)
    assert "gzip header" in finding["location"]
    assert "but not with the published files" in run.flat
    assert any("after both are normalized" in note for note in run.artifact()["notes"])


def test_what_is_published_and_not_built_is_missed(verify, released):
    (released / "out.gz").write_bytes(compress("built\n"))
    (released / "more.gz").write_bytes(compress("more\n"))
    run = verify(PROJECT.format(reference="released"), *OPTIONS)
    assert "more.gz" in {finding["output"] for finding in run.artifact()["findings"]}


def test_a_reference_that_is_not_there_is_an_error(verify, released):
    run = verify(PROJECT.format(reference="released/*.whl"), *OPTIONS)
    assert run.verdicts == {"app": "error"}
    assert "'released/*.whl' matches nothing" in run.flat


ADDRESS = "oci:REGISTRY/REPOSITORY with :TAG or @sha256:DIGEST"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        *((value, "a glob of files") for value in ("1", "[]", '""', '"https://example.org/x.whl"')),
        *((f'"{value}"', ADDRESS) for value in ("oci:registry/x", "oci://u:p@host/x:1", "oci:host/X:1", "oci:x:1")),
    ],
)
def test_what_is_no_reference_is_a_usage_error(verify, value, expected):
    run = verify(f"[artifacts.app]\nbuild = 'true'\noutputs = ['x']\nreference = {value}\n")
    assert (run.status, f"reference: expected {expected}" in run.text) == (4, True)
