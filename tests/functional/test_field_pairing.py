"""Places keep their names where outputs, members and sections are named by a digest or a random word."""

from typing import Any

import pytest
from one_run import verify_folder

OCI = """
import gzip, hashlib, io, json, os, tarfile, time

def blob(data):
    name = hashlib.sha256(data).hexdigest()
    with open(f"image/blobs/sha256/{name}", "wb") as file:
        file.write(data)
    return {"digest": f"sha256:{name}", "size": len(data)}

def layer(name, mtime):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as tar:
        info = tarfile.TarInfo(name)
        info.mtime = mtime
        tar.addfile(info)
    return file.getvalue()

os.makedirs("image/blobs/sha256")
plain = [layer("etc/motd", int(time.time())), layer("usr/bin/tool", 0)]
layers = [blob(gzip.compress(data, mtime=0)) for data in plain]
config = {"rootfs": {"diff_ids": ["sha256:" + hashlib.sha256(data).hexdigest() for data in plain]}}
manifest = blob(json.dumps({"config": blob(json.dumps(config).encode()), "layers": layers}).encode())
with open("image/index.json", "w") as file:
    json.dump({"manifests": [manifest]}, file)
"""
BUNDLE = """
import hashlib, os, zipfile

def name(data):
    return "".join(chr(97 + byte % 26) if byte % 3 else str(byte % 10) for byte in hashlib.blake2b(data).digest()[:8])

script = f"console.log('built in {os.getcwd()}')".encode()
style = f"/* {os.getcwd()} */ body {{ margin: 0 }}".encode()
os.makedirs("site/assets")
names = {f"app-{name(script)}.js": script, f"main-{name(style)}.css": style}
for path, data in names.items():
    with open(f"site/assets/{path}", "wb") as file:
        file.write(data)
page = "\\n".join(f"<link href='assets/{path}'>" for path in names).encode()
with open("site/index.html", "wb") as file:
    file.write(page)
with zipfile.ZipFile("site.zip", "w") as archive:
    for path, data in {**names, "index.html": page}.items():
        archive.writestr(zipfile.ZipInfo(path), data)
"""
BLOBS = r"""
mkdir -p image/blobs
tar --sort=name --owner=0 --group=0 --numeric-owner --mode=go=rX,u+rw -cf layer.tar hello.txt
layer=$(sha256sum layer.tar | cut -d" " -f1)
mv layer.tar image/blobs/$layer
printf '{"created":"%s"}' "$(date -u +%FT%TZ)" > config.json
digest=$(sha256sum config.json | cut -d" " -f1)
mv config.json image/blobs/$digest
printf '{"config":"sha256:%s","layer":"sha256:%s"}' $digest $layer > image/index.json
tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --mode=go=rX,u+rw -cf image.tar -C image .
"""
PROJECT = f"""
[artifacts.blob-by-two-causes]
build = '''{BLOBS}'''
outputs = ["image", "image.tar"]

[artifacts.blob-of-ns-time]
build = '''
mkdir -p image/blobs
printf '{{"created":"%s"}}' "$(date -u +%FT%T.%NZ)" > config.json
digest=$(sha256sum config.json | cut -d" " -f1)
mv config.json image/blobs/$digest
printf '{{"config":"sha256:%s"}}' $digest > image/index.json
'''
outputs = ["image"]

[artifacts.oci]
build = "python3 oci.py"
outputs = ["image"]

[artifacts.bundle]
build = "python3 bundle.py"
outputs = ["site", "site.zip"]

[artifacts.shards]
build = '''
mkdir store
put() {{
  digest=$(sha1sum "$1" | cut -c1-40); folder=$(echo $digest | cut -c1-2)
  mkdir -p store/$folder; mv "$1" store/$folder/$(echo $digest | cut -c3-); echo "$digest $1" >> store/index
}}
date -u +%FT%TZ > stamp; echo "built in $PWD" > where; echo fixed > fixed
put stamp; put where; put fixed
'''
outputs = ["store"]

[artifacts.random-folder]
build = "folder=$(mktemp -d out-XXXXXX) && echo a > $folder/a && echo b > $folder/b && echo $folder > list"
outputs = ["out-*", "list"]

[artifacts.lto-object]
build = "gcc -flto -c add.c -o add.o"
outputs = ["add.o"]

[artifacts.stabs]
build = "gcc -w -gstabs -c $PWD/add.c -o add.o"
outputs = ["add.o"]
"""


@pytest.fixture(scope="module")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("pairing") / "project"
    folder.mkdir()
    files = {
        "pytest.ini": "",
        "ftc.toml": PROJECT,
        "hello.txt": "hello\n",
        "oci.py": OCI,
        "bundle.py": BUNDLE,
        "add.c": "static int two(int a) { return a + a; }\nint add(int a, int b) { return two(a) + b; }\n",
    }
    for name, text in files.items():
        (folder / name).write_text(text)
    return verify_folder(folder)


def found(artifact: dict[str, Any]) -> dict[tuple[str, str, str], list[tuple[str, bool]]]:
    """Return the causes at each place, where names of blobs are shortened to their kind."""
    places: dict[tuple[str, str, str], list[tuple[str, bool]]] = {}
    for finding in artifact["findings"]:
        where = tuple(hide(finding[part]) for part in ("output", "member", "location"))
        places.setdefault(where, []).append((finding["cause"], finding["confirmed"]))
    return {where: sorted(causes) for where, causes in places.items()}


def hide(name: str) -> str:
    words = name.split("/")
    return "/".join("<digest>" if len(word) == 64 else word for word in words)


def test_a_blob_is_looked_into_and_its_name_and_references_follow(artifacts):
    artifact = artifacts["blob-of-ns-time"]
    assert found(artifact) == {
        ("image/blobs/<digest>", "", "key created"): [("time", True)],
        ("image/blobs/<digest>", "", "the output's name"): [("time", True)],
        ("image/index.json", "", "key config"): [("time", True)],
    }
    blob = artifact["findings"][0]["output"]
    assert [one["why"].removesuffix(blob) for one in artifact["findings"][1:]] == [
        f"it follows from {blob}, key created"
    ] * 2
    assert len(artifact["builds"]) <= 8


def test_each_blob_has_its_own_cause_and_so_has_the_archive_of_them(artifacts):
    layer, config = [("source_mtime", True)], [("time", True)]
    assert found(artifacts["blob-by-two-causes"]) == {
        ("image/blobs/<digest>", "hello.txt", "tar member mtime"): layer,
        ("image/blobs/<digest>", "", "key created"): config,
        ("image/blobs/<digest>", "", "the output's name"): [*layer, *config],
        ("image/index.json", "", "key layer"): layer,
        ("image/index.json", "", "key config"): config,
        ("image.tar", "blobs/<digest>/hello.txt", "tar member mtime"): layer,
        ("image.tar", "blobs/<digest>", "key created"): config,
        ("image.tar", "blobs/<digest>", "tar member name"): [*layer, *config],
        ("image.tar", "index.json", "key layer"): layer,
        ("image.tar", "index.json", "key config"): config,
    }
    proved = {one["location"] for one in artifacts["blob-by-two-causes"]["findings"] if one["remedy"]["proved"]}
    assert "key created" not in proved and "key config" not in proved


def test_an_image_is_followed_from_its_index_to_the_layer_that_differs(artifacts):
    places = found(artifacts["oci"])
    assert ("image/blobs/sha256/<digest>", "etc/motd", "tar member mtime") in places
    assert {cause for causes in places.values() for cause in causes} == {("time", True)}
    assert not [place for place in places if "tool" in place[1] or place[2] == "the output itself"]
    why = {one["location"]: one["why"] for one in artifacts["oci"]["findings"]}
    for reference in ("key manifests[0].digest", "key config.digest", "key layers[0].digest", "key rootfs.diff_ids[0]"):
        assert why[reference].startswith("it follows from image/blobs/sha256/"), reference
        assert why[reference].endswith("/etc/motd, tar member mtime"), reference


def test_names_of_a_bundler_follow_from_what_they_name_without_a_known_digest(artifacts):
    artifact = artifacts["bundle"]
    assert {(one["cause"], one["confirmed"]) for one in artifact["findings"]} == {("build_path", True)}
    whys = {(one["output"].rpartition(".")[2], one["location"]): one["why"] for one in artifact["findings"]}
    assert whys["js", "line 1"] == whys["css", "line 1"] == "it contains the build path"
    assert "it follows from site/assets/app-" in whys["js", "the output's name"]
    assert "it follows from site/assets/app-" in whys["html", "line 1"]
    assert "it follows from site/assets/main-" in whys["html", "line 2"]


def test_a_store_with_folders_named_by_the_beginning_of_a_digest(artifacts):
    artifact = artifacts["shards"]
    causes = {(one["location"], one["cause"], one["confirmed"]) for one in artifact["findings"]}
    assert causes == {
        (where, cause, True) for where in ("line 1", "the output's name") for cause in ("time", "build_path")
    } | {("line 2", "build_path", True)}
    assert all("it follows from store/" in one["why"] for one in artifact["findings"] if "name" in one["location"])
    assert len(artifact["findings"]) == 6
    assert len(artifact["builds"]) <= 12


def test_what_is_in_a_folder_with_a_random_name_follows_from_that(artifacts):
    first, *others = artifacts["random-folder"]["findings"]
    assert (first["location"], first["cause"], first["confirmed"]) == ("the output's name", "random", True)
    assert len(others) == 3
    why = f"it follows from {first['output']}, the output's name"
    assert all(one["cause"] == "random" and one["why"].startswith(why) for one in others)


def test_sections_with_a_random_word_in_their_names_are_one_place(artifacts):
    names = [one for one in artifacts["lto-object"]["findings"] if one["cause"] == "random"]
    assert [(one["location"], one["confirmed"]) for one in names] == [("ELF section name", True)]
    assert all("only in" not in one["location"] for one in artifacts["lto-object"]["findings"])
    # A remedy for a random value is proved by ten builds.
    assert len([build for build in artifacts["lto-object"]["builds"] if build["role"] != "remedy"]) <= 8


def test_strings_of_stabs_are_told_by_their_number(artifacts):
    first, *others = artifacts["stabs"]["findings"]
    assert first["location"].startswith("ELF section .stabstr, string ")
    assert (first["cause"], first["confirmed"], first["remedy"]["proved"]) == ("build_path", True, True)
    assert all(one["location"].startswith("ELF section .stab, byte ") for one in others)
