"""Calls of scripts in Python, JavaScript and Ruby."""

import os
import subprocess
import sys

import pytest

from pytest_ftc.model import Cause
from pytest_ftc.verification.determinize.in_project.other_calls import take_epoch
from pytest_ftc.verification.determinize.in_project.python_calls import find_calls, replace_calls

TIME = {Cause.TIME}


def rewrite(text: str, causes=frozenset(TIME)) -> str:
    return replace_calls(text, find_calls(text, causes))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import time\nprint(time.time())", "86400"),
        ("import time\nprint(time.strftime('%F'))", "1970-01-02"),
        ("import time\nprint(time.ctime())", "Fri Jan  2 00:00:00 1970"),
        ("import time\nprint(time.localtime().tm_hour)", "0"),
        ("import datetime\nprint(datetime.datetime.now())", "1970-01-02 00:00:00"),
        ("import datetime\nprint(datetime.date.today())", "1970-01-02"),
        ("from datetime import date\nprint(date.today())", "1970-01-02"),
        (
            '"""Doc."""\nfrom __future__ import annotations\n\nfrom datetime import datetime\nprint(datetime.now())',
            "1970-01-02 00:00:00",
        ),
        ("import os, time\nprint(f'{time.time()} {time.time()}')", "86400 86400"),
        ('import os, time\nprint(f"{time.time()}")', "86400"),
    ],
)
def test_a_changed_script_takes_the_time_from_the_epoch_in_any_zone(text, expected):
    environment = {**os.environ, "SOURCE_DATE_EPOCH": "86400", "TZ": "Asia/Tokyo"}
    command = [sys.executable, "-c", rewrite(text)]
    assert subprocess.run(command, env=environment, capture_output=True, text=True).stdout.strip() == expected


@pytest.mark.parametrize(
    "text",
    [
        "from time import time\nprint(time())",
        "import time\ntime = time.time\nprint(time())",
        "import time as os\nprint(os.time())",
        "import datetime\nprint(datetime.datetime.now(datetime.timezone.utc))",
        "print(x.now())",
        "print(",
        "import time\n# é\nprint(time.time())",
        "x = '" + "(" * 10,
    ],
)
def test_a_script_whose_calls_may_be_others_stays_as_it_is(text):
    assert rewrite(text) == text


def test_listed_folders_are_sorted_where_nothing_sorts_them():
    text = "for n in os.listdir(p):\n    pass\nfor n in sorted(p.glob('*')):\n    pass\nx = list(p.iterdir())\n"
    expected = "for n in sorted(os.listdir(p)):\n    pass\nfor n in sorted(p.glob('*')):\n    pass\nx = list(sorted(p.iterdir()))\n"
    assert rewrite(text, {Cause.FILEORDERING}) == expected
    assert rewrite(text) == text


def test_scripts_of_other_languages_take_the_time_from_the_epoch():
    js = take_epoch("gen.js", "const a = new Date(); const b = Date.now(); const c = new Date(5);\n")
    assert js.count("process.env.SOURCE_DATE_EPOCH * 1000") == 2
    assert "new Date(5)" in js
    assert take_epoch("gen.js", js) == js
    assert 'Time.at(ENV.fetch("SOURCE_DATE_EPOCH", Time.now).to_i).utc.year' in take_epoch(
        "x.gemspec", "Time.now.year\n"
    )
    assert take_epoch("x.txt", "new Date()") == "new Date()"
