"""The verifying command as an admission step: exit status, JSON, and the summary that it writes."""

import hashlib
import json
import subprocess
import sys

import others
import pytest

NAME = "app_1-1_amd64.deb"
SHA256 = hashlib.sha256(b"the package").hexdigest()
POLICY = """\
[keys.arch]
file = "arch.pub"
operator = "Arch"
builders = ["https://a.example/"]
[keys.debian]
file = "debian.pub"
operator = "{operator}"
builders = ["{builder}"]
[require]
"""


@pytest.fixture
def place(tmp_path):
    """A folder with a package, and the links of two rebuilders about it."""
    (tmp_path / NAME).write_bytes(b"the package")
    arch, debian = (others.Rebuilder(tmp_path, name) for name in ("arch", "debian"))
    (tmp_path / "links").mkdir()
    (tmp_path / "links/arch.json").write_bytes(arch.link(NAME, SHA256))
    (tmp_path / "links/debian.json").write_bytes(debian.link(NAME, SHA256))
    (tmp_path / "policy.toml").write_text(POLICY.format(operator="Debian", builder="https://d.example/"))
    return tmp_path


def verify(place, *arguments, status=0, file=NAME):
    command = [sys.executable, "-m", "pytest_ftc", "attest", "verify", file, "-p", "policy.toml", *arguments]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True)
    assert done.returncode == status, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


def test_two_independent_builders_have_reproduced_it(place):
    (result,) = json.loads(verify(place, "-a", "links", "--json", "--vsa", "vsa.json").stdout).values()
    assert (result["accepted"], result["reproduced"], result["builders"]) == (True, True, 2)
    predicate = json.loads((place / "vsa.json").read_text())["predicate"]
    assert predicate["verifiedLevels"] == ["SLSA_BUILD_LEVEL_UNEVALUATED", "SLSA_BUILD_REPRODUCED"]
    assert [one["uri"] for one in predicate["inputAttestations"]] == ["arch.json", "debian.json"]


@pytest.mark.parametrize(
    ("operator", "builder"), [("Arch", "https://d.example/"), ("Debian", "https://a.example/")], ids=str
)
def test_builders_that_are_not_independent_have_not(place, operator, builder):
    policy = POLICY.format(operator=operator, builder=builder) + "builds = 1\n"
    (place / "policy.toml").write_text(policy)
    verify(place, "-a", "links", "--vsa", "vsa.json")
    predicate = json.loads((place / "vsa.json").read_text())["predicate"]
    assert predicate["verifiedLevels"] == ["SLSA_BUILD_LEVEL_UNEVALUATED"]


def test_one_link_is_refused_with_status_1(place):
    done = verify(place, "-a", "links/arch.json", "--json", "--vsa", "vsa.json", status=1)
    (result,) = json.loads(done.stdout).values()
    assert result["problems"] == ["builds that agree: found 1, required 2"]
    assert json.loads((place / "vsa.json").read_text())["predicate"]["verifiedLevels"] == ["FAILED"]


def test_a_digest_is_enough(place):
    (place / NAME).unlink()
    (result,) = json.loads(verify(place, "-a", "links", "--json", file=f"sha256:{SHA256}").stdout).values()
    assert result["accepted"]
    verify(place, "-a", "links", file=f"sha256:{'0' * 64}", status=1)
    for digest in (SHA256, f"sha512:{SHA256 * 2}"):
        assert "No such file" in verify(place, "-a", "links", file=digest, status=2).stderr
    for digest in (f"sha256:{SHA256.upper()}", f"sha256:{SHA256[1:]}"):
        said = verify(place, "-a", "links", file=digest, status=2).stderr
        assert "expected sha256: and 64 lower-case hexadecimal digits, or a file" in said


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda place: (place / "links/arch.json").write_text("{"), "links/arch.json: attestation: no valid JSON"),
        (lambda place: (place / "policy.toml").write_text("[require"), "policy.toml: no valid TOML"),
        (lambda place: (place / "policy.toml").unlink(), "policy.toml: No such file"),
        (lambda place: (place / NAME).unlink(), f"{NAME}: No such file"),
        (lambda place: (place / "arch.pub").write_text("-----BEGIN PUBLIC KEY-----\nAAAA\n"), "the key 'arch'"),
    ],
)
def test_what_cannot_be_judged_has_status_2_and_no_summary(place, damage, said):
    damage(place)
    done = verify(place, "-a", "links", "--json", "--vsa", "vsa.json", status=2)
    assert said in done.stderr
    assert done.stdout == ""
    assert not (place / "vsa.json").exists()
