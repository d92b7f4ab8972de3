"""``tolerance``: numbers that are nearly the same get a verdict of their own."""

import gzip
import json
from pathlib import Path

import jsonschema
import pytest

from pytest_ftc.reporting.json_report import schema

ARRAYS = """
import io, json, os, random, struct, time, zipfile, zlib

def npy(values):
    head = repr({"descr": "<f8", "fortran_order": False, "shape": (len(values),)}).encode()
    head += b" " * (-(len(head) + 11) % 64) + b"\\n"
    return b"\\x93NUMPY\\1\\0" + len(head).to_bytes(2, "little") + head + struct.pack(f"<{len(values)}d", *values)

def npz(name, date=(2020, 1, 1, 0, 0, 0), **arrays):
    with zipfile.ZipFile(name, "w", zipfile.ZIP_DEFLATED) as made:
        for key, values in arrays.items():
            made.writestr(zipfile.ZipInfo(f"{key}.npy", date), npy(values))

def png(name, *samples):
    head = struct.pack(">IIBBBBB", len(samples), 1, 8, 0, 0, 0, 0)
    chunks = [(b"IHDR", head), (b"IDAT", zlib.compress(bytes([0, *samples]))), (b"IEND", b"")]
    with open(name, "wb") as file:
        file.write(b"\\x89PNG\\r\\n\\x1a\\n")
        for kind, data in chunks:
            file.write(struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)))

noise = random.random() * 1e-8 + 1e-9
"""
PROJECT = """
[artifacts.model]
build = "python3 train.py"
outputs = ["out.*"]
source = "src"
tolerance = {tolerance}
"""
OPTIONS = ("--ftc-variations=umask,time", "--ftc-diagnose=fast")


@pytest.fixture
def train(project, verify):
    """Verifies a project with a script that has functions to write arrays."""

    def train(script, *options, tolerance="{ '*.npz' = 1e-6 }"):
        (project / "src").mkdir(exist_ok=True)
        (project / "src" / "train.py").write_text(ARRAYS + script)
        return verify(PROJECT.format(tolerance=tolerance), *OPTIONS, *options)

    return train


def test_numbers_that_are_nearly_the_same_are_equivalent_and_pass(train, project):
    run = train(
        "npz('out.npz', b=[1.0, 2.0], w=[1.0, 2.0, 3.0 + noise])\n",
        "--ftc-report=report",
        "--junitxml=junit.xml",
    )
    assert run.verdicts == {"model": "equivalent"}
    assert run.status == 0
    assert "≈ equivalent" in run.text
    assert "equal within 1e-06, not bitwise; largest difference" in run.flat
    assert "in array w at [2] of out.npz" in run.flat
    (difference,) = run.artifact()["differences"]
    assert difference["location"] == "array w at [2]"
    assert difference["numbers"].startswith("array w: 1 of 3 numbers differs; largest difference")
    assert run.artifact()["findings"] == []
    document = json.loads((project / "report" / "report.json").read_text())
    jsonschema.validate(document, schema())
    (result,) = json.loads((project / "report" / "findings.sarif").read_text())["runs"][0]["results"]
    assert (result["ruleId"], result["level"]) == ("equivalent", "note")
    assert 'class="equivalent"' in (project / "report" / "index.html").read_text()
    assert 'value="equivalent"' in (project / "junit.xml").read_text()


def test_an_equivalent_verdict_is_not_taken_from_the_cache(train, verify):
    script = "npz('out.npz', w=[3.0 + noise])\n"
    train(script)
    again = verify(None, *OPTIONS)
    assert again.verdicts == {"model": "equivalent"}
    assert not again.artifact()["cached"]


def test_a_tolerance_that_is_added_is_not_answered_from_the_cache(train):
    script = "npz('out.npz', w=[3.0 + noise])\n"
    assert train(script, tolerance="{}").verdicts == {"model": "unreproducible"}
    assert train(script).verdicts == {"model": "equivalent"}
    assert train(script, tolerance="{ '*.npz' = 1e-12 }").verdicts == {"model": "unreproducible"}


def test_equal_bytes_are_reproducible_also_with_a_tolerance(train):
    assert train("npz('out.npz', w=[3.0])\n").verdicts == {"model": "reproducible"}


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("npz('out.npz', w=[3.0 + 1e6 * noise])", "out.npz is not equal within 1e-06: array w: 1 of 1 number differs"),
        ("npz('out.npz', w=[random.choice((float('nan'), noise))])\nnpz('out.npz', w=[3.0] * random.randint(1, 10**4))", "out.npz is not equal within 1e-06: the names, types, shapes"),
        ("npz('out.npz', time.localtime()[:6], w=[3.0 + noise])", "out.npz is not equal within 1e-06: what the archive records"),
        ("npz('out.npz', w=[3.0 + noise])\nopen('out.txt', 'w').write(str(noise))", "out.txt differs, and has no tolerance"),
        ("npz('out.npz', w=[3.0 + noise])\nopen(f'out.{noise}', 'w')", "differs, and has no tolerance"),
    ],
)  # fmt: skip
def test_whatever_else_differs_is_unreproducible_and_says_why(train, script, why):
    run = train(f"{script}\n")
    assert run.verdicts == {"model": "unreproducible"}
    (note,) = (note for note in run.artifact()["notes"] if note.startswith("no tolerance helps: "))
    assert why in note
    assert run.status == 1


def test_numbers_of_texts(train):
    run = train(
        "json.dump({'loss': 0.5 + noise, 'made': 'monday'}, open('out.json', 'w'))\n",
        "-v",
        tolerance="{ '*.json' = 1e-6 }",
    )
    assert run.verdicts == {"model": "equivalent"}
    assert "at key loss of out.json" in run.flat


def test_pixels(train):
    # The builds have different umasks.
    script = "os.umask(mask := os.umask(0))\npng('out.png', 7, 100 + (mask == 0o22))\n"
    run = train(script, tolerance="{ '*.png' = 1 }")
    assert run.verdicts == {"model": "equivalent"}
    assert "equal within 1, not bitwise; largest difference 1 at pixel row 0, column 1, gray of out.png" in run.flat
    run = train(script, tolerance="{ '*.png' = 0.5 }")
    assert run.verdicts == {"model": "unreproducible"}
    assert "PNG image data, pixel row 0, column 1, gray (uint8)" in run.flat
    assert "1 of 2 numbers differs; largest difference 1" in run.flat


def test_columns_of_tables(train, project):
    tables = Path(__file__).parents[1] / "unit" / "comparison" / "members" / "tables"
    (project / "src").mkdir()
    for number in (1, 2):
        table = gzip.decompress((tables / f"pyarrow-v1-{number}.gz").read_bytes())
        (project / "src" / f"{number}.parquet").write_bytes(table)
    script = """
import shutil
os.umask(mask := os.umask(0))
shutil.copyfile(f"{1 + (mask == 0o22)}.parquet", "out.parquet")
"""
    run = train(script, tolerance="{ '*.parquet' = 0.5 }")
    assert run.verdicts == {"model": "equivalent"}
    place = "column scores.list.element at row 3, value 0 of out.parquet"
    assert f"equal within 0.5, not bitwise; largest difference 0.5 in {place}" in run.flat


def test_what_is_published_must_still_be_equal(train, project, verify):
    train("npz('out.npz', w=[3.0 + noise])\n")
    (project / "released").mkdir()
    (project / "released" / "out.npz").write_bytes(b"other")
    config = PROJECT.format(tolerance="{ '*.npz' = 1e-6 }") + 'reference = "released/*"\n'
    run = verify(config, *OPTIONS)
    assert run.verdicts == {"model": "unreproducible"}
    assert "not equal to the published files" in run.flat


def test_findings_say_how_far_numbers_are_apart(train):
    run = train("npz('out.npz', w=[1.0, 3.0 + noise])\n", tolerance="{}")
    assert "1 of 2 numbers differs; largest difference" in run.flat
    assert "at [1]" in run.flat
