"""Which attestations satisfy a policy."""

from dataclasses import replace
from datetime import timedelta

import pytest
from attestations import BUILDER, DIGEST, INPUTS, NOW, bad, good, provenance
from samples import VARIED, verification

from pytest_ftc.attestation.judge import KeyFacts, Signed, judge
from pytest_ftc.attestation.keyring import PublicKey
from pytest_ftc.attestation.parity import make_parity
from pytest_ftc.attestation.policy import Policy
from pytest_ftc.attestation.provenance import Builder, Invocation, make_provenance
from pytest_ftc.attestation.sbom.statement import make_sbom_statement
from pytest_ftc.attestation.statement import Subject
from pytest_ftc.attestation.strict_json import DocumentError
from pytest_ftc.model import Verdict
from pytest_ftc.model.build_inputs import Host


def key(name="a", *, material=None, operator=None, builders=(), scheme="ed25519"):
    pem = f"{material or name}\0{scheme}".encode()
    return PublicKey(name=name, pem=pem, operator=operator or name, builders=builders)


def facts(one):
    material, scheme = one.pem.decode().split("\0")
    return KeyFacts(material.encode(), scheme)


def of(builder):
    return make_parity(verification(Verdict.REPRODUCIBLE), Builder(id=builder, version="1"))


def decide(*signed, sha256=DIGEST, **require):
    policy = Policy(trusted={}, **{"builds": 2, **require})
    return judge(sha256, [Signed(f"file{n}", *one) for n, one in enumerate(signed)], policy, facts, NOW)


def test_one_attestation_is_enough_where_the_policy_says_so():
    assert decide((good(), (key(),))).accepted


@pytest.mark.parametrize("signed", [[], [(good(), ())]], ids=["none", "by nobody trusted"])
def test_without_a_signed_attestation_it_is_refused(signed):
    assert decide(*signed).problems == ("no attestation that a trusted key has signed is about it",)


def test_an_attestation_of_another_artifact_is_none():
    assert not decide((good(), (key(),)), sha256="b" * 64).accepted


def test_provenance_alone_is_no_verdict():
    assert not decide((provenance(), (key(),))).accepted


def test_one_negative_attestation_refuses_and_names_the_cause():
    judgement = decide((good(), (key(),)), (bad(), (key("b"),)))
    assert judgement.problems == ("attested as not reproducible, cause: time",)
    assert judgement.negative[0].findings[0]["cause"] == "time"
    assert decide((good(), (key(),)), (bad(), (key("b"),)), refuses_negative=False).accepted


def test_a_negative_one_that_nobody_trusted_has_signed_says_nothing():
    assert decide((good(), (key(),)), (bad(), ())).accepted


def test_what_an_experiment_left_is_refused_as_well():
    assert decide((bad(), (key(),)), sha256="b" * 64).negative


def test_one_key_under_two_names_counts_once():
    twins = (key("a", material="x"), key("b", material="x"))
    assert decide((good(), twins), keys=2).problems == ("distinct keys: found 1, required 2",)
    assert decide((good(), (key("a"), key("b"))), keys=2).accepted


def test_two_keys_of_one_operator_are_one_operator():
    ours = (key("a", operator="us"), key("b", operator="us"))
    assert decide((good(), ours), keys=2, operators=2).problems == ("operators: found 1, required 2",)


def test_builders_are_counted_by_what_they_are_called_in_signed_statements():
    one, other = (of("https://a/"), (key("a"),)), (of("https://b/"), (key("b"),))
    assert not decide(one, one, builders=2).accepted
    assert decide(one, other, builders=2).accepted


def test_one_key_stands_for_one_builder_whatever_its_statements_say():
    alone = key("a")
    statements = [(of(f"https://{number}/"), (alone,)) for number in range(3)]
    for require in ({"builders": 2}, {"machines": 2}, {"builds": 4}, {"varied": ("machine",)}):
        assert not decide(*statements, **require).accepted
    assert not decide(*statements, (of("https://0/"), (key("twin", material="a"),)), builders=2).accepted


def test_provenance_of_a_builder_that_its_key_may_not_speak_for_is_none():
    age = {"max_age": timedelta(days=30)}
    spoken = provenance(NOW.timestamp() - 86400)
    bound = key("b", builders=("https://other/",))
    assert decide((good(), (key(),)), (spoken, (bound,)), **age).problems == ("no signed provenance",)


def test_a_key_speaks_for_its_builders_alone():
    assert not decide((of("https://b/"), (key(builders=("https://a/",)),))).accepted
    assert decide((of("https://a/"), (key(builders=("https://a/",)),))).accepted


def test_the_builds_of_one_builder_do_not_add_up():
    assert not decide((good(), (key("a"),)), (good(), (key("b"),)), builds=4).accepted
    assert decide((of("https://a/"), (key("a"),)), (of("https://b/"), (key("b"),)), builds=4).accepted


def test_what_had_to_be_varied_must_have_been():
    assert decide((good(), (key(),)), varied=(VARIED[0],)).accepted
    refused = decide((good(), (key(),)), varied=("kernel",))
    assert "kernel" in refused.problems[-1]


def test_another_machine_is_one_on_which_somebody_built():
    assert decide((good(), (key(),)), varied=("machine",)).problems == ("machines: found 1, required 2",)
    assert decide((of("https://a/"), (key("a"),)), (of("https://b/"), (key("b"),)), varied=("machine",)).accepted


def on(builder, **host):
    inputs = replace(INPUTS, host=Host(**host))
    run = Invocation(id="urn:uuid:1", started=0, finished=1)
    return make_provenance(
        replace(verification(Verdict.REPRODUCIBLE), inputs=inputs), Builder(id=builder, version="1"), run
    )


@pytest.mark.parametrize(
    ("host", "other", "machines"),
    [
        ({"machine": "m", "boot": "b"}, {"machine": "n", "boot": "c"}, 2),
        ({"machine": "m", "boot": "b"}, {"machine": "m", "boot": "c"}, 1),
        ({"machine": "m", "boot": "b"}, {"boot": "b"}, 1),
    ],
    ids=["two machines", "one machine", "one kernel"],
)
def test_builders_on_one_machine_are_one_machine(host, other, machines):
    one, two = (key("a"),), (key("b"),)
    signed = [(of("https://a/"), one), (of("https://b/"), two), (on("https://a/", **host), one), (on("https://b/", **other), two)]  # fmt: skip
    found = decide(*signed, builders=2, operators=2)
    assert (found.accepted, found.machines, found.is_reproduced) == (True, machines, machines == 2)
    assert decide(*signed, varied=("machine",)).accepted == (machines == 2)


def test_a_hybrid_policy_demands_both_signatures_on_one_statement():
    both = ("ed25519", "ml-dsa-65")
    classical, quantum = key("a"), key("b", scheme="ml-dsa-65")
    assert decide((good(), (classical, quantum)), schemes=both).accepted
    stripped = decide((good(), (classical,)), schemes=both)
    assert "a signature by ml-dsa-65" in stripped.problems[-1]
    assert not decide((good(), (classical,)), (of("https://b/"), (quantum,)), schemes=both).accepted


def test_age_is_that_of_signed_provenance():
    age = {"max_age": timedelta(days=30)}
    recent = NOW.timestamp() - 86400
    assert decide((good(), (key(),)), **age).problems == ("no signed provenance",)
    assert decide((good(), (key(),)), (provenance(recent), (key(),)), **age).accepted
    assert "too old" in decide((good(), (key(),)), (provenance(), (key(),)), **age).problems[0]
    assert "future" in decide((good(), (key(),)), (provenance(recent + 10 * 86400), (key(),)), **age).problems[0]
    broken = replace(provenance(), predicate={})
    assert "does not say" in decide((good(), (key(),)), (broken, (key(),)), **age).problems[0]


def test_provenance_can_be_required():
    assert not decide((good(), (key(),)), provenance=True).accepted
    assert decide((good(), (key(),)), (provenance(), (key(),)), provenance=True).accepted


def test_a_malformed_statement_of_a_trusted_key_is_an_error_that_names_its_file():
    broken = replace(good(), predicate={"attributes": [{"attribute": "REPRODUCIBLE"}]})
    with pytest.raises(DocumentError, match="file0"):
        decide((broken, (key(),)))


def test_who_builds_is_in_the_predicate():
    assert BUILDER.id == good().predicate["producer"]["uri"]


def sbom(**changes):
    document = {"bomFormat": "CycloneDX", "specVersion": "1.6", **changes}
    return make_sbom_statement(verification(Verdict.REPRODUCIBLE), document)


def test_an_sbom_of_the_artifact_is_there_where_it_is_required():
    lacking = ("no signed SBOM",)
    claim = (good(), (key(),))
    assert decide(claim, (sbom(), (key(),)), sbom=True).accepted
    assert decide(claim, sbom=True).problems == lacking
    assert decide(claim, (sbom(), ()), sbom=True).problems == lacking
    assert decide(claim, (sbom(bomFormat="SPDX"), (key(),)), sbom=True).problems == lacking
    assert (
        decide(claim, (replace(sbom(), predicate_type="https://example.com/"), (key(),)), sbom=True).problems == lacking
    )
    other = replace(sbom(), subjects=(Subject("dist/app.whl", {"sha256": "c" * 64}),))
    assert decide(claim, (other, (key(),)), sbom=True).problems == lacking


def test_an_sbom_is_signed_by_all_kinds_of_keys_and_speaks_for_no_builder():
    both = (key(), key("b", scheme="ml-dsa-65"))
    hybrid = {"schemes": ("ed25519", "ml-dsa-65"), "sbom": True}
    assert decide((good(), both), (sbom(), both), **hybrid).accepted
    assert decide((good(), both), (sbom(), (key(),)), **hybrid).problems == ("no signed SBOM",)
    bound = key(builders=(BUILDER.id,))
    assert decide((good(), (bound,)), (sbom(), (bound,)), sbom=True).accepted
