"""What others attest counts as what it is: one build at their builder."""

import hashlib
import json

import others
import pytest
from attestations import good, signed_by

from pytest_ftc.attestation.policy import load_policy
from pytest_ftc.attestation.statement import Statement, Subject
from pytest_ftc.integrations.attestations import judge_file, load_signed
from pytest_ftc.integrations.key_files import KeyFolder

CONTENT = b"the package"
SHA256 = hashlib.sha256(CONTENT).hexdigest()
NAME = "app_1-1_amd64.deb"
ARCH, DEBIAN = "https://reproducible.archlinux.example/", "https://reproduce.debian.example/"


class Place:
    """A folder with the artifact, keys, and attestations of others."""

    def __init__(self, folder):
        self.folder = folder
        self.policy = ""
        (folder / NAME).write_bytes(CONTENT)

    def rebuilder(self, name, builders=(), *, operator="", curve=False):
        one = others.Rebuilder(self.folder, name, curve=curve)
        who = f'operator = "{operator}"\n' if operator else ""
        self.policy += f'[keys.{name}]\nfile = "{name}.pub"\nbuilders = {json.dumps(list(builders))}\n{who}'
        return one

    def ours(self):
        ring = KeyFolder(self.folder / "ring")
        ring.new("us", "ed25519", "us")
        self.policy = f'keyring = "ring/keys.toml"\n{self.policy}'
        statement = good()
        about = Statement((Subject(NAME, {"sha256": SHA256}),), statement.predicate_type, statement.predicate)
        return signed_by(ring, "us", statement=about).encode()

    def judge(self, *documents, **require):
        files = [self.folder / f"{number}.json" for number in range(len(documents))]
        for file, document in zip(files, documents, strict=True):
            file.write_bytes(document)
        lines = "".join(f"{name} = {json.dumps(value)}\n" for name, value in require.items())
        (self.folder / "policy.toml").write_text(f"{self.policy}[require]\n{lines}")
        policy = load_policy(self.folder / "policy.toml")
        return judge_file(self.folder / NAME, load_signed(files, policy), policy)


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


def test_links_of_two_rebuilders_are_two_builds_by_two_builders(place):
    arch, debian = place.rebuilder("arch", [ARCH]), place.rebuilder("debian", [DEBIAN])
    arch.write_key_as_rebuilderd()
    found = place.judge(arch.link(NAME, SHA256), debian.link(NAME, SHA256), builders=2, operators=2)
    assert found.problems == ()
    assert (found.builds, found.builders, found.operators, found.keys) == (2, 2, 2, 2)
    assert found.is_reproduced
    assert not place.judge(arch.link(NAME, SHA256)).accepted


def test_a_link_is_another_builder_beside_our_verdict(place):
    arch, ours = place.rebuilder("arch", [ARCH]), place.ours()
    found = place.judge(ours, arch.link(NAME, SHA256), builders=2, builds=3, varied=["time", "machine"])
    assert found.problems == ()
    assert not found.is_reproduced, "there is provenance of one builder alone"
    assert not place.judge(ours, builders=2).accepted


def test_links_do_not_say_what_was_varied(place):
    arch, debian = place.rebuilder("arch", [ARCH]), place.rebuilder("debian", [DEBIAN])
    found = place.judge(arch.link(NAME, SHA256), debian.link(NAME, SHA256), varied=["time"])
    assert found.problems == ("variations: found none that are attested, required time",)


def test_a_link_is_in_no_log(place):
    arch, debian = place.rebuilder("arch", [ARCH]), place.rebuilder("debian", [DEBIAN])
    found = place.judge(arch.link(NAME, SHA256), debian.link(NAME, SHA256), log=True)
    assert "a proof that the verdict is in a log" in found.problems[-1]


def test_a_rebuilder_of_unknown_name_is_not_counted(place):
    arch, debian = place.rebuilder("arch"), place.rebuilder("debian")
    found = place.judge(arch.link(NAME, SHA256), debian.link(NAME, SHA256))
    assert found.builders == 0
    assert "a builder, which `builders` of the key names" in found.problems[-1]


def test_a_key_of_two_builders_cannot_sign_for_a_link(place):
    either = place.rebuilder("either", [ARCH, DEBIAN])
    assert place.judge(either.link(NAME, SHA256), builds=1).problems == (
        "no attestation that a trusted key has signed is about it",
    )


def test_one_rebuilder_with_two_keys_is_one_builder(place):
    one, other = place.rebuilder("one", [ARCH]), place.rebuilder("other", [ARCH])
    found = place.judge(one.link(NAME, SHA256), other.link(NAME, SHA256), builders=2)
    assert (found.builders, found.builds, found.keys) == (1, 1, 2)
    assert not found.accepted


def test_one_operator_is_not_independent_of_itself(place):
    one = place.rebuilder("one", [ARCH], operator="them")
    other = place.rebuilder("other", [DEBIAN], operator="them")
    found = place.judge(one.link(NAME, SHA256), other.link(NAME, SHA256))
    assert found.accepted
    assert not found.is_reproduced


@pytest.mark.parametrize("changed", ["another file", "another step", "altered", "another key"])
def test_a_link_that_proves_nothing(place, changed):
    arch = place.rebuilder("arch", [ARCH])
    link = {
        "another file": lambda: arch.link(NAME, "a" * 64),
        "another step": lambda: arch.link(NAME, SHA256, step="test"),
        "altered": lambda: arch.link(NAME, "a" * 64).replace(b"a" * 64, SHA256.encode()),
        "another key": lambda: others.Rebuilder(place.folder, "mallory").link(NAME, SHA256),
    }[changed]()
    assert not place.judge(link, builds=1).accepted
    assert place.judge(arch.link(NAME, SHA256), builds=1).accepted


def test_oss_rebuild_counts_where_the_bytes_are_the_same(place):
    google = place.rebuilder("google", [others.HOST], curve=True)
    arch = place.rebuilder("arch", [ARCH])
    lines = others.oss_rebuild(google, NAME, SHA256, SHA256)
    found = place.judge(lines, arch.link(NAME, SHA256), builders=2, provenance=True, max_age="90000d")
    assert found.problems == ()
    assert found.is_reproduced


def test_equality_after_stabilization_is_no_equality(place):
    google = place.rebuilder("google", [others.HOST], curve=True)
    arch = place.rebuilder("arch", [ARCH])
    lines = others.oss_rebuild(google, NAME, SHA256, "b" * 64)
    found = place.judge(lines, arch.link(NAME, SHA256), builders=2)
    assert (found.builders, found.builds, found.is_reproduced) == (1, 1, False)
    assert "equal bytes: it attests equality after stabilization" in found.problems[-1]


@pytest.mark.parametrize("hint", [True, False], ids=["key", "certificate"])
def test_a_bundle_of_github_is_one_build(place, hint):
    runner = place.rebuilder("runner", [others.RUNNER], curve=True)
    arch = place.rebuilder("arch", [ARCH])
    bundle = others.github(runner, NAME, SHA256, hint=hint)
    assert place.judge(bundle).problems == ("builds that agree: found 1, required 2",)
    assert place.judge(bundle, arch.link(NAME, SHA256), builders=2, provenance=True).is_reproduced


def test_a_certificate_in_a_bundle_gives_no_trust(place):
    place.rebuilder("runner", [others.RUNNER], curve=True)
    mallory = others.Rebuilder(place.folder, "mallory", curve=True)
    assert not place.judge(others.github(mallory, NAME, SHA256), builds=1).accepted


def test_a_key_speaks_for_no_other_builder(place):
    runner = place.rebuilder("runner", ["https://elsewhere.example/"], curve=True)
    assert not place.judge(others.github(runner, NAME, SHA256), builds=1).accepted


def test_what_was_used_is_named_with_its_digest(place):
    arch = place.rebuilder("arch", [ARCH])
    link = arch.link(NAME, SHA256)
    (used,) = place.judge(link, builds=1).attestations
    assert used.sha256 == hashlib.sha256(link).hexdigest()
