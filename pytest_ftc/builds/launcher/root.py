"""The file system a build sees: the machine read-only, and its own tree, home and temporary folders.

The order in which `assemble_root` mounts matters:

1. Propagation is disabled first.  A new mount namespace still propagates mounts to its peers, and for root all of them
   would appear on the machine, see mount_namespaces(7).
2. The machine is made read-only before the build's own folders are mounted, which so stay writable.  Device files could
   be written to nevertheless, since a read-only mount protects only the file system that holds them: outside /dev they
   are switched off.
3. proc is mounted by a process in the new PID namespace, because it shows the namespace of the process that mounts it,
   see pid_namespaces(7).  This happens before the old root is detached: without a visible procfs in the mount
   namespace, the kernel refuses a new one with EPERM.

Where parts of the machine's /proc are covered, as in containers, the kernel refuses a new procfs to a user namespace in
any case.  Without `fresh_proc` the machine's is shown instead, and there is no new PID namespace, in which the numbers
in /proc would be those of other processes.  Only in a user namespace: it keeps the build from memory, descriptors,
variables and root of processes outside, see "Ptrace access mode checking" in ptrace(2).
"""

from __future__ import annotations

import contextlib
import errno
import os

from pytest_ftc.builds.launcher import kernel
from pytest_ftc.builds.launcher.concealed import conceal, show_secrets
from pytest_ftc.builds.launcher.identity_files import describe_machine
from pytest_ftc.builds.launcher.kernel_files import describe_kernel, show_parts
from pytest_ftc.builds.launcher.sockets import cover_sockets, show_sockets
from pytest_ftc.builds.launcher.trees import copy_file, copy_tree, list_folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Spec = dict[str, Any]

# Newly mounted; everything else at the top of the machine's root is bind-mounted.
_OWN = ("proc", "tmp", "dev")

_OTHER_PROC = "/tmp/proc"

NO_NEW_PROC = (
    "the kernel refuses a new /proc here, because parts of the present one are covered (a container's masks); "
    "run the container with an unmasked /proc (docker: --security-opt systempaths=unconfined)"
)
"""Why a new procfs is refused with EPERM: mount_too_revealing() in fs/namespace.c."""
_SETTINGS = ("acpi", "bus", "fs", "irq", "scsi", "sys", "sysrq-trigger")

# Enough for every build; a build that runs as root must not see the machine's disks.
_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
_LINKS = {"fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2"}
_TERMINALS = ("ptmx", "pts")


def assemble_root(spec: Spec) -> dict[str, str]:
    """Build the root described by `spec` below its work folder and make it this process's root.

    Returns the variations that could not be applied, with the reason.  Needs a mount namespace of its own and
    CAP_SYS_ADMIN in it.  Raises OSError.
    """
    kernel.mount("none", "/", flags=kernel.MS_REC | kernel.MS_PRIVATE)
    work, new_root = spec["work"], os.path.join(spec["work"], "root")
    scratch = _make_scratch(spec, new_root)
    _show_machine(new_root, terminals=bool(spec["shell"]))
    private = _private_folders(spec)
    _cover(spec, scratch, new_root, private)
    for folder in (*private, spec["build_path"], "/proc", _OTHER_PROC, *spec["shown"]):
        os.makedirs(new_root + folder, exist_ok=True)
    kernel.make_read_only(new_root)
    _show_proc(spec, new_root)
    if spec["first_pid"] and spec["fresh_proc"]:
        # The next process gets the PID after this one, see pid_namespaces(7).
        _write(f"{new_root}/proc/sys/kernel/ns_last_pid", str(spec["first_pid"] - 1))
    _protect_settings(new_root)
    if spec["host"]:
        kernel.name_host(spec["host"], spec["domain"])
    show_parts(spec, scratch, new_root)
    _replace_all({**describe_machine(spec), **describe_kernel(spec)}, scratch, new_root)
    if spec["locales"]:
        _add_locales(spec["locales"], new_root)
    _mount_private(private, scratch, new_root)
    # The private /tmp may hide the work folder, but relative names still reach its files.  They also keep commas and
    # colons out of the option string of overlayfs, where these would have to be escaped.
    os.chdir(work)
    tree = new_root + spec["build_path"]
    _mount_tree(spec, scratch, tree)
    not_applied = {**_check_pid(spec), **_check_order(spec, tree)}
    if spec["git_dir"]:
        _show_git_dir(spec["git_dir"], os.path.join(tree, ".git"))
    _show_folders({**{path: path for path in spec["visible"]}, **spec["shown"]}, new_root)
    show_sockets(new_root, spec["pass_sockets"], private)
    kernel.change_root(new_root)
    return not_applied


def _cover(spec: Spec, scratch: str, new_root: str, private: list[str]) -> None:
    """Cover what the build must not reach, where the `private` folders do not hide it."""
    hidden = ("/tmp", "/dev", "/proc", *private)
    cover_sockets(new_root, scratch, spec, hidden)
    conceal(new_root, scratch, spec["concealed"], hidden)
    show_secrets(new_root, spec["secret_files"], spec["uid"], spec["gid"])


def _protect_settings(new_root: str) -> None:
    """Make the settings of the kernel read-only: the root user may write to them, whatever its capabilities."""
    for name in _SETTINGS:
        path = f"{new_root}/proc/{name}"
        if os.path.exists(path):
            kernel.bind(path, path)
            kernel.make_read_only(path)


def _show_proc(spec: Spec, new_root: str) -> None:
    """Show a new procfs, or the machine's.  Raises OSError, with `NO_NEW_PROC` where the kernel refuses a new one."""
    if not spec["fresh_proc"]:
        if spec["isolation"] != "user":
            raise OSError(errno.EPERM, "the machine's /proc is shown only in a user namespace")
        kernel.bind("/proc", new_root + "/proc")
        return
    _mount_proc_for_others(new_root, read_only=spec["as_root"])
    _mount_proc(new_root + "/proc")


def _mount_proc(target: str) -> None:
    try:
        kernel.mount("proc", target, "proc", kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC)
    except PermissionError as error:
        raise OSError(error.errno, NO_NEW_PROC) from None


def _mount_proc_for_others(new_root: str, *, read_only: bool) -> None:
    """Mount a procfs at a path that the private /tmp hides.

    If files of /proc are replaced, the kernel refuses a new procfs to sandboxes in the build (bwrap, Bazel's), unless
    another procfs of the same mount namespace shows all files, see EPERM in mount_namespaces(7).  If that one
    is `read_only`, so must be theirs, see mount_too_revealing() in fs/namespace.c.
    """
    _mount_proc(new_root + _OTHER_PROC)
    if read_only:
        kernel.make_read_only(new_root + _OTHER_PROC)


def _make_scratch(spec: Spec, new_root: str) -> str:
    os.mkdir(new_root)
    kernel.mount("tmpfs", new_root, "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, "mode=0755,size=4m")
    scratch = os.path.join(spec["work"], "scratch")
    os.mkdir(scratch)
    if spec["filesystem"] == "tmpfs":
        kernel.mount("tmpfs", scratch, "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, "mode=0755")
    return scratch


def _show_machine(new_root: str, *, terminals: bool) -> None:
    """Bind-mount the machine's folders below `new_root`; device files work only in /dev.

    With `terminals` the pseudo-terminals are the machine's, as a shell needs that is started in one of them; else they
    are the build's own, see Documentation/filesystems/devpts.rst: it could write to those of its user.
    """
    for name in os.listdir("/"):
        if name not in _OWN:
            _show(f"/{name}", os.path.join(new_root, name))
            if not os.path.islink(f"/{name}"):
                kernel.disable_devices(os.path.join(new_root, name))
    devices = f"{new_root}/dev"
    os.mkdir(devices)
    for name in (*_DEVICES, *(_TERMINALS if terminals else ())):
        if os.path.exists(f"/dev/{name}"):
            _show(f"/dev/{name}", f"{devices}/{name}")
    for name, target in _LINKS.items():
        os.symlink(target, f"{devices}/{name}")
    if not terminals:
        os.mkdir(f"{devices}/pts")
        kernel.mount("devpts", f"{devices}/pts", "devpts", kernel.MS_NOSUID | kernel.MS_NOEXEC, "ptmxmode=0666")
        os.symlink("pts/ptmx", f"{devices}/ptmx")


def _show(source: str, target: str) -> None:
    if os.path.islink(source):
        os.symlink(os.readlink(source), target)
        return
    if os.path.isdir(source):
        os.mkdir(target)
    else:
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o644))
    # Paths that this user may not access cannot be bind-mounted, but would be unreadable anyway.
    try:
        kernel.bind(source, target)
    except PermissionError:
        return


def _replace_all(texts: dict[str, str], scratch: str, new_root: str) -> None:
    """Show `texts`, by path, as the contents of those files of the machine that exist."""
    for path, text in texts.items():
        if os.path.isfile(path) and not os.path.islink(path):
            own = os.path.join(scratch, path.replace("/", "-"))
            _write(own, text)
            kernel.bind(own, new_root + path)
            kernel.make_read_only(new_root + path)


def _add_locales(compiled: str, new_root: str) -> None:
    """Show the `compiled` locales beside the machine's own, which a mount over the whole folder would hide."""
    target = new_root + "/usr/lib/locale"
    kernel.mount("tmpfs", target, "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, "mode=0755,size=1m")
    for folder in ("/usr/lib/locale", compiled):
        for name in os.listdir(folder):
            _show(os.path.join(folder, name), os.path.join(target, name))
    kernel.make_read_only(target)


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
    if not overlay or spec["mtime_shift"] or spec["source_umask"] is not None:
        lower = os.path.join(scratch, "tree")
        os.mkdir(lower)
        fill_tree(spec, lower)
    if not overlay:
        kernel.bind(lower, target)
        return
    # Also over a copy: shifted times must not change the type of the file system that the build sees.
    # Several builds may use the snapshot as lower layer at the same time, because it is never modified.  workdir must
    # be empty and on the same file system as upperdir.
    for folder in ("upper", "overlay-work"):
        os.mkdir(os.path.join(scratch, folder))
    layers = f"lowerdir={os.path.relpath(lower)},upperdir=scratch/upper,workdir=scratch/overlay-work"
    # overlayfs stores opaque and other marks in trusted.* xattrs, which only the machine's root may write; with
    # userxattr it uses user.* instead (Linux 5.11), see Documentation/filesystems/overlayfs.rst.
    kernel.mount("overlay", target, "overlay", data=f"{layers},userxattr" if spec["isolation"] == "user" else layers)


def fill_tree(spec: Spec, tree: str) -> None:
    """Copy the snapshot to `tree` so that its folders list in the requested order, if the file system allows it."""
    newest_first = spec["filesystem"] == "tmpfs"
    reverse = (spec["file_order"] == "reversed") != newest_first

    def entries(folder: str) -> list[str]:
        names = list_folder(folder)
        return names[::-1] if reverse else names

    shift, umask = spec["mtime_shift"], spec["source_umask"]
    copy_tree(spec["snapshot"], tree, mtime_shift=shift, umask=umask, entries=entries)


def _check_pid(spec: Spec) -> dict[str, str]:
    """Return that the first PID could not be chosen, if that was requested of another machine, or before."""
    return {"pid": NO_NEW_PROC} if spec["first_pid"] and not spec["fresh_proc"] else {}


def _check_order(spec: Spec, tree: str) -> dict[str, str]:
    """Check that the tree lists in reverse order of its snapshot, if that was requested.

    File systems guarantee no order, see readdir(3), so the actual listing counts, not the order of creation.
    """
    if spec["file_order"] != "reversed":
        return {}
    copied = list_folder(tree)
    expected = [name for name in list_folder(spec["snapshot"]) if name in set(copied)]
    if copied == expected[::-1]:
        return {}
    return {"fileordering": f"{spec['filesystem']} does not list folders in the order of creation"}


def _show_git_dir(git_dir: str, target: str) -> None:
    """Show a repository: its folders read-only, and copies of the files beside them.

    Scripts that tell whether a checkout is clean have git write its index, see ``--refresh`` in git-update-index(1).
    Locks are of who uses the repository now, and files may be gone or be another user's.
    """
    os.mkdir(target)
    for entry in os.scandir(git_dir):
        if entry.name.endswith(".lock"):
            continue
        own = os.path.join(target, entry.name)
        if entry.is_dir(follow_symlinks=False):
            os.mkdir(own)
            kernel.bind(entry.path, own)
            kernel.make_read_only(own)
        elif entry.is_symlink():
            os.symlink(os.readlink(entry.path), own)
        elif entry.is_file():
            with contextlib.suppress(FileNotFoundError, PermissionError):
                copy_file(entry.path, own)


def _show_folders(folders: dict[str, str], new_root: str) -> None:
    """Bind-mount `folders` read-only at their paths, which may be below private mounts."""
    for path, folder in folders.items():
        target = new_root + path
        os.makedirs(target, exist_ok=True)
        kernel.bind(folder, target)
        kernel.make_read_only(target)
