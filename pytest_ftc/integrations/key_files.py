"""A keyring in a folder: private keys, public keys, and keys.toml, which says whose they are and which count."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_ftc.attestation.keyring import PublicKey, load_keyring
from pytest_ftc.integrations.signers import NO_EXTRA, NotInstalledError, SignerReference, check_signer
from pytest_ftc.integrations.signing import facts_of, read_public_key
from pytest_ftc.model.errors import ConfigurationError, FtcError
from pytest_ftc.model.support.atomic_file import replace_file
from pytest_ftc.model.support.file_lock import locked
from pytest_ftc.model.support.suggestion import did_you_mean

if TYPE_CHECKING:
    from tomlkit import TOMLDocument

SCHEMES = ("ed25519", "ml-dsa-65")
_HEAD = '# The public keys of this keyring.  A policy can name this file: keyring = "..."\n'
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


class KeyFolder:
    """The keyring in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "keys.toml"

    def keys(self) -> dict[str, PublicKey]:
        """Return the public keys, by name.  Raises ConfigurationError."""
        return load_keyring(self.file) if self.file.exists() else {}

    def private(self, name: str) -> Path:
        """Return the file of the private key `name`.  Raises ConfigurationError when there is none."""
        self._known(name)
        path = self.folder / f"{name}.pem"
        if not path.exists():
            raise ConfigurationError(f"{path}: the private key {name!r} is not here")
        if path.stat().st_mode & 0o077:
            raise ConfigurationError(f"{path}: other users may use this private key: chmod 600, or rotate it")
        return path

    def signer(self, key: str) -> SignerReference:
        """Return the signer that `key` names: a key of this keyring, or a URI.

        Raises ConfigurationError where there is none, or where its signatures do not count any more.
        """
        if ":" in key:
            return SignerReference(_absolute(key))
        known = self._known(key)
        uri = known.signer or f"file2:{self.private(key)}"
        if not known.counts_at(datetime.now(timezone.utc)):
            state = "is retired" if known.retired else f"was rotated, and ended on {known.until:%Y-%m-%d}"
            raise ConfigurationError(f"{self.file}: the key {key!r} {state}: its signatures do not count any more")
        return SignerReference(uri, known.pem)

    def signers(self, keys: Iterable[str]) -> tuple[SignerReference, ...]:
        """Return the signers that `keys` name, each once, after what can be checked without asking a service.

        Raises as `signer`, and NotInstalledError.
        """
        found = tuple(dict.fromkeys(map(self.signer, keys)))
        for one in found:
            check_signer(one)
        return found

    def new(self, name: str, scheme: str, operator: str) -> PublicKey:
        """Make the key `name`.  Raises ConfigurationError, NotInstalledError, or FtcError."""
        private, public = make_key(scheme)
        return self._add(name, private, public, {"operator": operator})

    def import_(self, name: str, uri: str, operator: str) -> PublicKey:
        """Add the key `name`, whose private half the signer `uri` holds.  Raises as `new`, and SigningError."""
        signer = _absolute(uri)
        check_signer(SignerReference(signer))
        self._check_new(name)
        signer, public = read_public_key(signer)
        return self._add(name, b"", public, {"operator": operator, "signer": signer})

    def _add(self, name: str, private: bytes, public: bytes, more: Mapping[str, str]) -> PublicKey:
        def add(document: TOMLDocument) -> None:
            import tomlkit

            table = tomlkit.table()
            table.update({"file": f"{name}.pub", **more})
            document.setdefault("keys", tomlkit.table(is_super_table=True))[name] = table

        with self._locked():
            self._check_new(name)
            edited = self._edited(add)
            if private:
                self._write(f"{name}.pem", private, mode=0o600)
            self._write(f"{name}.pub", public, mode=0o644)
            self._write(self.file.name, edited, mode=0o644)
        return self.keys()[name]

    def _check_new(self, name: str) -> None:
        if not _NAME.fullmatch(name):
            raise ConfigurationError(f"{name!r}: expected a name of letters, digits, '-' and '_'")
        if name in self.keys() or (self.folder / f"{name}.pem").exists():
            raise ConfigurationError(f"{self.folder}: there is a key {name!r} already; `ftc keys rotate {name}`?")

    def rotate(self, name: str, until: datetime) -> PublicKey:
        """Make a successor of the key `name`, whose signatures count `until` then.

        A service that holds the key must have rotated it before.  Raises as `new`, and SigningError.
        """
        old = self._known(name)
        stem, _, number = name.rpartition("-")
        base, count = (stem, int(number)) if stem and number.isdigit() else (name, 1)
        taken = self.keys()
        while (successor := f"{base}-{(count := count + 1)}") in taken:
            pass
        made = self._import_newest(old, successor) if old.signer else self._new_like(old, successor)
        self._set(name, "until", until)
        return made

    def _new_like(self, old: PublicKey, name: str) -> PublicKey:
        return self.new(name, facts_of(old).scheme, old.operator)

    def _import_newest(self, old: PublicKey, name: str) -> PublicKey:
        scheme, _, rest = old.signer.partition(":")
        signer, public = read_public_key(f"hv:{rest.partition('/')[0]}" if scheme == "hv" else old.signer)
        if facts_of(replace(old, pem=public)) == facts_of(old):
            advice = "rotate it there first" if scheme == "hv" else "import its successor: ftc keys import"
            raise ConfigurationError(f"{old.name}: {old.signer} is still the same key; {advice}")
        return self._add(name, b"", public, {"operator": old.operator, "signer": signer})

    def retire(self, name: str) -> None:
        """Let no signature of the key `name` count any more.  Raises ConfigurationError, FtcError."""
        self._known(name)
        self._set(name, "retired", True)

    def _known(self, name: str) -> PublicKey:
        keys = self.keys()
        if name not in keys:
            raise self._no_key(name)
        return keys[name]

    def _no_key(self, name: str) -> ConfigurationError:
        near = did_you_mean(name, self.keys())
        hint = "; `ftc keys new` makes one" if near == "." else near
        return ConfigurationError(f"{self.file}: no key {name!r}{hint}")

    def _set(self, name: str, key: str, value: object) -> None:
        def change(document: TOMLDocument) -> None:
            document["keys"][name][key] = value

        with self._locked():
            self._write(self.file.name, self._edited(change), mode=0o644)

    def _edited(self, change: Callable[[TOMLDocument], None]) -> bytes:
        """Return keys.toml after `change`.  Raises ConfigurationError where its form does not permit that."""
        import tomlkit

        text = self.file.read_text("utf-8") if self.file.exists() else _HEAD
        try:
            document = tomlkit.parse(text)
            change(document)
            return tomlkit.dumps(document).encode()
        except (tomlkit.exceptions.TOMLKitError, KeyError, TypeError, ValueError):
            raise ConfigurationError(f"{self.file}: cannot be edited: write each key as a table [keys.NAME]") from None

    def _locked(self) -> AbstractContextManager[Any]:
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise FtcError(f"{self.folder}: {error.strerror or error}") from None
        return locked(self.folder / ".lock")

    def _write(self, name: str, data: bytes, *, mode: int) -> None:
        path = self.folder / name
        try:
            if mode == 0o600:
                # Never readable by others, not even for a moment.
                with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
                    file.write(data)
            else:
                replace_file(path, data)
        except OSError as error:
            raise FtcError(f"{path}: {error.strerror or error}") from None


def _absolute(uri: str) -> str:
    """Return `uri` so that it means the same in any folder: what waits is signed from another one."""
    scheme, _, rest = uri.partition(":")
    return f"file2:{Path(rest).absolute()}" if scheme == "file2" and rest else uri


def make_key(scheme: str) -> tuple[bytes, bytes]:
    """Return a new private key and its public key, both in PEM.  Raises NotInstalledError."""
    try:
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
        from securesystemslib.signer import CryptoSigner
    except ImportError:
        raise NotInstalledError(NO_EXTRA) from None
    signer = CryptoSigner.generate_ed25519() if scheme == "ed25519" else CryptoSigner.generate_mldsa()
    private = signer.private_bytes
    public = load_pem_private_key(private, None).public_key()
    return private, public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
