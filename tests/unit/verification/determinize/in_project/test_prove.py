"""Which changes of the project's own files count as proved."""

from functools import partial

from pytest_ftc.model import Artifact, Verdict, Verification
from pytest_ftc.verification.determinize.in_project.change import Edit
from pytest_ftc.verification.determinize.in_project.propose import Proposal
from pytest_ftc.verification.determinize.in_project.prove import prove
from pytest_ftc.verification.determinize.steps import Step

FIRST = Verification(id="x", name="x", verdict=Verdict.UNREPRODUCIBLE)
ZONE, FLAG = Step("set", "TZ", "UTC"), Step("set", "FLAG", "1")


def add(text: str, word: str) -> str:
    return f"{text}{word}\n"


def proposal(*words: str) -> Proposal:
    edits = tuple(Edit(path="Makefile", rewrite=partial(add, word=word)) for word in words)
    return Proposal(edits, {"Makefile": "all:\n"})


def run(tmp_path, proposed, heals, steps=()):
    """Return the words of the proved change and the steps beside it; `heals` judges those of each trial."""
    tried = []

    def verify(change, beside, _judge):
        words = change.files["Makefile"][1].split()[1:]
        tried.append(words)
        return heals(words, [step.name for step in beside], len(tried))

    artifact = Artifact(id="x", name="x", build="make", outputs=("out",), source=tmp_path)
    proof = prove(proposed, steps, artifact, FIRST, verify)
    return proof and (proof.change.files["Makefile"][1].split()[1:], [step.name for step in proof.steps])


def test_what_is_not_needed_is_left_out(tmp_path):
    assert run(tmp_path, proposal("a", "b", "c"), lambda words, _, __: "b" in words) == (["b"], [])


def test_settings_stand_beside_it_only_where_they_are_needed(tmp_path):
    def heals(words, beside, _):
        return "a" in words and "TZ" in beside

    assert run(tmp_path, proposal("a", "b"), heals, [FLAG, ZONE]) == (["a"], ["TZ"])
    assert run(tmp_path, proposal("a"), lambda words, _, __: "a" in words, [ZONE]) == (["a"], [])


def test_nothing_is_told_where_nothing_helps_or_nothing_is_proposed(tmp_path):
    assert run(tmp_path, proposal("a"), lambda *_: False, [ZONE]) is None
    assert run(tmp_path, proposal(), lambda *_: True, [ZONE]) is None


def test_what_seemed_needless_by_luck_is_put_back(tmp_path):
    def heals(words, _, number):
        return words == ["a", "b"] or number == 2

    assert run(tmp_path, proposal("a", "b"), heals) == (["a", "b"], [])


def test_what_was_equal_by_luck_only_is_not_told(tmp_path):
    assert run(tmp_path, proposal("a", "b"), lambda _, __, number: number == 1) is None
