"""The ``ftc`` command: thin, and quick to start."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from pytest_ftc.cli.parser import make_parser
from pytest_ftc.model.errors import ConfigurationError, FtcError
from pytest_ftc.model.printable import printable, shorten

if TYPE_CHECKING:
    from pytest_ftc.model import Verification


class _Page(TypedDict):
    width: int
    colour: bool


def main(arguments: list[str] | None = None) -> int:
    """Run the command line `arguments`; return the exit status: 0, 1 for what a command looks for, 2 for trouble."""
    given = sys.argv[1:] if arguments is None else arguments
    # What follows is pytest's, and argparse would take its options for unknown ones.
    is_gate = given[:1] == ["gate"] and given[1:] not in (["-h"], ["--help"])
    options = make_parser().parse_args(given[:1] if is_gate else given)
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
        status = run(options)
        sys.stdout.flush()
        return status
    except KeyboardInterrupt:
        print("ftc: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # Whoever read has seen enough, as `head` does.  What is left must not be written when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except FtcError as error:
        print(f"ftc: {printable(str(error))}", file=sys.stderr)
        return 2


def normalize(options: argparse.Namespace) -> int:
    """Normalize the files one by one and say what became of each; a refused one does not stop the others."""
    from pytest_ftc.normalize.epoch import choose_epoch
    from pytest_ftc.normalize.replace import normalize_file
    from pytest_ftc.normalize.rules import Rules

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
    from pytest_ftc.cli.determinize import determinize, render

    outcome = determinize(Path.cwd(), options.artifact, lambda text: print(f"ftc: {shorten(text)}", file=sys.stderr))
    print(printable(render(outcome)), end="")
    return 0 if outcome.heals else 1


def init(options: argparse.Namespace) -> int:
    """Write a configuration for the project in the current folder, and say what is in it."""
    from pytest_ftc.cli.init import start

    begun = start(Path.cwd())
    print(printable(begun.text), end="")
    told = f"{', '.join(begun.artifacts)} can be verified now" if begun.artifacts else "complete an artifact there"
    print(f"ftc: written to {begun.file.name}; {told}: {begun.command}", file=sys.stderr)
    return 0


def diff(options: argparse.Namespace) -> int:
    """Print what differs between two files or folders."""
    from pytest_ftc.cli.diff import diff as compare
    from pytest_ftc.reporting.terminal.failure import diff_panel

    found = compare(options.one, options.other)
    if options.json:
        import json

        from pytest_ftc.model.serialization import to_json

        told = {"identical": found.same, "notes": found.notes, **_differences(found.verification)}
        print(json.dumps(to_json(told), indent=1))
        return int(not found.same)
    for note in found.notes:
        print(f"ftc: {shorten(note)}", file=sys.stderr)
    if found.same:
        print("identical")
        return 0
    _write(diff_panel(found.verification, f"✘ {options.one} and {options.other} differ", **_page()))
    return 1


def _differences(verification: Verification) -> dict[str, object]:
    return {"differences": verification.differences, "findings": verification.findings}


def explain(options: argparse.Namespace) -> int:
    """Print what is known of a cause."""
    from pytest_ftc.reporting.causes import all_causes, find_cause
    from pytest_ftc.reporting.terminal.store import render_rows

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

    from pytest_ftc.plugin.headless import ask_plugins

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
    from pytest_ftc.cli import store as upkeep
    from pytest_ftc.reporting.terminal.store import describe_removed, describe_soundness, describe_stats

    if options.action == "stats":
        stats = upkeep.stats_of(options.store)
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
    from pytest_ftc.cli import history as history_of
    from pytest_ftc.reporting.terminal.store import render_history

    if options.artifact is None:
        names = history_of.recorded(options.store, Path.cwd())
        _print(options, names, [("on record", ", ".join(names) or "nothing")])
        return 0
    builds = history_of.builds_of(options.store, Path.cwd(), options.artifact)
    if options.json:
        _print(options, builds, [])
    else:
        _write(render_history(options.artifact, builds, **_page()))
    return 0


def gate(options: argparse.Namespace) -> int:
    """Become the pytest that verifies the artifacts of the project in the current folder."""
    from pytest_ftc.cli.gate import gate_command

    command = gate_command(Path.cwd(), options.given, os.environ)
    sys.stdout.flush()
    os.execv(command[0], command)
    raise AssertionError("execv does not return")


def _print(options: argparse.Namespace, value: object, rows: list[tuple[str, str]]) -> None:
    """Print `value` as JSON or as `rows` of text."""
    if options.json:
        import json

        from pytest_ftc.model.serialization import to_json

        print(json.dumps(to_json(value), indent=1))
        return
    from pytest_ftc.reporting.terminal.store import render_rows

    _write(render_rows(rows, **_page()))


def _page() -> _Page:
    terminal = sys.stdout.isatty()
    width = min(shutil.get_terminal_size().columns, 120) if terminal else 100
    return {"width": width, "colour": terminal and not os.environ.get("NO_COLOR")}


def _write(text: str) -> None:
    from pytest_ftc.reporting.terminal.style import fit_encoding

    print(fit_encoding(text, sys.stdout.encoding), end="")


def doctor(options: argparse.Namespace) -> int:
    """Print of each variation whether a program in a varied environment sees it here, how it is done, and its cost."""
    from pytest_ftc.cli.doctor import examine
    from pytest_ftc.plugin.headless import ask_plugins
    from pytest_ftc.reporting.terminal.doctor import render_check_up

    try:
        with ask_plugins(Path.cwd()) as asked:
            check_up = examine(asked.added.variations)
    except ConfigurationError as error:
        print(f"ftc: without the variations of plugins: {shorten(str(error))}", file=sys.stderr)
        check_up = examine()
    if options.json:
        import json

        from pytest_ftc.model.serialization import to_json

        print(json.dumps(to_json(check_up), indent=1))
        return 0
    _write(render_check_up(check_up, **_page()))
    return 0
