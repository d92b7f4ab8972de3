"""The file system a build sees: the machine read-only, and its own tree, home and temporary folders."""

from __future__ import annotations

import os

from pytest_ftc.builds.launcher import kernel
from pytest_ftc.builds.launcher.identity_files import describe_machine
from pytest_ftc.builds.launcher.trees import copy_tree, list_folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Spec = dict[str, Any]

# What is mounted afresh; everything else at the top of the machine's root is shown as it is.
_OWN = ("proc", "tmp", "dev")

# Enough for every build; the machine's disks are no business of one that runs as root.
_DEVICES = ("null", "zero", "full", "random", "urandom", "tty", "ptmx", "pts")
_LINKS = {"fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2"}


def assemble_root(spec: Spec) -> dict[str, str]:
    """Build the root described by `spec` below its work folder and make it this process's root.

    Returns the variations that could not be applied after all, with the reason.  Needs CAP_SYS_ADMIN in a mount
    namespace of its own.  Raises OSError.
    """
    kernel.mount("none", "/", flags=kernel.MS_REC | kernel.MS_PRIVATE)
    work, new_root = spec["work"], os.path.join(spec["work"], "root")
    scratch = _make_scratch(spec)
    os.mkdir(new_root)
    kernel.mount("tmpfs", new_root, "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, "mode=0755,size=4m")
    _show_machine(new_root)
    private = _private_folders(spec)
    for folder in (*private, spec["build_path"], "/proc"):
        os.makedirs(new_root + folder, exist_ok=True)
    kernel.make_read_only(new_root)
    kernel.mount("proc", new_root + "/proc", "proc", kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC)
    if spec["first_pid"]:
        # The next fork gets the number after the last one, see ns_last_pid in proc(5).
        _write(f"{new_root}/proc/sys/kernel/ns_last_pid", str(spec["first_pid"] - 1))
    if spec["host"]:
        kernel.name_host(spec["host"], spec["domain"])
    for path, text in describe_machine(spec).items():
        _replace(path, text, scratch, new_root)
    _mount_private(private, scratch, new_root)
    # The folders of the work tree vanish below the private /tmp, so relative names keep overlayfs's option string
    # free of characters it would have to escape.
    os.chdir(work)
    tree = new_root + spec["build_path"]
    _mount_tree(spec, scratch, tree)
    not_applied = _check_order(spec, tree)
    if spec["git_dir"]:
        _show_git_dir(spec["git_dir"], os.path.join(tree, ".git"))
    for folder in spec["visible"]:
        _show_again(folder, new_root)
    kernel.change_root(new_root)
    return not_applied


def _make_scratch(spec: Spec) -> str:
    scratch = os.path.join(spec["work"], "scratch")
    os.mkdir(scratch)
    if spec["filesystem"] == "tmpfs":
        kernel.mount("tmpfs", scratch, "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, "mode=0755")
    return scratch


def _show_machine(new_root: str) -> None:
    for name in os.listdir("/"):
        if name not in _OWN:
            _show(f"/{name}", os.path.join(new_root, name))
    os.mkdir(f"{new_root}/dev")
    for name in _DEVICES:
        if os.path.exists(f"/dev/{name}"):
            _show(f"/dev/{name}", f"{new_root}/dev/{name}")
    for name, target in _LINKS.items():
        os.symlink(target, f"{new_root}/dev/{name}")


def _show(source: str, target: str) -> None:
    if os.path.islink(source):
        os.symlink(os.readlink(source), target)
        return
    if os.path.isdir(source):
        os.mkdir(target)
    else:
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o644))
    # What this user may not even look at cannot be shown, and would not have been readable either.
    try:
        kernel.bind(source, target)
    except PermissionError:
        return


def _replace(path: str, text: str, scratch: str, new_root: str) -> None:
    """Show the file `path` of the machine with the content `text`, if there is such a file."""
    if os.path.isfile(path) and not os.path.islink(path):
        own = os.path.join(scratch, path.replace("/", "-"))
        _write(own, text)
        kernel.bind(own, new_root + path)
        kernel.make_read_only(new_root + path)


def _write(path: str, text: str) -> None:
    with open(path, "w", errors="surrogateescape") as file:
        file.write(text)


def _private_folders(spec: Spec) -> list[str]:
    present = [folder for folder in ("/var/tmp", "/dev/shm") if os.path.isdir(folder)]
    return list(dict.fromkeys(["/tmp", *present, spec["home"], spec["temp_dir"]]))


def _mount_private(folders: list[str], scratch: str, new_root: str) -> None:
    for index, folder in enumerate(folders):
        own = os.path.join(scratch, f"private-{index}")
        os.mkdir(own)
        os.chmod(own, 0o1777)
        kernel.bind(own, new_root + folder)


def _mount_tree(spec: Spec, scratch: str, target: str) -> None:
    lower = spec["snapshot"]
    overlay = spec["overlay"] and spec["filesystem"] == "disk"
    if not overlay or spec["mtime_shift"]:
        lower = os.path.join(scratch, "tree")
        os.mkdir(lower)
        fill_tree(spec, lower)
    if not overlay:
        kernel.bind(lower, target)
        return
    # Over a copy too: with other times alone, the type of the file system has to stay what it is.
    for folder in ("upper", "overlay-work"):
        os.mkdir(os.path.join(scratch, folder))
    layers = f"lowerdir={os.path.relpath(lower)},upperdir=scratch/upper,workdir=scratch/overlay-work"
    kernel.mount("overlay", target, "overlay", data=f"{layers},userxattr" if spec["isolation"] == "user" else layers)


def fill_tree(spec: Spec, tree: str) -> None:
    """Copy the snapshot to `tree` so that its folders list in the order asked for, where the file system lets us."""
    newest_first = spec["filesystem"] == "tmpfs"
    reverse = (spec["file_order"] == "reversed") != newest_first

    def entries(folder: str) -> list[str]:
        names = list_folder(folder)
        return names[::-1] if reverse else names

    copy_tree(spec["snapshot"], tree, mtime_shift=spec["mtime_shift"], entries=entries)


def _check_order(spec: Spec, tree: str) -> dict[str, str]:
    """Look whether the tree lists the other way round than its snapshot, when that was asked for."""
    if spec["file_order"] != "reversed":
        return {}
    copied = list_folder(tree)
    expected = [name for name in list_folder(spec["snapshot"]) if name in set(copied)]
    if copied == expected[::-1]:
        return {}
    return {"fileordering": f"{spec['filesystem']} does not list folders in the order of their making"}


def _show_git_dir(git_dir: str, target: str) -> None:
    os.mkdir(target)
    kernel.bind(git_dir, target)
    kernel.make_read_only(target)


def _show_again(folder: str, new_root: str) -> None:
    """Show `folder`, hidden by a private mount above it, read-only where it was."""
    target = new_root + folder
    os.makedirs(target, exist_ok=True)
    kernel.bind(folder, target)
    kernel.make_read_only(target)
