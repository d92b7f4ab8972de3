"""The reader of the documentation's shell blocks: it fails where a page is wrong."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from shell_blocks import Command, find_missing, read_page, run_page

PAGE = """\
`notes.txt`:

```text
one
```

Add to `notes.txt`:

```text
two
```

```console
$ cat notes.txt
one
two
$ echo '1 failed in 2 s'; exit_with() { return "$1"; }; exit_with 1
1 failed in …
$ exit_with 3   # exit status 3
```

```sh
true
test -e notes.txt
```
"""


def test_a_page_that_is_right(tmp_path: Path) -> None:
    run_page(PAGE, tmp_path, os.environ)
    assert (tmp_path / "notes.txt").read_text() == "one\ntwo\n"
    assert len(list(read_page(PAGE))) == 4


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("one\ntwo\n$", "one\nthree\n$"),
        ("one\ntwo\n$", "one\n$"),
        ("one\ntwo\n$", "two\n$"),
        ("1 failed in …", "passed"),
        ("# exit status 3", "# exit status 4"),
        ("# exit status 3", ""),
        ("true\n", "false\n"),
        ("$ cat notes.txt", "cat notes.txt"),
    ],
)
def test_a_page_that_is_wrong(tmp_path: Path, right: str, wrong: str) -> None:
    assert right in PAGE
    with pytest.raises(AssertionError):
        run_page(PAGE.replace(right, wrong), tmp_path, os.environ)


@pytest.mark.parametrize(
    ("shown", "missing"),
    [
        ([], False), (["a", "b", "c"], False), (["a", "..."], False), (["...", "c"], False), (["...", "b", "..."], False),
        (["…", "c"], False), (["a", "b …", "c"], True), (["…"], False), (["a", "c"], True), (["b", "..."], True),
        (["a"], True), (["...", "d", "..."], True), (["...", "c", "c"], True),
    ],
)  # fmt: skip
def test_what_has_to_be_printed(shown: list[str], missing: bool) -> None:
    assert (find_missing(shown, ["a", "", "b", "c"]) is not None) == missing


def test_the_status_that_a_command_should_end_with() -> None:
    assert Command("pytest", ["= 1 failed, 2 passed in 3 s ="]).status == 1
    assert Command("pytest", ["= 2 passed in 3 s ="]).status == 0
    assert Command("ftc diff a b  # exit status 1").status == 1
