"""Lists of actions and execution logs, also hostile ones."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_ftc.integrations.audit import listing
from pytest_ftc.integrations.audit.listing import read_listings
from pytest_ftc.model.digest import Digest
from pytest_ftc.model.errors import ConfigurationError

ONE, TWO = Digest.of(b"one"), Digest.of(b"two")
ANY_FILE = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])


def spawn(digest, **more):
    return {"digest": {"hash": digest.hash, "sizeBytes": str(digest.size), "hashFunctionName": "SHA-256"}, **more}


def read(tmp_path, *texts):
    paths = []
    for number, text in enumerate(texts):
        paths.append(tmp_path / f"list-{number}")
        paths[-1].write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_listings(paths)


def test_a_list_names_each_action_once_with_its_label(tmp_path):
    found = read(tmp_path, f"# mine\n\n{ONE}\n{TWO} //app:two  CppCompile\r\n{ONE} //app:one\n", f"{TWO}\n")
    assert [(one.digest, one.label) for one in found.actions] == [(ONE, "//app:one"), (TWO, "//app:two  CppCompile")]


@pytest.mark.parametrize("between", ["", "\n", "\n\n  "])
@pytest.mark.parametrize("indent", [None, 2])
def test_a_log_is_objects_one_after_another(tmp_path, between, indent):
    entries = [
        spawn(ONE, targetLabel="//app:one", mnemonic="Genrule", commandArgs=["x" * 100_000])
        | {"actualOutputs": [{"path": "bin/one", **spawn(TWO)}, {"path": "folder"}, 7]},
        {"mnemonic": "Local"},
        spawn(TWO) | {"digest": {"hash": TWO.hash, "sizeBytes": "3", "hashFunctionName": "BLAKE3"}},
        spawn(TWO, targetLabel=7),
    ]
    found = read(tmp_path, between.join(json.dumps(entry, indent=indent) for entry in entries))
    assert [(one.digest, one.label) for one in found.actions] == [(ONE, "//app:one Genrule"), (TWO, "")]
    assert [one.outputs for one in found.actions] == [(("bin/one", TWO),), ()]
    assert found.notes == (
        "list-0: 1 entries have no action digest: they ran without remote cache",
        "list-0: 1 actions have digests of another hash function than SHA-256",
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no action digests found"),
        ("{}", "no action digests found (list-0: 1 entries have no action digest"),
        (f"{ONE}\nnonsense\n", "list-0:2: expected an action's digest as HASH/SIZE (SHA-256), found 'nonsense'"),
        (f"{ONE.hash}\n", "list-0:1: expected an action's digest as HASH/SIZE"),
        (f"{ONE.hash}/-1\n", "list-0:1: expected an action's digest as HASH/SIZE"),
        ("\x1b[31m\n", r"found '\\x1b[31m'"),
        ("a" * 10_000, "list-0:1: expected lines below 4096 characters"),
        (b"\xff\xfe", "expected text in UTF-8, found the byte 0xff"),
        (b"\x28\xb5\x2f\xfd....", "found a compressed file"),
        ('{"digest": ', "entry 1: expected JSON"),
        (json.dumps(spawn(ONE)) + "[1]", "entry 2: expected a JSON object, found [1]"),
        (
            '{"digest": {"hash": "abc"}}',
            "entry 1: digest: expected hash (SHA-256) and sizeBytes, found {'hash': 'abc'}",
        ),
        ('{"digest": [1]}', "entry 1: digest: expected hash (SHA-256) and sizeBytes, found [1]"),
        ('{"digest": ' + "[" * 200_000, "entry 1: nested too deeply"),
    ],
)
def test_a_mistake_is_one_clear_error(tmp_path, text, said):
    with pytest.raises(ConfigurationError) as error:
        read(tmp_path, text)
    assert said in error.value.message


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ConfigurationError, match="none: cannot be read: No such file or directory"):
        read_listings([tmp_path / "none"])


def test_an_entry_of_a_log_is_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(listing, "_LONGEST_ENTRY", 1 << 17)
    with pytest.raises(ConfigurationError, match="entry 1: expected JSON"):
        read(tmp_path, '{"digest": "' + "x" * (1 << 20) + '"}')


def test_the_number_of_actions_is_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(listing, "MOST_ACTIONS", 2)
    with pytest.raises(ConfigurationError, match="at most 2 actions"):
        read(tmp_path, "".join(f"{Digest.of(bytes([one]))}\n" for one in range(3)))


@ANY_FILE
@given(
    st.one_of(st.binary(max_size=300), st.text(max_size=100).map(lambda text: b"{" + text.encode("utf-8", "ignore")))
)
def test_any_bytes_are_actions_or_one_error(tmp_path, data):
    try:
        assert read(tmp_path, data).actions
    except ConfigurationError as error:
        assert error.message.isprintable()


VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=8)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)),
    max_leaves=8,
)
DIGESTS = st.fixed_dictionaries({}, optional={"hash": VALUES, "sizeBytes": VALUES, "hashFunctionName": VALUES})
ENTRIES = st.fixed_dictionaries(
    {}, optional={"digest": st.one_of(VALUES, DIGESTS), "targetLabel": VALUES, "mnemonic": VALUES}
)


@ANY_FILE
@given(st.lists(ENTRIES, min_size=1, max_size=4))
def test_any_objects_are_actions_or_one_error(tmp_path, entries):
    try:
        found = read(tmp_path, "\n".join(map(json.dumps, entries)))
        assert all(one.label.isprintable() for one in found.actions)
    except ConfigurationError as error:
        assert error.message.isprintable()
