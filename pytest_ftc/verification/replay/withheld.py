"""Variables whose values may be secret: omitted from a recipe, and read again for a replay."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Withheld:
    """The variables of a build, separated."""

    shown: Mapping[str, str]
    """Variables that may be recorded."""
    passed: Mapping[str, str]
    """Names of variables from pytest's environment, each with a keyed digest, which is empty without a key."""


def withhold(
    variables: Mapping[str, str], passed: Mapping[str, str], secrets: Collection[str], key: bytes | None
) -> Withheld:
    """Return `variables` without the `secrets` (names), and without those that have a `passed` value.

    Digests are keyed, so that values cannot be guessed from them without the `key`.
    """
    taken = {name: value for name, value in passed.items() if variables.get(name) == value and name not in secrets}
    shown = {name: value for name, value in variables.items() if name not in taken and name not in secrets}
    return Withheld(shown, {name: digest_value(name, value, key) for name, value in taken.items()})


def digest_value(name: str, value: str, key: bytes | None) -> str:
    """Return the keyed digest of a variable."""
    text = json.dumps([name, value]).encode()
    return hmac.new(key, b"passed\0" + text, hashlib.sha256).hexdigest() if key else ""


def describe_key(key: bytes | None) -> str:
    """Return what distinguishes keys without revealing them; empty for none."""
    return hmac.new(key, b"name of the key", hashlib.sha256).hexdigest()[:16] if key else ""


def take_anew(
    passed: Mapping[str, str], same_key: bool, key: bytes | None, environ: Mapping[str, str]
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the variables named in `passed` with their values in `environ`, and the changes, one sentence each."""
    found, changed = {}, []
    for name, digest in passed.items():
        if name not in environ:
            changed.append(f"{name} (pass_env) was set for the recorded build and is not set now")
            continue
        found[name] = environ[name]
        if not (digest and same_key and key):
            changed.append(f"{name} (pass_env) has its current value; the recorded one is unknown")
        elif digest_value(name, environ[name], key) != digest:
            changed.append(f"{name} (pass_env) has a different value than when recorded")
    return found, tuple(changed)
