"""Options of tar that an archive's format does not have."""

import pytest

from pytest_ftc.diagnosis.culprits.tar_formats import makes_old_format, suit_old_format
from pytest_ftc.diagnosis.remedies import catalogue
from pytest_ftc.model import Trace
from pytest_ftc.model.trace import Program


def trace(command: str) -> Trace:
    words = tuple(command.split())
    program = Program(pid=1, argv=words, folder="/", program=f"/usr/bin/{words[0]}", parent=-1, exit_code=0)
    return Trace(programs=(program,), read=(), written=(), contents=(), moved=(), connected=(), gaps=())


@pytest.mark.parametrize(
    "command",
    ["tar chof - dir", "tar -c -o -f a.tar dir", "tar --format=ustar -cf a.tar dir", "tar --format v7 -cf a.tar dir",
     "tar -cH ustar -f a.tar dir", "/bin/tar --old-archive -cf - dir", "tar cf a.tar --format=gnu dir",
     "tar -Hustar --owner=root -cvf a.tar dir", "tar --create -oh -f a.tar dir"],
)  # fmt: skip
def test_archives_of_older_formats(command):
    assert makes_old_format(trace(command))


@pytest.mark.parametrize(
    "command",
    ["tar czf out.tgz a.txt", "tar -cf a.tar only", "tar --format=posix -cf a.tar dir", "tar xof a.tar", "tar -x -o -f a.tar",
     "zip -o a.zip b", "tar -cHposix -fo.tar dir", "tar -c -Cold .", "tar --owner=0 -cf o dir", "tar -cH posix -f a.tar dir"],
)  # fmt: skip
def test_any_other(command):
    assert not makes_old_format(trace(command))


def test_what_tar_would_refuse_is_left_out():
    for template in catalogue():
        options = suit_old_format(template).settings.get("TAR_OPTIONS", "")
        assert "--pax-option" not in options
        assert ("--mtime" in options) == ("--mtime" in template.settings.get("TAR_OPTIONS", ""))
