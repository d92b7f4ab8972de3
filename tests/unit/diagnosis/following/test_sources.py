"""Which places only tell of others: digests, sizes and names of contents that differ."""

import base64
import hashlib
from dataclasses import replace

from pytest_ftc.comparison.members.engine import FOLLOWS
from pytest_ftc.comparison.members.twins import Twin
from pytest_ftc.diagnosis.following.sources import (
    find_copies,
    find_displaced,
    find_followers,
    find_named_after,
    find_offsets,
    find_recomputed,
)
from pytest_ftc.diagnosis.places import Key
from pytest_ftc.model import Field, Place
from pytest_ftc.model.place import FileFormat

ONE, OTHER = b"created: one\n", b"created: another, which is longer than one hundred bytes" + bytes(100)
CONTENT = Key("blob", "", "key created", Field.CONTENT)


def digests(*names: str) -> tuple[tuple[bytes, bytes], ...]:
    return tuple((hashlib.new(name, ONE).digest(), hashlib.new(name, OTHER).digest()) for name in names)


def twin(*places: Key, sizes: tuple[int, int] = (123, 4567)) -> tuple[str, Twin]:
    inside = {(key.member, key.location, key.field) for key in places or (CONTENT,)}
    return "blob", Twin(sizes, digests("md5", "sha1", "sha256", "sha512"), inside)


def place(
    control: str, experiment: str, location: str = "line 1", field: Field = Field.CONTENT, note: str = ""
) -> Place:
    return Place(field=field, location=location, control=control.encode(), experiment=experiment.encode(), note=note)


def followers(control: str, experiment: str, *more: tuple[str, Twin], field: Field = Field.CONTENT, where="line 1"):
    key = Key("list", "", where, field)
    given = {CONTENT: place("one", "another"), key: place(control, experiment, where, field)}
    return find_followers(given, more or [twin()]).get(key)


def test_a_digest_of_a_content_follows_from_where_the_content_differs():
    for name in ("md5", "sha1", "sha256", "sha512"):
        ((one, other),) = digests(name)
        assert followers(f'"{name}:{one.hex()}"', f'"{name}:{other.hex()}"') == [CONTENT]
        assert followers(f"app.{one.hex()[:8]}.js", f"app.{other.hex()[:8]}.js", field=Field.NAME) == [CONTENT]
        assert followers(one.hex().upper(), other.hex().upper()) == [CONTENT]


def test_a_digest_in_base64_is_recognised_too():
    ((one, other),) = digests("sha256")
    for code in (base64.b64encode, base64.urlsafe_b64encode):
        for strip in ("", "="):
            own, theirs = (code(digest).decode().rstrip(strip) for digest in (one, other))
            assert followers(f"a/b.py,sha256={own},123", f"a/b.py,sha256={theirs},4567") == [CONTENT]
            assert followers(f'"sha256-{own}"', f'"sha256-{theirs}"') == [CONTENT]


def test_a_size_follows_only_where_it_is_told_as_one():
    assert followers("123", "4567", where="key config.size") == [CONTENT]
    assert followers("123", "4567") is None
    assert followers("12", "45", twin(sizes=(12, 45)), where="key size") is None


def test_a_short_size_follows_beside_a_digest_of_the_same_content_only():
    ((one, other),) = digests("sha256")
    short = twin(sizes=(25, 7))
    assert followers(f"stamp.py,sha256={one.hex()},25", f"stamp.py,sha256={other.hex()},7", short) == [CONTENT]
    assert followers(f"stamp.py,sha256={one.hex()},25", f"stamp.py,sha256={other.hex()},8", short) is None
    other_content = "blob", Twin((25, 7), ((b"1" * 16, b"2" * 16),), {("other", "line 1", Field.CONTENT)})
    lines = f"stamp.py,sha256={one.hex()},25", f"stamp.py,sha256={other.hex()},7"
    assert followers(*lines, twin(), other_content) is None


def test_what_differs_in_more_than_digests_follows_from_nothing():
    ((one, other),) = digests("sha256")
    assert followers(f"{one.hex()} at 10:01", f"{other.hex()} at 11:02") is None
    assert followers("0123456789abcdef", "fedcba9876543210") is None
    assert followers(one.hex(), one.hex()[::-1]) is None
    assert followers(one.hex()[:5], other.hex()[:5]) is None


def test_no_place_follows_from_itself():
    ((one, other),) = digests("sha256")
    key = Key("blob", "", "line 1", Field.CONTENT)
    given = {key: place(one.hex(), other.hex())}
    assert find_followers(given, [twin(key)]) == {}


def test_a_chain_of_digests_is_followed_to_its_start():
    ((one, other),) = digests("sha256")
    given = {
        CONTENT: place("one", "another"),
        Key("manifest", "", "key digest", Field.CONTENT): place(one.hex(), other.hex(), "key digest"),
        Key("index", "", "key digest", Field.CONTENT): place("ab" * 32, "cd" * 32, "key digest"),
    }
    manifest = Twin(
        (1, 1), ((bytes.fromhex("ab" * 32), bytes.fromhex("cd" * 32)),), {("", "key digest", Field.CONTENT)}
    )
    assert find_followers(given, [twin(), ("manifest", manifest)]) == {key: [CONTENT] for key in list(given)[1:]}


def test_a_reference_follows_from_the_name_it_tells():
    name = Key("app.BxK3f9.js", "", "the output's name", Field.NAME)
    link = Key("index.html", "", "line 3", Field.CONTENT)
    given = {
        name: place("app.BxK3f9.js", "app.Qz81xL.js", "the output's name", Field.NAME),
        link: place('<script src="app.BxK3f9.js">', '<script src="app.Qz81xL.js">', "line 3"),
    }
    assert find_followers(given, []) == {link: [name]}


def test_a_digest_that_is_split_into_a_folder_and_a_name_is_one():
    ((one, other),) = digests("sha1")
    own, theirs = (f"store/{digest.hex()[:2]}/{digest.hex()[2:]}" for digest in (one, other))
    # A folder may have a name of hexadecimal digits without being a part of the digest.
    assert followers(f"b/{one.hex()}", f"b/{other.hex()}", field=Field.NAME) == [CONTENT]
    name = Key(own, "", "the output's name", Field.NAME)
    given = {name: place(own, theirs, field=Field.NAME), CONTENT: place("one", "another")}
    assert find_followers(given, [twin()]) == {name: [CONTENT]}


def test_names_in_a_folder_with_a_random_name_follow_from_it():
    keys = [Key(name, "", "the output's name", Field.NAME) for name in ("out-0kAKNP", "out-0kAKNP/a", "out-0kAKNP/b")]
    given = {key: place(key.output, key.output.replace("0kAKNP", "pO9PmK"), field=Field.NAME) for key in keys}
    assert find_followers(given, []) == {keys[1]: [keys[0]], keys[2]: [keys[0]]}


def test_digests_of_contents_that_are_paired_otherwise_follow_from_both():
    texts = [f"random {number}".encode() for number in range(4)]
    hashes = [hashlib.sha256(text).digest() for text in texts]
    contents = [Key(name, "", "byte 0x0", Field.CONTENT) for name in ("a", "b")]
    listed = Key("list", "", "line 1", Field.CONTENT)
    inside = {("", "byte 0x0", Field.CONTENT)}
    twins = [
        ("a", Twin((8, 8), ((hashes[0], hashes[1]),), inside)),
        ("b", Twin((8, 8), ((hashes[2], hashes[3]),), inside)),
    ]
    given = {key: place("1", "2") for key in contents} | {listed: place(hashes[0].hex(), hashes[3].hex())}
    assert find_followers(given, twins) == {listed: contents}


def test_a_name_with_a_random_word_may_be_computed_from_what_it_names():
    name = Key("app.BxK3f9.js", "", "the output's name", Field.NAME)
    inside = Key("app.BxK3f9.js", "", "line 3", Field.CONTENT)
    given = {name: place("app.BxK3f9.js", "app.Qz81xL.js", field=Field.NAME), inside: place("1", "2")}
    assert find_named_after(given) == {name: [inside]}
    assert (
        find_named_after({name: place("readme.txt", "LIESMICH.txt", field=Field.NAME), inside: place("1", "2")}) == {}
    )
    assert find_named_after({name: place("app.BxK3f9.js", "app.Qz81xL.js", field=Field.NAME)}) == {}


def test_offsets_are_of_what_differs_in_their_file():
    text, offset = Key("a.o", "", ".stabstr, string 3", Field.CONTENT), Key("a.o", "", ".stab, byte 0x8", Field.CONTENT)
    given = {text: place("a", "b"), offset: place("1", "2", note=FOLLOWS)}
    assert find_offsets(given) == {offset: [text]}
    assert find_offsets({offset: given[offset], Key("b.o", *text[1:]): given[text]}) == {}


def test_what_is_computed_from_a_file_is_not_of_the_time_of_its_entry_in_an_archive():
    key = Key("a.zip", "a.so", "ELF build id", Field.HEADER)
    entry = key._replace(location="zip entry mtime", field=Field.MTIME)
    given = {entry: place("1", "2"), key: place("1", "2", note=FOLLOWS)}
    assert find_offsets(given) == {}


def test_lines_may_be_left_of_blocks_in_another_order():
    order, left = Key("a.info", "", "line order", Field.ORDER), Key("a.info", "", "line 9", Field.CONTENT)
    both, elsewhere = left._replace(location="line 2"), left._replace(output="b.info")
    other, mode = left._replace(location="key a"), left._replace(location="mode", field=Field.MODE)
    places = {
        order: place("a\nb\n", "b\na\n", "line order", Field.ORDER),
        left: place("DA:44,1\n", "", "line 9"),
        both: place("TN:1\n", "TN:2\n", "line 2"),
        elsewhere: place("DA:44,1\n", "", "line 9"),
        other: place("1", "2", "key a"),
        mode: place("0644", "0640", "mode", Field.MODE),
    }
    assert find_displaced(places) == {left: order, both: order}


def test_a_copy_of_an_output_in_an_archive_follows_from_that_output():
    original = Key("css/a.map", "", "order of sources", Field.ORDER)
    packed = original._replace(output="a.zip", member="a-1.0/css/a.map")
    other = packed._replace(member="a-1.0/css/b.map")
    values = digests("md5", "sha1", "sha256", "sha512")
    twins = [
        (key.output, Twin((1, 2), values if key is not other else (), {(key.member, key.location, key.field)}))
        for key in (packed, other, original)
    ]
    places = {key: place("one", "another", key.location, key.field) for key in (packed, other, original)}
    assert find_copies(places, twins) == {packed: [original]}
    # Two archives that both hold a file tell nothing of each other.
    alone = {key: place("one", "another") for key in (packed, packed._replace(output="a.tar"))}
    assert not find_copies(alone, [(key.output, Twin((1, 2), values, {key[1:]})) for key in alone])


def test_a_checksum_that_was_computed_anew_follows_from_the_rest_of_its_file():
    checksum, text = Key("a.zip", "lib", "checksum", Field.HEADER), place("a", "b")
    inside = [Key("a.zip", member, "line 1", Field.CONTENT) for member in ("lib", "lib/part")]
    beside = [Key("a.zip", "liberal", "line 1", Field.CONTENT), Key("b.zip", "lib", "line 1", Field.CONTENT)]
    offset = Key("a.zip", "lib", "offset", Field.CONTENT)
    given = dict.fromkeys((*inside, *beside), text) | {offset: replace(text, note=FOLLOWS)}
    entry = replace(text, field=Field.MTIME, format=FileFormat.ZIP)
    inner = Key("a.zip", "lib", "zip entry mtime", Field.MTIME)
    given[inner] = entry
    known = {**given, checksum: replace(text, note=FOLLOWS, is_recomputed=True)}
    assert find_recomputed(known) == {checksum: inside}
    assert find_recomputed({**given, checksum: replace(text, note=FOLLOWS)}) == {}
    whole = checksum._replace(member="")
    assert find_recomputed({**given, whole: replace(text, is_recomputed=True)}) == {whole: [*inside, beside[0], inner]}
