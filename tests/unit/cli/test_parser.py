"""What the command line of ``ftc`` accepts, and how it describes itself."""

import subprocess
import sys

import pytest

from pytest_ftc.cli.parser import BRIEFS, make_parser

COMMANDS = [(name,) for name in BRIEFS] + [("store", action) for action in ("stats", "verify", "gc")]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_the_usage_line_begins_with_the_whole_command(command, capsys):
    with pytest.raises(SystemExit) as ended:
        make_parser(command[0]).parse_args([*command, "--help"])
    assert ended.value.code == 0
    usage = capsys.readouterr().out.split("\n\n")[0]
    assert usage.startswith(f"usage: ftc {' '.join(command)} [")
    assert usage.count("ftc") == 1
    assert "COMMAND" not in usage


@pytest.mark.parametrize(
    ("command", "missing"),
    [("normalize", "FILE"), ("diff", "A, B"), ("store", "ACTION")],
)
def test_a_missing_argument_is_one_line_that_names_the_command(command, missing, capsys):
    with pytest.raises(SystemExit) as ended:
        make_parser(command).parse_args([command])
    assert ended.value.code == 2
    expected = f"ftc {command}: the following arguments are required: {missing}  (see ftc {command} --help)\n"
    assert capsys.readouterr().err == expected


def test_a_wrong_argument_of_an_action_names_the_action(capsys):
    with pytest.raises(SystemExit):
        make_parser("store").parse_args(["store", "gc", "--max-age", "3x"])
    assert capsys.readouterr().err == (
        "ftc store gc: argument --max-age: invalid duration '3x'; expected a number with s, m, h, d or w"
        "  (see ftc store gc --help)\n"
    )


def test_the_overview_names_every_command(capsys):
    with pytest.raises(SystemExit):
        make_parser().parse_args(["--help"])
    shown = capsys.readouterr().out
    assert shown.startswith("usage: ftc [-h] [--version] COMMAND ...\n")
    assert all(f"  {name:<13}{brief}\n" in shown for name, brief in BRIEFS.items())


def test_help_imports_no_command():
    code = (
        "import sys, contextlib; from pytest_ftc.cli.main import main\n"
        "with contextlib.suppress(SystemExit): main(['--help'])\n"
        "print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    imported = set(done.stderr.split())
    assert not imported & {f"pytest_ftc.cli.{name}" for name in BRIEFS}
    assert not imported & {"pytest", "rich", "pytest_ftc.store.cas", "pytest_ftc.verification.plan"}
