"""Today's date in an output that does not differ."""

import calendar
import gzip
import io
import tarfile
import time
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_ftc.comparison.date_forms import make_forms, screen_large
from pytest_ftc.comparison.real_dates import RealDate, find_real_date

MOMENT = calendar.timegm((2026, 11, 23, 12, 0, 0))


@pytest.fixture
def find(tmp_path: Path):
    (tmp_path / "source").mkdir()

    def find(content: bytes, explained: dict[str, str] | None = None) -> str:
        (tmp_path / "out").write_bytes(content)
        return find_real_date({"out": tmp_path / "out"}, [MOMENT], explained or {}, tmp_path / "source").text

    return find


@pytest.mark.parametrize(
    "text", ["2026-11-23", "20261123", "2026/11/23", "Nov 23 2026", "23 Nov 2026", "November 23, 2026", "23.11.2026"]
)
def test_it_is_found_in_every_form(find, text):
    assert find(b"built on " + text.encode() + b"\n") == text


def test_in_a_large_text_one_search_stands_for_all_that_count_there(find):
    forms = make_forms([MOMENT], {})
    size, in_large = screen_large(forms)
    counting = [form for form in forms if not form.most]
    assert len(counting) > 30
    assert all(in_large.search(form.key) for form in counting)
    assert size == 1 << 16
    assert find(bytes(1 << 17) + b" 23 Nov 2026 " + bytes(1 << 17)) == "23 Nov 2026"
    assert find(bytes(1 << 17)) == ""


def _archives(moment: int) -> list[bytes]:
    """Each kind of archive with one entry of this time."""
    tar, cpio, packed = io.BytesIO(), b"070701" + b"0" * 40 + b"%08X" % moment + b"0" * 56, io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as archive:
        entry = tarfile.TarInfo("a")
        entry.mtime = moment
        archive.addfile(entry)
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(zipfile.ZipInfo("a", time.gmtime(moment)[:6]), "x")
    return [tar.getvalue(), cpio, packed.getvalue(), gzip.compress(b"x", mtime=moment), b"made at %d" % moment]


def test_the_time_of_the_commit_is_known_to_the_second(tmp_path):
    (tmp_path / "source").mkdir()
    commit = MOMENT - 3600

    def find(content: bytes) -> str:
        (tmp_path / "out").write_bytes(content)
        return find_real_date({"out": tmp_path / "out"}, [MOMENT], {}, tmp_path / "source", known=[commit]).text

    assert [find(content) for content in _archives(commit)] == [""] * 5
    assert all(find(content) for content in _archives(commit + 2))
    both = _archives(commit)[0] + _archives(commit + 2)[0]
    assert find(both)


def test_other_days_are_none(find):
    assert find(b"2026-11-22 20261124 Nov 23 2027") == ""


def test_it_is_found_where_two_chunks_meet(find):
    assert find(b"x" * ((1 << 20) - 5) + b"2026-11-23") == "2026-11-23"


def test_a_date_from_the_source_is_none(find, tmp_path):
    (tmp_path / "source" / "CHANGELOG").write_text("1.0 (2026-11-23)")
    assert find(b"1.0 (2026-11-23)") == ""
    assert find(b"1.0 (2026-11-23), Nov 23 2026") == "Nov 23 2026"


@pytest.mark.parametrize("value", [str(MOMENT), "release 2026-11-23"])
def test_a_date_from_a_variable_is_none(find, value):
    assert find(b"2026-11-23", {"SOURCE_DATE_EPOCH": value}) == ""


def test_a_date_that_an_option_of_the_artifact_sets_does_not_count(find):
    assert find(b"2026-11-23", {"TAR_OPTIONS": f"--sort=name --mtime=@{MOMENT} --owner=0"}) == ""
    assert find(b"2026-11-23", {"TAR_OPTIONS": f"--owner=1{MOMENT}00"}) == "2026-11-23"


def test_it_is_found_however_it_is_packed(find, packed):
    pack, _ = packed
    data = pack(b" ".join(b"%d" % (number * number) for number in range(20_000)) + b"built on 2026-11-23")
    assert b"2026-11-23" not in data
    assert find(data) == "2026-11-23"


def test_a_date_in_an_archive_of_the_source_is_none(find, tmp_path, packed):
    pack, _ = packed
    (tmp_path / "source" / "archive").write_bytes(pack(b"1.0 (2026-11-23)" * 9))
    assert find(b"1.0 (2026-11-23)") == ""


def test_what_cannot_be_opened_is_said(tmp_path):
    (tmp_path / "out").write_bytes(b"Rar!\x1a\x07" + bytes(100))
    found = find_real_date({"out": tmp_path / "out"}, [MOMENT], {}, tmp_path)
    assert found == RealDate("", ("out: no reader for RAR archives",))


@settings(max_examples=50)
@given(before=st.binary(max_size=100), after=st.binary(max_size=100))
def test_surroundings_do_not_matter(tmp_path_factory, before, after):
    folder = tmp_path_factory.mktemp("dates")
    (folder / "out").write_bytes(before + b"20261123" + after)
    (folder / "source").mkdir()
    assert find_real_date({"out": folder / "out"}, [MOMENT], {}, folder / "source").text == "20261123"


@pytest.mark.parametrize("text", ["2026-11-22", "20261124", "2026-10", "25", "Sunday", "Oct 23", "20779", "1795305599"])
def test_other_dates_are_none_in_a_short_text(find, text):
    assert find(text.encode() + b"\n") == ""


@pytest.mark.parametrize(
    "text", ["2026", "2026-11", "11/2026", "Nov 2026", "November 2026", "202611", "Nov 23", "23 Nov", "261123"]
)
def test_a_vague_date_is_found_where_it_stands_by_itself(find, text):
    assert find(b"x" * 9000 + b" made " + text.encode() + b", then\n") != ""
    assert find(b"x" * 9000 + b"1" + text.encode() + b"1") == ""


@pytest.mark.parametrize(
    "text", [b"20780", b"46349", b"61367", b"2461368", b"498732", b"29923920", b"17954", b"1795435"]
)
def test_a_count_of_days_hours_minutes_or_seconds_is_found(find, text):
    assert find(b"made " + text + b" then\n") == text.decode()
    assert find(b"made 1" + text + b" then\n") == ""


@pytest.mark.parametrize("text", [b"2026", b"202611", b"20780", b"46349"])
def test_a_table_of_numbers_may_hold_any_number(find, text):
    assert find(b"1234 567 " * 10_000 + text + b" 17") == ""


@pytest.mark.parametrize("before", [b"Copyright (c) ", b"Copyright 2019-", b"&copy; ", "© ".encode(), b"built in "])
def test_a_year_that_is_said_to_be_one_is_found_in_any_text(find, before):
    assert find(b"1234 567 " * 10_000 + before + b"2026 The Authors") == "2026"


@pytest.mark.parametrize("text", ["2026.1", "v1.2026", "2026-01-05", "x2026", "12026", "2026_", "1:2026"])
def test_a_part_of_something_else_is_no_year(find, text):
    assert find(text.encode()) == ""


@pytest.mark.parametrize("text", ["Monday", "Mon", "mon", "MONDAY", "November", "Nov", "NOV"])
def test_a_name_is_found_in_a_short_text_without_others_of_its_kind(find, text):
    assert find(b"made on a " + text.encode() + b"\n").lower() == text.lower()
    assert find(b"x " * 5000 + text.encode()) == ""
    assert find(text.encode() + b" Sunday Tuesday January March") == ""
    assert find(b"x" + text.encode() + b"x") == ""


@pytest.mark.parametrize("text", [b"mOn", b"Mon\x85\xed", b"\x1cMon", b"\xc3Mon"])
def test_three_letters_in_code_are_no_name(find, text):
    assert find(b"\0\0 " + text + b" \0") == ""


@pytest.mark.parametrize("text", ["“Mon”", "«Mon»", "Mon\0", "\tMon\n"])
def test_a_name_between_signs_of_text_is_one(find, text):
    assert find(b"\0" + text.encode() + b"\0") == "Mon"


@pytest.mark.parametrize("text", ["327", "48", "11", "23", "26", "12"])
def test_a_number_is_found_where_there_is_hardly_anything_else(find, text):
    assert find(b"week " + text.encode() + b"\n") == text
    assert find(b"n " * 50 + text.encode()) == ""
    assert find(b"1" + text.encode()) == ""


def test_numbers_are_none_where_nothing_reads_the_times_of_files(tmp_path):
    (tmp_path / "out").write_bytes(b"327\n")
    (tmp_path / "source").mkdir()
    assert find_real_date({"out": tmp_path / "out"}, [MOMENT], {}, tmp_path / "source", numbers=False).text == ""


@pytest.mark.parametrize("seconds", [MOMENT, MOMENT - MOMENT % 86400, MOMENT - MOMENT % 86400 + 86399, MOMENT * 1000])
def test_seconds_of_the_day_are_found_as_decimals(find, seconds):
    assert find(b"x" * 9000 + b" mtime=%d\n" % seconds) == str(seconds)
    assert find(b"x" * 9000 + b" mtime=%d\n" % (seconds + 86400000)) == ""


def _zip(date: tuple[int, int, int]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(zipfile.ZipInfo("a", (*date, 0, 0, 0)), b"x")
    return file.getvalue()


def _tar(seconds: int, form: int) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=form) as archive:
        info = tarfile.TarInfo("a")
        info.mtime = seconds
        archive.addfile(info)
    return file.getvalue()


def test_the_date_of_a_zip_entry_is_found(find, packed):
    assert find(_zip((2026, 11, 23))) == "2026-11-23 as the date of a zip entry"
    assert find(_zip((2026, 11, 22))) == find(_zip((1980, 1, 1))) == ""
    pack, _ = packed
    assert find(pack(_zip((2026, 11, 23)))) == "2026-11-23 as the date of a zip entry"


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_the_time_of_a_tar_entry_is_found(find, form):
    assert find(gzip.compress(_tar(MOMENT - MOMENT % 3600, form), mtime=0)) == "2026-11-23 as the mtime of a tar entry"
    assert find(gzip.compress(_tar(MOMENT + 86400, form), mtime=0)) == ""


def test_the_time_of_a_cpio_entry_is_found(find):
    header = b"070701" + b"00000001" * 5 + b"%08X" % MOMENT + b"00000001" * 7
    assert find(header) == "2026-11-23 as the mtime of a cpio entry"
    assert find(header.replace(b"%08X" % MOMENT, b"%08X" % (MOMENT + 86400))) == ""
    odc = b"070707" + b"000001" * 7 + b"%011o" % MOMENT + b"000002" + b"00000000000a\0"
    assert find(odc) == "2026-11-23 as the mtime of a cpio entry"
    assert find(odc.replace(b"%011o" % MOMENT, b"%011o" % (MOMENT + 86400))) == ""


def test_the_time_of_a_gzip_file_is_found(find):
    assert find(gzip.compress(b"x", mtime=MOMENT)) == "2026-11-23 as the mtime of a gzip file"
    assert find(gzip.compress(b"x", mtime=MOMENT + 86400)) == ""


def test_a_vague_date_of_the_source_is_none(find, tmp_path):
    (tmp_path / "source" / "LICENSE").write_text("x" * 9000 + "Copyright 2026. Monday or Tuesday, in week 48")
    (tmp_path / "source" / "a.zip").write_bytes(_zip((2026, 11, 23)))
    assert find(b"in 2026") == find(b"48") == find(b"Monday") == find(_zip((2026, 11, 23))) == ""
    assert find(b"2026, November") == "November"


def test_a_name_of_an_output_is_searched_too(tmp_path):
    (tmp_path / "out").write_bytes(b"")
    (tmp_path / "source").mkdir()
    found = find_real_date({"app-2026.11.23.tar": tmp_path / "out"}, [MOMENT], {}, tmp_path / "source")
    assert found.text == "2026.11.23"
    assert find_real_date({"app-48.tar": tmp_path / "out"}, [MOMENT], {}, tmp_path / "source").text == ""


def test_the_day_of_source_date_epoch_explains_every_form(find):
    variables = {"SOURCE_DATE_EPOCH": str(MOMENT - 3600)}
    for text in (b"2026", b"Monday", b"20780", b"%d" % MOMENT, b"327", _zip((2026, 11, 23))):
        assert find(text, variables) == ""
    assert find(b"Monday", {"SOURCE_DATE_EPOCH": str(MOMENT - 86400)}) == "Monday"
