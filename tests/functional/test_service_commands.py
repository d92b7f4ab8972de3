"""Builds of others, such as those of pull requests, give no commands to the CI service that runs them."""

import re

import pytest

NAMES = """
[artifacts.name]
build = ["python3", "-c", '''
import os,time
n='a'*55+' ::add-mask::PWN '+'b'*60+' ::stop-commands::PWN'
os.mkdir('o');open('o/'+n,'w').write(str(time.time_ns()))''']
outputs = ["o"]
[artifacts.spaces]
build = ["python3", "-c", "import os,time; os.mkdir('o');open('o/x'+' '*58+'::add-mask::PWN','w').write(str(time.time_ns()))"]
outputs = ["o"]
[artifacts.value]
build = ["python3", "-c", "import time; open('o','w').write('c'*60+' ::add-mask::PWN '+str(time.time_ns()))"]
outputs = ["o"]
[artifacts.old]
build = ["python3", "-c", "import time; open('o','w').write('##[add-mask]PWN ##vso[task.x]PWN '+str(time.time_ns()))"]
outputs = ["o"]
[artifacts.fifo]
build = ["python3", "-c", "import os; os.mkdir('o');os.mkfifo('o/'+'d'*60+' ::add-mask::PWN')"]
outputs = ["o"]
[artifacts.log]
build = ["python3", "-c", "print('::add-mask::PWN'); print('e'*73,'::add-mask::PWN'); print('##[group]PWN'); print('section_start:1:PWN\\\\r\\\\x1b[0K'); raise SystemExit(1)"]
outputs = ["o"]
[artifacts.member]
build = ["python3", "-c", '''
import json,time
json.dump({'f'*50+' ::add-mask::PWN':{'::add-mask::PWN ##[x]':time.time_ns()}},open('o','w'))''']
outputs = ["o"]
"""

IN_TEST = """
def test_it(ftc):
    assert ftc.verify("sh make.sh", ["o"], check=False).reproducible
"""


def commands_in(text):
    """Return the lines in which the runner of GitHub, or another service, reads a command."""
    found = re.compile(r"^\s*(\x1b\[[0-9;]*m\s*)*::|##(\[|vso\[|teamcity\[)|section_start:")
    return [line for line in text.splitlines() if found.search(line)]


@pytest.mark.parametrize("options", [[], ["-rA", "--color=yes"], ["--tb=native", "-q"], ["-n1"]], ids=" ".join)
def test_only_our_annotations_are_commands(pytester, verify, monkeypatch, options):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    pytester.makepyfile(IN_TEST)
    pytester.makefile(".sh", make="echo '::add-mask::PWN ##[add-mask]PWN' $(date +%N) > o")
    run = verify(NAMES, "--ftc-variations=quick", ".", "ftc.toml", *options)
    assert run.status == 1
    assert len(run.verdicts) == 8
    commands = commands_in(run.text)
    assert commands
    assert not [line for line in commands if not re.match(r"::error file=[^:]*::", line)]
    assert "PWN" in run.text
