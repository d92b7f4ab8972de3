"""``ftc audit-cache``: says what is wrong in the action cache of a farm."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from pytest_ftc.cli.quantities import duration, size

_DESCRIPTION = """\
Audit the action cache of a server that speaks the Remote Execution API v2: Bazel's, BuildGrid's, anybody's.  FILE lists
the actions: HASH/SIZE a line, or a log of Bazel's --execution_log_json_file.  Each cached result is read, every byte
verified, and a sample of the actions is executed again in different environments.  Nothing is written to the action
cache; with --on-farm, the storage gets what the audit itself executes, and with --execute-on that of the other server.
An audit continues where the last one ended.  Exit status: 0 if nothing is wrong, 1 if something is, 2 on an error."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``ftc audit-cache``."""
    parser.description = _DESCRIPTION
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="a list of actions, or an execution log")
    parser.add_argument(
        "--server-cas", metavar="URL", help="such as grpc://HOST:PORT; default: the farm of [tool.ftc.remote]"
    )
    parser.add_argument("--instance", metavar="NAME", help="the server's name for one of its farms")
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--on-farm", action="store_true", help="execute on workers of that server")
    where.add_argument("--execute-on", metavar="URL", help="execute on workers of another server")
    where.add_argument("--local", action="store_true", help="execute on this machine")
    where.add_argument("--check-only", action="store_true", help="execute nothing: find what is altered or dangling")
    parser.add_argument("--sample", metavar="N", type=_count, default=1000, help="actions to execute; default: 1000")
    parser.add_argument("--variations", metavar="SPEC", help="as --ftc-variations; default: as configured")
    parser.add_argument("--timeout", metavar="TIME", type=duration, default=600.0, help="for actions without; 600s")
    parser.add_argument(
        "--max-inputs", metavar="SIZE", type=size, default=4 << 30, help="of the inputs of one action; default: 4G"
    )
    parser.add_argument("--again", action="store_true", help="audit also what earlier audits have settled")
    parser.add_argument("--state", type=Path, metavar="FILE", help="what earlier audits have found; default: a cache")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result as JSON")


def run(options: argparse.Namespace) -> int:
    """Run ``ftc audit-cache``."""
    from pytest_ftc.cli.audit_cache.running import run_audit
    from pytest_ftc.cli.audit_cache.showing import show_audit, write_json
    from pytest_ftc.integrations.audit.findings import WRONG, Standing

    audited, notes = run_audit(options)
    if options.json:
        write_json(options.json, audited, notes)
    show_audit(audited, notes)
    if all(one.standing in (Standing.ABSENT, Standing.INCONCLUSIVE) for one in audited):
        print("ftc: no action could be audited", file=sys.stderr)
        return 2
    return 1 if any(one.standing in WRONG for one in audited) else 0


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise argparse.ArgumentTypeError(f"invalid number {text!r}; expected a number of actions, such as 100")
    return int(text)
