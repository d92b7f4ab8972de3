"""The ``ftc`` command: thin, and quick to start."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from pathlib import Path
from typing import TypedDict

from pytest_ftc import __version__
from pytest_ftc.errors import ConfigurationError, FtcError
from pytest_ftc.printable import shorten


class _Page(TypedDict):
    width: int
    colour: bool


def main(arguments: list[str] | None = None) -> int:
    """Run the command line `arguments`; return the exit status."""
    parser = argparse.ArgumentParser(prog="ftc", description="Is my build reproducible, and if not, why?")
    parser.add_argument("--version", action="version", version=f"pytest-ftc {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    brief = "say what this machine can vary, how, at what cost, and what would allow the rest"
    doctor_command = commands.add_parser("doctor", help=brief, description=f"{brief.capitalize()}.")
    doctor_command.add_argument("--json", action="store_true", help="print the same as JSON")
    _add_normalize(commands)
    brief = "print the settings that make an artifact reproducible, as configuration to paste"
    determinize_command = commands.add_parser("determinize", help=brief, description=f"{brief.capitalize()}.")
    determinize_command.add_argument("artifact", metavar="ARTIFACT", help="its name in [tool.ftc.artifacts]")
    brief = "look at the project in the current folder, and write a configuration to begin with"
    commands.add_parser("init", help=brief, description=f"{brief.capitalize()}.")
    brief = "say what differs between two files or folders, wherever they come from"
    diff_command = commands.add_parser(
        "diff", help=brief, description=f"{brief.capitalize()}. Exit status: 1 if anything."
    )
    diff_command.add_argument("one", metavar="A", type=Path)
    diff_command.add_argument("other", metavar="B", type=Path)
    brief = "say what a cause means, how it shows, and what helps"
    explain_command = commands.add_parser("explain", help=brief, description=f"{brief.capitalize()}.")
    explain_command.add_argument(
        "cause", metavar="CAUSE", nargs="?", help="such as build_path; without it, all are listed"
    )
    _add_store(commands)
    brief = "verify the artifacts of the project in the current folder, as CI and pre-commit do"
    commands.add_parser("gate", help=brief, description=_GATE, usage="ftc gate [PYTEST ARGUMENTS]")
    given = sys.argv[1:] if arguments is None else arguments
    # What follows is pytest's, and argparse would take its options for unknown ones.
    is_gate = given[:1] == ["gate"] and given[1:] not in (["-h"], ["--help"])
    options = parser.parse_args(given[:1] if is_gate else given)
    options.given = given[1:]
    run = {
        "doctor": doctor,
        "normalize": normalize,
        "determinize": determinize,
        "init": init,
        "diff": diff,
        "explain": explain,
        "store": store,
        "history": history,
        "gate": gate,
    }[options.command]
    try:
        return run(options)
    except KeyboardInterrupt:
        print("ftc: interrupted", file=sys.stderr)
        return 130
    except FtcError as error:
        print(f"ftc: {error}", file=sys.stderr)
        return 1


_GATE = """\
Run pytest --ftc-verify on the declared artifacts, those first whose sources have changed (since the branch that a pull
or merge request asks to join, the last push, or the last commit, whichever the environment and the repository tell),
and write ftc-report/ with junit.xml.  Arguments are given to pytest: folders of tests that declare artifacts too, -x,
-k NAME, --ftc-variations=quick, ...  Exit status: pytest's."""

_NORMALIZE = """\
Rewrite archives in place so that only their contents decide their bytes: member order, times, owners, modes and
headers are fixed, contents stay.  Formats: tar (also compressed with gzip, xz, bzip2 or zstd), zip and what is built
on it (wheel, jar, EPUB, zipapp), gzip, xz, bzip2, zstd, ar (static libraries, .deb) and pyc.  A file that cannot be
rewritten safely is left untouched.  Exit status: 0 when all is well, 1 when a file was refused or, with --check,
would change."""


def _add_normalize(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    brief = "rewrite archives so that only their contents decide their bytes"
    command = commands.add_parser("normalize", help=brief, description=_NORMALIZE)
    add = command.add_argument
    add("files", metavar="FILE", nargs="+", type=Path, help="a file; its format is found by its content")
    add(
        "--epoch",
        metavar="N|git|unset",
        help="the time to store: N seconds since 1970, git for the last commit of the repository around FILE, unset for"
        " 1980-01-02; by default SOURCE_DATE_EPOCH if it is set, else git in a repository, else unset",
    )
    add("--check", action="store_true", help="write nothing; exit with 1 if a file would change")
    add("--output", metavar="DIR", type=Path, help="write the results to DIR and leave the files as they are")
    add(
        "--max-size",
        metavar="SIZE",
        type=_size,
        default="4G",
        help="refuse a file that holds more when decompressed: bytes, or a number with K, M or G (default: 4G)",
    )


def _add_store(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--store", metavar="DIR", type=Path, help="the store's folder (default: FTC_STORE, else that of this user)"
    )
    common.add_argument("--json", action="store_true", help="print the same as JSON")
    brief = "look after what is remembered of earlier verifications"
    actions = commands.add_parser("store", help=brief, description=f"{brief.capitalize()}.").add_subparsers(
        dest="action", metavar="ACTION", required=True
    )
    for action, brief in (
        ("stats", "say how much there is"),
        ("verify", "read every byte, and put aside what is corrupt; exit status 1 if anything was"),
        ("gc", "remove what was not used for long, then the longest unused beyond a size"),
    ):
        command = actions.add_parser(action, help=brief, description=f"{brief.capitalize()}.", parents=[common])
        if action == "gc":
            command.add_argument("--max-size", metavar="SIZE", type=_size, default="10G", help="default: 10G")
            command.add_argument(
                "--max-age", metavar="AGE", type=_age, default="30d", help="such as 30d or 12h; default: 30d"
            )
    brief = "print every build of an artifact that is on record"
    command = commands.add_parser("history", help=brief, description=f"{brief.capitalize()}.", parents=[common])
    command.add_argument("artifact", metavar="ARTIFACT", nargs="?", help="its name; else all names are listed")


def _age(text: str) -> float:
    """Return the seconds that `text` says."""
    units = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
    number, unit = text[:-1], units.get(text[-1:])
    if unit is None or not (number.isascii() and number.isdigit()):
        raise argparse.ArgumentTypeError(f"{text!r} is no age; expected a number with s, m, h, d or w")
    return float(int(number) * unit)


def _size(text: str) -> int:
    """Return the bytes that `text` says; the units are powers of 1024."""
    units = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
    number, unit = (text[:-1], units[text[-1].upper()]) if text[-1:].upper() in units else (text, 1)
    if not (number.isascii() and number.isdigit()):
        raise argparse.ArgumentTypeError(f"{text!r} is no size; expected bytes, or a number with K, M or G")
    return int(number) * unit


def normalize(options: argparse.Namespace) -> int:
    """Normalize the files one by one and say what became of each; a refused one does not stop the others."""
    from pytest_ftc.normalizing import Rules, choose_epoch, normalize_file

    files: list[Path] = options.files
    if options.output and len({file.name for file in files}) < len(files):
        raise FtcError("two of the files have the same name, so --output cannot hold both")
    status = 0
    for file in files:
        shown = shorten(str(file))
        try:
            rules = Rules(epoch=choose_epoch(options.epoch, file, os.environ), max_size=options.max_size)
            changed = normalize_file(file, rules, write=not options.check, output=options.output)
        except FtcError as error:
            print(f"ftc: {shown}: {shorten(str(error))}; not normalized", file=sys.stderr)
            status = 1
            continue
        print(f"{shown}: {('would change' if options.check else 'normalized') if changed else 'already normal'}")
        status |= changed and options.check
    return status


def determinize(options: argparse.Namespace) -> int:
    """Print what makes an artifact of the project in the current folder reproducible; what goes on goes to stderr."""
    from pytest_ftc.determinize import determinize, render
    from pytest_ftc.printable import printable

    outcome = determinize(Path.cwd(), options.artifact, lambda text: print(f"ftc: {shorten(text)}", file=sys.stderr))
    print(printable(render(outcome)), end="")
    return 0 if outcome.heals else 1


def init(options: argparse.Namespace) -> int:
    """Write a configuration for the project in the current folder, and say what is in it."""
    from pytest_ftc.printable import printable
    from pytest_ftc.starting import start

    begun = start(Path.cwd())
    print(printable(begun.text), end="")
    told = f"{', '.join(begun.artifacts)} can be verified now" if begun.artifacts else "complete an artifact there"
    print(f"ftc: written to {begun.file.name}; {told}: pytest --ftc-verify", file=sys.stderr)
    return 0


def diff(options: argparse.Namespace) -> int:
    """Print what differs between two files or folders."""
    from pytest_ftc.contrast import contrast
    from pytest_ftc.reporting.terminal import contrast_panel

    found = contrast(options.one, options.other)
    for note in found.notes:
        print(f"ftc: {shorten(note)}", file=sys.stderr)
    if found.same:
        print("identical")
        return 0
    _write(contrast_panel(found.verification, f"✘ {options.one} and {options.other} differ", **_page()))
    return 1


def explain(options: argparse.Namespace) -> int:
    """Print what is known of a cause."""
    from pytest_ftc.reporting.causes import all_causes, find_cause
    from pytest_ftc.reporting.store import render_rows

    if options.cause is None:
        _write("".join(f"{cause.name:<14}{cause.brief}\n" for cause in all_causes()))
        return 0
    cause = find_cause(options.cause)
    if cause is None and (rows := _describe_added(options.cause)):
        _write(render_rows(rows, **_page()))
        return 0
    if cause is None:
        import difflib

        names = [known.name for known in all_causes()]
        near = difflib.get_close_matches(options.cause, names, n=1, cutoff=0.5)
        hint = f"; did you mean {near[0]!r}?" if near else ";"
        raise FtcError(f"unknown cause {options.cause!r}{hint}  Causes: {', '.join(names)}")
    helps = [("helps" if not number else "", text) for number, text in enumerate(cause.remedies)]
    rows = [("cause", f"{cause.name}: {cause.brief}"), ("why", cause.why), ("shows as", cause.shows), *helps]
    _write(render_rows([*rows, ("read on", cause.source)], **_page()))
    return 0


def _describe_added(name: str) -> list[tuple[str, str]]:
    """Return what is known of the cause `name`, a variation of a plugin; nothing if there is none."""
    import inspect

    from pytest_ftc.outside import ask_plugins

    try:
        with ask_plugins(Path.cwd()) as asked:
            found = next((one for one in asked.added.variations if one.name == name), None)
    except FtcError as error:
        print(f"ftc: {shorten(str(error))}", file=sys.stderr)
        return []
    if found is None:
        return []
    kind = type(found)
    told = inspect.cleandoc(kind.__doc__ or "not described")
    return [("cause", f"{name}: a variation of the plugin {kind.__module__}"), ("why", told), ("by", found.mechanism)]


def store(options: argparse.Namespace) -> int:
    """Do one of the things that keep the store in order, and say what came of it."""
    from pytest_ftc import upkeep
    from pytest_ftc.reporting.store import describe_removed, describe_soundness, describe_stats

    if options.action == "stats":
        stats = upkeep.stats(options.store)
        _print(options, stats, describe_stats(stats))
        return 0
    if options.action == "verify":
        found = upkeep.verify(options.store)
        _print(options, found, describe_soundness(found))
        return int(bool(found.corrupt or found.refused or found.history))
    removed = upkeep.collect(options.store, max_size=options.max_size, max_age=options.max_age)
    _print(options, removed, describe_removed(removed))
    return 0


def history(options: argparse.Namespace) -> int:
    """Print every build of an artifact, or what there is to print."""
    from pytest_ftc import upkeep
    from pytest_ftc.reporting.store import render_history

    if options.artifact is None:
        names = upkeep.recorded(options.store, Path.cwd())
        _print(options, names, [("on record", ", ".join(names) or "nothing")])
        return 0
    builds = upkeep.builds_of(options.store, Path.cwd(), options.artifact)
    if options.json:
        _print(options, builds, [])
    else:
        _write(render_history(options.artifact, builds, **_page()))
    return 0


def gate(options: argparse.Namespace) -> int:
    """Become the pytest that verifies the artifacts of the project in the current folder."""
    from pytest_ftc.gate import gate_command

    command = gate_command(Path.cwd(), options.given, os.environ)
    sys.stdout.flush()
    os.execv(command[0], command)
    raise AssertionError("execv does not return")


def _print(options: argparse.Namespace, value: object, rows: list[tuple[str, str]]) -> None:
    """Print `value` as JSON or as `rows` of text."""
    if options.json:
        import json

        from pytest_ftc.model.serial import to_json

        print(json.dumps(to_json(value), indent=1))
        return
    from pytest_ftc.reporting.store import render_rows

    _write(render_rows(rows, **_page()))


def _page() -> _Page:
    terminal = sys.stdout.isatty()
    width = min(shutil.get_terminal_size().columns, 120) if terminal else 100
    return {"width": width, "colour": terminal and not os.environ.get("NO_COLOR")}


def _write(text: str) -> None:
    from pytest_ftc.reporting.markup import fit_encoding

    print(fit_encoding(text, sys.stdout.encoding), end="")


def doctor(options: argparse.Namespace) -> int:
    """Print of each variation whether a program in a varied environment sees it here, how it is done, and its cost."""
    from pytest_ftc.check_up import examine
    from pytest_ftc.outside import ask_plugins
    from pytest_ftc.reporting.doctor import render_check_up

    try:
        with ask_plugins(Path.cwd()) as asked:
            check_up = examine(asked.added.variations)
    except ConfigurationError as error:
        print(f"ftc: without the variations of plugins: {shorten(str(error))}", file=sys.stderr)
        check_up = examine()
    if options.json:
        import json

        from pytest_ftc.model.serial import to_json

        print(json.dumps(to_json(check_up), indent=1))
        return 0
    _write(render_check_up(check_up, **_page()))
    return 0
