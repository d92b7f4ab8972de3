"""Two builders compared."""

import json
from dataclasses import replace

import pytest
from attestations import DIGEST, INPUTS, bad
from samples import VARIED, verification

from pytest_ftc.attestation.account import Account, read_accounts
from pytest_ftc.attestation.compare import Unlike, compare_accounts
from pytest_ftc.attestation.judge import Signed
from pytest_ftc.attestation.keyring import PublicKey
from pytest_ftc.attestation.others.link import LINK_TYPE
from pytest_ftc.attestation.parity import make_parity
from pytest_ftc.attestation.provenance import Builder, Invocation, make_provenance
from pytest_ftc.attestation.statement import Statement, Subject
from pytest_ftc.attestation.strict_json import DocumentError
from pytest_ftc.model import Verdict
from pytest_ftc.model.build_inputs import Host
from pytest_ftc.model.errors import FtcError

OUTPUT = "dist/app.whl"
RUN = Invocation(id="urn:uuid:1", started=0, finished=1)
HERE = Host(kernel="Linux 6", image="debian 12", machine="m", boot="b")
THERE = Host(kernel="Linux 5", image="fedora 43", machine="n", boot="c")


def key(name):
    return PublicKey(name=name, pem=name.encode(), operator=f"operator of {name}")


def side(builder="https://a/", *keys, host=HERE, varied=VARIED, **inputs):
    one = replace(verification(Verdict.REPRODUCIBLE), varied=varied, inputs=replace(INPUTS, host=host, **inputs))
    by = Builder(id=builder, version="1")
    statements = make_parity(one, by), make_provenance(one, by, RUN)
    return [Signed("file", statement, keys) for statement in statements]


def compare(a, b):
    return compare_accounts(read_accounts(a), read_accounts(b), lambda one: one.pem)


def test_the_same_is_the_same():
    (pair,) = compare(side(), side())
    assert pair.is_equal
    assert (pair.name, pair.a, pair.unlike, pair.unexplained) == (OUTPUT, (DIGEST,), (), ())


def test_what_differs_is_listed_by_section():
    other = side(
        host=THERE,
        varied=VARIED[1:],
        source=f"{'9' * 64}/1",
        tools={"/usr/bin/make": "1" * 64, "/usr/bin/cc": "2" * 64},
        distributions={"wheel": "0.46"},
        variables={"CFLAGS": "-O2"},
    )
    (pair,) = compare(side(), other)
    assert pair.is_equal
    assert pair.unlike == (
        Unlike("inputs", "source tree", "c" * 64, "9" * 64),
        Unlike("inputs", "variables", "{}", '{"CFLAGS": "-O2"}'),
        Unlike("toolchain", "/usr/bin/cc", "", "2" * 64),
        Unlike("toolchain", "/usr/bin/make", "e" * 64, "1" * 64),
        Unlike("environment", "image", "debian 12", "fedora 43"),
        Unlike("environment", "kernel", "Linux 6", "Linux 5"),
        Unlike("environment", "wheel", "pkg:pypi/wheel@0.45", "pkg:pypi/wheel@0.46"),
        Unlike("variations", VARIED[0], "varied", ""),
    )


def test_how_independent_they_are():
    (pair,) = compare(side("https://a/", key("a")), side("https://b/", key("b"), host=THERE))
    assert set(pair.independence.values()) == {"different", "shared (2 of 2 are the same)"}
    assert pair.independence["toolchain"] == "shared (2 of 2 are the same)"
    (pair,) = compare(side("https://a/", key("a")), side("https://a/", key("a")))
    assert {text.partition(" ")[0] for text in pair.independence.values()} == {"shared"}
    (pair,) = compare(side("", host=Host()), side("", key("a")))
    assert {name for name, text in pair.independence.items() if text == "unknown"} == {
        "machine", "kernel", "image", "builder", "operator", "key",
    }  # fmt: skip


def test_containers_on_one_kernel_share_it():
    (pair,) = compare(side(host=HERE), side(host=replace(THERE, boot="b")))
    assert (pair.independence["machine"], pair.independence["kernel"]) == ("different", "shared")


def test_other_bytes_differ():
    other = [replace(one, statement=about(one.statement, OUTPUT, "d" * 64)) for one in side()]
    (pair,) = compare(side(), other)
    assert not pair.is_equal
    assert (pair.a, pair.b) == ((DIGEST,), ("d" * 64,))


def test_a_side_that_disagrees_with_itself_is_not_equal():
    both = [*side(), *(replace(one, statement=about(one.statement, OUTPUT, "d" * 64)) for one in side())]
    assert [pair.is_equal for pair in compare(both, both)] == [False]


def test_statements_of_one_side_that_disagree_are_shown_both():
    (pair,) = compare([*side(), *side(commit="1" * 40), *side(commit="1" * 40)], side())
    (unlike,) = pair.unlike
    assert (unlike.name, unlike.a, unlike.b) == ("git commit", f"{'d' * 40} or {'1' * 40}", "d" * 40)
    many = [one for number in range(200) for one in side(commit=f"{number:040}")]
    (unlike,) = compare(many, side())[0].unlike
    assert len(unlike.a) < 1100


def test_equal_bytes_of_what_is_not_reproducible_are_luck():
    negative = [Signed("file", bad(), ())]
    (pair,) = compare(negative, negative)
    assert (pair.is_equal, pair.not_reproducible) == (False, ("A", "B"))
    assert pair.a == pair.b == (DIGEST,)


def test_an_output_of_one_side_differs():
    more = [*side(), Signed("file", about(side()[0].statement, "dist/more.whl", "e" * 64), ())]
    pairs = compare(side(), more)
    assert [(pair.name, pair.is_equal, pair.a) for pair in pairs] == [
        (OUTPUT, True, (DIGEST,)),
        ("dist/more.whl", False, ()),
    ]


def test_files_in_other_folders_are_compared_by_name():
    link = Statement((Subject("app.whl", {"sha256": DIGEST}),), LINK_TYPE, {"name": "rebuild app.whl"})
    owner = replace(key("arch"), builders=("https://arch/",))
    (pair,) = compare(side(), [Signed("file", link, (owner,))])
    assert (pair.name, pair.is_equal, pair.unexplained) == ("app.whl", True, ("B",))
    assert pair.independence["builder"] == "different"


def test_without_a_common_output_there_is_nothing_to_compare():
    with pytest.raises(FtcError, match=r"no output in common: dist/app.whl; and x.whl"):
        compare(side(), [Signed("file", about(side()[0].statement, "x.whl", DIGEST), ())])


def test_equality_after_stabilization_is_not_compared():
    predicate = {"buildDefinition": {"buildType": "https://docs.oss-rebuild.dev/builds/ArtifactEquivalence@v0.1"}}
    statement = Statement((Subject(OUTPUT, {"sha256": DIGEST}),), "https://slsa.dev/provenance/v1", predicate)
    assert read_accounts([Signed("file", statement, ())]) == {}


@pytest.mark.parametrize("value", [None, 1, "x", [], [1], {"a": None}, {"a": [{}]}, [{"digest": 1}]])
def test_provenance_may_hold_anything(value):
    for names in (("buildDefinition",), ("buildDefinition", "resolvedDependencies"), ("runDetails", "byproducts")):
        predicate = value
        for name in reversed(names):
            predicate = {name: predicate}
        statement = Statement((Subject("x", {"sha256": "a"}),), "https://slsa.dev/provenance/v1", predicate)
        (account,) = read_accounts([Signed("file", statement, ())]).values()
        assert isinstance(account, Account)
        json.dumps(account.facts)


def test_a_malformed_report_is_an_error_that_names_its_file():
    broken = replace(side()[0].statement, predicate={"attributes": [{"attribute": "REPRODUCIBLE"}]})
    with pytest.raises(DocumentError, match="file: "):
        read_accounts([Signed("file", broken, ())])


def about(statement, name, sha256):
    return replace(statement, subjects=(Subject(name, {"sha256": sha256}),))
