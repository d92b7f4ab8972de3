"""The innermost thing that differs."""

import json
from dataclasses import replace

import pytest

from pytest_ftc.comparison.members.formats.table import FORMATS
from pytest_ftc.diagnosis.remedies import catalogue
from pytest_ftc.model import Field, Place
from pytest_ftc.model.place import ARCHIVES, FileFormat


def test_a_format_equals_and_prints_like_its_name():
    assert FileFormat("zip") is FileFormat.ZIP
    assert (str(FileFormat.ZIP), f"{FileFormat.ZIP}", f"{FileFormat.ZIP:>5}") == ("zip", "zip", "  zip")
    assert FileFormat.ZIP in {"zip"} and json.dumps(FileFormat.ZIP) == '"zip"'


def test_each_reader_has_a_format_of_its_own_unless_it_is_one_of_binary_files_data_or_images():
    shared = {FileFormat.BINARY, FileFormat.DATA, FileFormat.IMAGE}
    names = [format_.name for format_ in FORMATS if format_.name not in shared]
    assert len(set(names)) == len(names)
    assert shared <= {format_.name for format_ in FORMATS}
    without_reader = {FileFormat.JSON, FileFormat.KEY, FileFormat.TEXT, FileFormat.UNKNOWN}
    assert {*names, *shared, *without_reader} == set(FileFormat)


def test_the_catalogue_names_only_formats_that_occur():
    assert {name for template in catalogue() for name in template.formats} <= set(FileFormat)


@pytest.mark.parametrize("format_", FileFormat)
def test_only_archives_have_entries(format_):
    content = Place(field=Field.CONTENT, location="x", control=b"1", experiment=b"2", format=format_)
    assert not content.is_of_entry
    assert replace(content, field=Field.MTIME).is_of_entry == (format_ in ARCHIVES)
