"""``ftc keys``: makes, rotates, retires and lists the keys that sign attestations."""

from __future__ import annotations

import argparse
import getpass
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path

from pytest_ftc.attestation.keyring import PublicKey
from pytest_ftc.cli.output import print_rows, say
from pytest_ftc.cli.parser import add_action
from pytest_ftc.cli.quantities import duration
from pytest_ftc.integrations.key_files import SCHEMES, KeyFolder
from pytest_ftc.model.errors import ConfigurationError
from pytest_ftc.verification.user_folders import keyring_folder

_ACTIONS = {
    "new": "make a key",
    "import": "add the public key of a signer: a token, or a key management service",
    "rotate": "make the successor of a key; signatures of the old one count until --overlap is over",
    "retire": "let no signature of a key count any more, as when it was stolen",
    "list": "list the keys",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``ftc keys``."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for action, brief in _ACTIONS.items():
        own = add_action(actions, action, brief)
        add_keyring_argument(own)
        if action == "list":
            own.add_argument("--json", action="store_true", help="print JSON")
            continue
        own.add_argument("name", metavar="NAME")
        if action == "new":
            own.add_argument("--scheme", choices=SCHEMES, default=SCHEMES[0], help="default: %(default)s")
        if action == "import":
            own.add_argument("signer", metavar="URI", help="hv:NAME, hsm:KEY?label=TOKEN, awskms:KEY, ...")
        if action in ("new", "import"):
            own.add_argument("--operator", metavar="NAME", help="who holds the private key; default: USER")
        if action == "rotate":
            own.add_argument(
                "--overlap",
                metavar="AGE",
                type=duration,
                default="30d",
                help="such as 30d; default: %(default)s",
            )


def add_keyring_argument(parser: argparse._ActionsContainer) -> None:
    """Add the option for the folder of the keyring."""
    parser.add_argument(
        "--keyring",
        type=Path,
        metavar="DIR",
        help="default: FTC_KEYRING, else a private folder of the user",
    )


def open_keyring(folder: Path | None) -> KeyFolder:
    """Return the keyring in `folder`, or that of this user."""
    return KeyFolder(folder.absolute() if folder else keyring_folder())


def run(options: argparse.Namespace) -> int:
    """Run ``ftc keys``."""
    actions: dict[str, Callable[[KeyFolder, argparse.Namespace], None]] = {
        "new": _new,
        "import": _import,
        "rotate": _rotate,
        "retire": _retire,
        "list": _list,
    }
    actions[options.action](open_keyring(options.keyring), options)
    return 0


def _new(keyring: KeyFolder, options: argparse.Namespace) -> None:
    key = keyring.new(options.name, options.scheme, options.operator or getpass.getuser())
    say(f"{key.name}: {options.scheme}, operator {key.operator}")
    _say_files(keyring, key)


def _import(keyring: KeyFolder, options: argparse.Namespace) -> None:
    key = keyring.import_(options.name, options.signer, options.operator or getpass.getuser())
    say(f"{key.name}: {key.signer}, operator {key.operator}")
    _say_files(keyring, key)


def _rotate(keyring: KeyFolder, options: argparse.Namespace) -> None:
    try:
        until = datetime.now(timezone.utc).replace(microsecond=0) + timedelta(seconds=options.overlap)
    except OverflowError:
        raise ConfigurationError("--overlap: ends after the year 9999") from None
    key = keyring.rotate(options.name, until)
    say(f"{options.name}: its signatures count until {until:%Y-%m-%d %H:%M} UTC; {key.name} is its successor")
    _say_files(keyring, key)


def _retire(keyring: KeyFolder, options: argparse.Namespace) -> None:
    keyring.retire(options.name)
    say(f"{options.name}: its signatures no longer count where policies use {keyring.file}")


def _list(keyring: KeyFolder, options: argparse.Namespace) -> None:
    now = datetime.now(timezone.utc)
    keys = keyring.keys()
    listed = [
        {"name": one.name, "operator": one.operator, "state": _describe_state(one, now), "signer": one.signer}
        for one in keys.values()
    ]
    print_rows(options, listed, [(one["name"], _describe_row(one)) for one in listed])


def _describe_row(key: Mapping[str, str]) -> str:
    held = f", signer {key['signer']}" if key["signer"] else ""
    return f"{key['state']}, operator {key['operator']}{held}"


def _describe_state(key: PublicKey, now: datetime) -> str:
    if key.retired:
        return "retired"
    if key.until is None:
        return "active"
    return f"{'until' if now < key.until else 'ended'} {key.until:%Y-%m-%d %H:%M} UTC"


def _say_files(keyring: KeyFolder, key: PublicKey) -> None:
    if key.signer:
        say(f"  signer       {key.signer}  (holds the private key)")
    else:
        say(f"  private key  {keyring.folder / key.name}.pem  (keep it secret)")
    say(f"  public key   {keyring.folder / key.name}.pub  (for policies)")
