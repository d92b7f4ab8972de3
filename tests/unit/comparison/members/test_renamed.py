"""What has another name in each build is looked into, and told under the name of the control."""

import io
import json
import sqlite3
import subprocess
import tarfile
import zipfile


def zipped(**files: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(name), text)
    return file.getvalue()


def tarred(*entries: tuple[str, str]) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name, text in entries:
            info = tarfile.TarInfo(name)
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text.encode()))
    return file.getvalue()


def places(found) -> list[tuple[str, str, str]]:
    return [(leaf.field.value, leaf.member, leaf.location) for leaf in found.leaves]


def test_a_member_of_a_zip_with_a_hash_in_its_name(compare):
    one = zipped(**{"app.3f2a9c.js": "built at 10:01\n", "index.html": "app.3f2a9c.js\n"})
    other = zipped(**{"app.9c8e7d.js": "built at 10:02\n", "index.html": "app.9c8e7d.js\n"})
    assert places(compare(one, other)) == [
        ("name", "app.3f2a9c.js", "zip entry name"),
        ("content", "app.3f2a9c.js", "line 1"),
        ("content", "index.html", "line 1"),
    ]


def test_members_of_a_tar_that_sort_differently(compare):
    one = tarred(("blobs/0011223344556677", '{"created": 1}'), ("blobs/ffeeddccbbaa9988", "plain text\n"))
    other = tarred(("blobs/0a1b2c3d4e5f6071", "plain words\n"), ("blobs/f1e2d3c4b5a69788", '{"created": 2}'))
    assert sorted(places(compare(one, other))) == [
        ("content", "blobs/0011223344556677", "key created"),
        ("content", "blobs/ffeeddccbbaa9988", "line 1"),
        ("name", "blobs/0011223344556677", "tar member name"),
        ("name", "blobs/ffeeddccbbaa9988", "tar member name"),
    ]


def test_keys_of_json_that_hold_a_digest(compare):
    one = json.dumps({"files": {"3f2a9c0b11d2e4f5": {"path": "a", "time": 1}, "version": 3}})
    other = json.dumps({"files": {"8e7d6c5b4a392817": {"path": "a", "time": 2}, "version": 3}})
    assert places(compare(one.encode(), other.encode())) == [
        ("name", "", "name of key files.3f2a9c0b11d2e4f5"),
        ("content", "", "key files.3f2a9c0b11d2e4f5.time"),
    ]
    assert places(compare(b'{"old": 1}', b'{"new": 1}')) == [("content", "", "key old"), ("content", "", "key new")]


def test_sections_of_an_object_with_a_random_word_in_their_names(compare, tmp_path):
    (tmp_path / "a.c").write_text("int a(int b) { return b; }\n")
    for seed in ("one", "other"):
        command = ["gcc", "-flto", f"-frandom-seed={seed}", "-c", "a.c", "-o", f"{seed}.o"]
        subprocess.run(command, cwd=tmp_path, check=True)
    found = places(compare(tmp_path / "one.o", tmp_path / "other.o"))
    assert found[0] == ("name", "", "ELF section name")
    # The options of the compiler, which hold the seed.
    assert all(".gnu.lto_" in location and "byte" in location for _, _, location in found[1:])


def test_tables_of_a_database_with_a_random_word_in_their_names(compare, tmp_path):
    for name, number in (("cache_3f2a9c0b", 1), ("cache_9c8e7d6f", 2)):
        with sqlite3.connect(tmp_path / name) as database:
            database.execute(f"CREATE TABLE {name} (value)")
            database.execute(f"INSERT INTO {name} VALUES (?)", (number,))
    found = places(compare(tmp_path / "cache_3f2a9c0b", tmp_path / "cache_9c8e7d6f"))
    assert ("name", "", "sqlite table name") in found
    assert ("content", "", "sqlite table cache_3f2a9c0b, row 1, column value") in found


def test_rows_that_are_numbered_in_another_order_are_one_place(compare, tmp_path):
    for name, order in (("one", "abcd"), ("other", "cadb")):
        with sqlite3.connect(tmp_path / name) as database:
            database.execute("CREATE TABLE words (id INTEGER PRIMARY KEY, word)")
            database.executemany("INSERT INTO words (word) VALUES (?)", order)
            database.execute("CREATE TABLE codes (id INTEGER, word, PRIMARY KEY (id, word))")
            database.executemany("INSERT INTO codes VALUES (?, ?)", enumerate(order))
    found = places(compare(tmp_path / "one", tmp_path / "other"))
    assert [place for place in found if "words" in place[2]] == [("order", "", "sqlite table words, row order")]
    assert {place[0] for place in found if "codes" in place[2]} == {"content"}
