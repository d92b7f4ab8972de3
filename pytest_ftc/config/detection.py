"""Detects what a folder can build from its files, and proposes a first configuration."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pytest_ftc.model.errors import FtcError
from pytest_ftc.model.support.toml import tomllib


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """One artifact that the project probably has."""

    name: str
    build: str = ""
    outputs: tuple[str, ...] = ()
    because: str
    """The evidence, for the comment above the table."""
    preset: str = ""
    """In the place of `build` and `outputs`."""
    trial: str = ""
    """A command that shows the outputs of this artifact, where they are not known."""
    more: tuple[str, ...] = ()
    """Additional lines of its table."""
    environment: tuple[tuple[str, str], ...] = ()
    """Variables that builds need from outside, with their values on this machine if they are unset."""
    sure: bool = True
    """Whether it is complete; otherwise it is written as a comment for the user to complete."""


def look_at(root: Path) -> Iterator[Proposal]:
    """Yield the artifacts that the project at `root` probably builds."""
    seen: dict[str, int] = {}
    of_wheel = _built_into_wheel(root)
    for marker, propose in _MARKERS.items():
        for proposal in propose(root) if marker != of_wheel and (root / marker).is_file() else ():
            seen[proposal.name] = count = seen.get(proposal.name, 0) + 1
            yield proposal if count == 1 else replace(proposal, name=f"{proposal.name}-{count}")


def _built_into_wheel(root: Path) -> str:
    """Return the file by which the build backend of a Python project builds a part of the wheel; empty if none does."""
    system = read_toml(root / "pyproject.toml").get("build-system", {})
    backend = system.get("build-backend") if isinstance(system, dict) else None
    return _OF_BACKENDS.get(str(backend).partition(".")[0], "")


_OF_BACKENDS = {"mesonpy": "meson.build", "scikit_build_core": "CMakeLists.txt", "maturin": "Cargo.toml"}


def _npm(root: Path) -> Iterator[Proposal]:
    package = _read_json(root / "package.json")
    if package.get("name") and not package.get("private"):
        yield Proposal(
            name="npm", build="npm pack", outputs=("*.tgz",), because="package.json: the package as npm publishes it"
        )
    elif "build" in (package.get("scripts") or {}):
        yield Proposal(
            name="bundle", build="npm ci --offline && npm run build", outputs=("dist",), sure=False,
            because="package.json has a build script: say where its results are, and how its modules get there",
        )  # fmt: skip


def _cargo(root: Path) -> Iterator[Proposal]:
    package = read_toml(root / "Cargo.toml").get("package", {})
    if package.get("name"):
        yield Proposal(
            name="crate", build="cargo package --offline --no-verify --allow-dirty",
            outputs=("target/package/*.crate",), because="Cargo.toml: the crate as cargo publishes it",
            more=(
                "# Builds have another home; with rustup: export RUSTUP_HOME=~/.rustup CARGO_HOME=~/.cargo",
                'pass_env = ["RUSTUP_HOME", "CARGO_HOME"]',
            ),
            environment=tuple(_homes_of_rust()),
        )  # fmt: skip


def _homes_of_rust() -> Iterator[tuple[str, str]]:
    for name, folder in (("RUSTUP_HOME", ".rustup"), ("CARGO_HOME", ".cargo")):
        if name not in os.environ and (Path.home() / folder).is_dir():
            yield name, f"~/{folder}"


def _go(root: Path) -> Iterator[Proposal]:
    if _has_program(root.glob("*.go")):
        yield Proposal(
            name="go", build="go build -o dist/ .", outputs=("dist",), because="go.mod: the program in this folder"
        )
    elif _has_program(root.glob("cmd/*/*.go")):
        yield Proposal(
            name="go", build="go build -o dist/ ./cmd/...", outputs=("dist",), because="go.mod: the programs below cmd"
        )


def _has_program(files: Iterable[Path]) -> bool:
    return any(re.search(r"^package main\b", _read_text(file), re.MULTILINE) for file in files)


def _cmake(root: Path) -> Iterator[Proposal]:
    yield Proposal(
        name="install", because="CMakeLists.txt: what is installed",
        # Not --prefix: projects that name absolute folders would be installed there.
        build="cmake -S . -B build -DCMAKE_INSTALL_PREFIX=/usr && cmake --build build"
        ' && DESTDIR="$PWD/dist" cmake --install build',
        outputs=("dist",),
    )  # fmt: skip


def _meson(root: Path) -> Iterator[Proposal]:
    yield Proposal(
        name="install", because="meson.build: what is installed",
        build='meson setup build --prefix=/usr && meson compile -C build && DESTDIR="$PWD/dist" meson install -C build',
        outputs=("dist",),
    )  # fmt: skip


def _make(root: Path) -> Iterator[Proposal]:
    if _configures(root):
        return
    text = _read_text(root / "Makefile")
    if "DESTDIR" in text and re.search(r"^install\s*:", text, re.MULTILINE):
        yield Proposal(
            name="install", because="a Makefile that knows DESTDIR: what is installed",
            build='make && make install DESTDIR="$PWD/dist"', outputs=("dist",),
        )  # fmt: skip
        return
    yield Proposal(
        name="make", build="make", outputs=("build",), sure=False, because="a Makefile: say where its results are",
        trial="make",
    )  # fmt: skip


def _configure(root: Path) -> Iterator[Proposal]:
    yield Proposal(
        name="install", because="configure: what is installed",
        build='./configure --prefix=/usr && make && make install DESTDIR="$PWD/dist"', outputs=("dist",),
    )  # fmt: skip


def _autoconf(root: Path) -> Iterator[Proposal]:
    if not (root / "configure").is_file():
        yield Proposal(
            name="install", because="configure.ac: what is installed", outputs=("dist",),
            build='autoreconf -fi && ./configure --prefix=/usr && make && make install DESTDIR="$PWD/dist"',
        )  # fmt: skip


def _configures(root: Path) -> bool:
    """Return whether another tool generates the Makefile; that tool is then proposed."""
    return any((root / name).is_file() for name in ("configure", "configure.ac", "CMakeLists.txt", "meson.build"))


def _maven(root: Path) -> Iterator[Proposal]:
    yield Proposal(
        name="jar", build="mvn -B -o -DskipTests package", outputs=("target/*.jar",), sure=False,
        because="pom.xml: builds have another home, so say where the modules are (after mvn dependency:go-offline):"
        " -Dmaven.repo.local=/path/of/.m2/repository",
    )  # fmt: skip


def _sphinx(root: Path) -> Iterator[Proposal]:
    folder = "docs" if (root / "docs" / "conf.py").is_file() else "doc"
    yield Proposal(
        name="docs", build=f"sphinx-build -q -b html -d build/doctrees {folder} build/html", outputs=("build/html",),
        because=f"{folder}/conf.py: the documentation",
    )  # fmt: skip


def _mkdocs(root: Path) -> Iterator[Proposal]:
    yield Proposal(
        name="docs", build="mkdocs build --quiet --site-dir site", outputs=("site",),
        because="mkdocs.yml: the documentation",
    )  # fmt: skip


def propose_python() -> tuple[Proposal, ...]:
    """Return the sdist and the wheel, which have to be declared once another artifact is."""
    return (
        Proposal(name="sdist", preset="sdist", because="the sdist of this Python project, with its build requirements"),
        Proposal(name="wheel", preset="wheel", because="its wheel"),
    )


def _debian(root: Path) -> Iterator[Proposal]:
    yield Proposal(
        # dpkg-buildpackage leaves its results in the folder above, where a build cannot write, and dpkg-deb refuses
        # folders that are not open to all.
        name="deb", build="mkdir .dpkg && find . -mindepth 1 -maxdepth 1 ! -name .dpkg -exec cp -a -t .dpkg {} +"
        " && cd .dpkg && umask 022 && dpkg-buildpackage -b -us -uc",
        outputs=("*.deb",),
        because="debian/control: the binary packages; apt-get build-dep . installs what they need",
    )  # fmt: skip


def _script(name: str) -> Callable[[Path], Iterator[Proposal]]:
    def propose(root: Path) -> Iterator[Proposal]:
        yield Proposal(
            name="script",
            build=f"sh {name}",
            outputs=("dist",),
            sure=False,
            because=f"{name}: say where its results are",
        )

    return propose


_MARKERS: dict[str, Callable[[Path], Iterator[Proposal]]] = {
    "package.json": _npm,
    "Cargo.toml": _cargo,
    "go.mod": _go,
    "CMakeLists.txt": _cmake,
    "meson.build": _meson,
    "configure": _configure,
    "configure.ac": _autoconf,
    "Makefile": _make,
    "pom.xml": _maven,
    "docs/conf.py": _sphinx,
    "doc/conf.py": _sphinx,
    "mkdocs.yml": _mkdocs,
    "debian/control": _debian,
    "build.sh": _script("build.sh"),
}


PROJECT_FILES = ("pyproject.toml", "setup.py", *(name for name in _MARKERS if "/" not in name))
"""Files by which a folder is seen to be a project."""


def is_python_project(root: Path) -> bool:
    return (root / "setup.py").is_file() or "build-system" in read_toml(root / "pyproject.toml")


def read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise FtcError(f"{path.name} cannot be read: {error}") from error


def _read_text(path: Path) -> str:
    try:
        return path.read_bytes()[:1_000_000].decode("utf-8", "replace")
    except OSError:
        return ""


def _read_json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}
