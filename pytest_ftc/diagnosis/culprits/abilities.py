"""Which causes common programs can bring into what they write, as their manuals say; of others, nothing is known.

It is about contents, not about what archivers and compressors say of their members.
"""

from __future__ import annotations

from posixpath import basename

from pytest_ftc.diagnosis.culprits.commands import COMPRESSORS, STARTERS, name_of
from pytest_ftc.diagnosis.culprits.flow import Flow
from pytest_ftc.model import Cause, Program

COPIERS = frozenset({"cp", "install", "ln", "mv", "rsync", "cat", "dd", "tee", "cmp", "objcopy", "strip"})
"""Programs that change no value that they pass on."""
FILTERS = frozenset(
    {"md5sum", "sha1sum", "sha224sum", "sha256sum", "sha384sum", "sha512sum", "b2sum", "cksum", "sum", "shasum"}
    | {"base64", "base32", "basenc", "xxd", "od", "hexdump", "cut", "tr", "head", "tail", "rev", "tac", "nl", "fold"}
    | {"sed", "grep", "egrep", "fgrep", "uniq", "sort", "iconv", "bc", "dc"}
)
"""Programs whose output follows from their input and their arguments alone, in another form."""
_STAGES = frozenset({"cc1", "cc1plus", "cc1obj", "f951", "gnat1"})
COMPILERS = _STAGES | {"clang", "clang++", "rustc", "as", "compile"}
"""The last is that of Go."""
_PLAIN = (
    COPIERS
    | FILTERS
    | frozenset(COMPRESSORS)
    | {"awk", "basename", "chmod", "comm", "csplit", "dirname", "echo", "envsubst", "expand", "expr", "fmt", "join"}
    | {"gawk", "mawk", "mkdir", "numfmt", "paste", "printf", "rm", "seq", "split", "touch", "unexpand", "wc", "yes"}
)
"""They tell nothing of their environment, or only by the language."""
OF_LANGUAGE = frozenset(
    {"comm", "cut", "egrep", "expand", "fgrep", "fmt", "fold", "grep", "iconv", "join", "nl", "numfmt", "paste"}
    | {"printf", "rev", "sed", "sort", "tr", "unexpand", "uniq", "wc"}
)
"""Those of them that read texts in the language of the environment."""
LINKERS = frozenset({"as", "collect2", "ld", "ld.bfd", "ld.gold", "ld.lld", "ld.mold", "cc", "c++", "gcc", "g++"})
VARIABLES = frozenset(
    {Cause.BUILD_PATH, Cause.HOME, Cause.TEMP_DIR, Cause.EXEC_PATH, Cause.ENVIRONMENT, Cause.TERMINAL, Cause.USER_GROUP}
)
"""What shells and make have in variables that they are given."""
_ORDERING = frozenset({"bash", "ls", "sort", "zsh"})
"""Programs that order by the rules of a language."""
_PATHS = frozenset({Cause.BUILD_PATH, Cause.HOME, Cause.TEMP_DIR})
_ABLE: dict[str, frozenset[Cause]] = {
    **dict.fromkeys(_PLAIN, frozenset()),
    **dict.fromkeys(OF_LANGUAGE, frozenset({Cause.LOCALES})),
    **dict.fromkeys(("awk", "gawk", "mawk"), VARIABLES | {Cause.LOCALES, Cause.TIME, Cause.TIMEZONE, Cause.RANDOM}),
    # The predefined macros of time: https://gcc.gnu.org/onlinedocs/cpp/Standard-Predefined-Macros.html
    **dict.fromkeys(_STAGES, _PATHS | {Cause.TIME, Cause.TIMEZONE, Cause.SOURCE_MTIME}),
    **dict.fromkeys(LINKERS, _PATHS),
    **dict.fromkeys(STARTERS, VARIABLES),
    **dict.fromkeys(("make", "gmake"), VARIABLES | {Cause.FILEORDERING}),
    **dict.fromkeys(("sh", "ash", "dash", "busybox"), VARIABLES | {Cause.PID, Cause.UMASK}),
    # Of two times they can tell the difference too, but mostly they are given them by date.
    **dict.fromkeys(
        ("bash", "ksh", "zsh"),
        VARIABLES
        | {Cause.PID, Cause.UMASK, Cause.LOCALES, Cause.RANDOM, Cause.TIME, Cause.TIMEZONE, Cause.DOMAIN_HOST},
    ),
    "find": VARIABLES | {Cause.FILEORDERING},
    "date": frozenset({Cause.TIME, Cause.TIMEZONE, Cause.LOCALES, Cause.DURATION, Cause.SOURCE_MTIME}),
    "hostname": frozenset({Cause.DOMAIN_HOST}),
    "uname": frozenset({Cause.DOMAIN_HOST, Cause.KERNEL, Cause.MACHINE}),
    **dict.fromkeys(("id", "whoami", "logname", "groups"), frozenset({Cause.USER_GROUP})),
    "nproc": frozenset({Cause.NUM_CPUS, Cause.MACHINE}),
    "pwd": _PATHS,
    "sqlite3": VARIABLES | {Cause.TIME, Cause.TIMEZONE, Cause.RANDOM},
}
_MORE_OF_FIND = (
    *("-printf", "-fprintf", "-ls", "-fls", "-exec", "-ok", "-new", "-anew", "-cnew", "-amin", "-cmin", "-mmin"),
    *("-atime", "-ctime", "-mtime", "-used", "-user", "-uid", "-group", "-gid", "-nouser", "-nogroup", "-perm"),
    *("-readable", "-writable", "-executable", "-size", "-inum", "-samefile", "-links", "-fstype", "-iname", "-iregex"),
)
_RANDOM = ("/dev/random", "/dev/urandom")
_TELLING = ("/dev/", "/etc/", "/proc/", "/sys/")
"""Folders of the system in which files tell of the machine."""
_NULL = "/dev/null"


def can_bring_in(flow: Flow, index: int, cause: str, *, order: bool = False) -> bool:
    """Return whether the program `index` can bring the `cause` in by itself; True if that is not known.

    With `order`, it is about the order of what it writes.
    """
    program = flow.program(index)
    if cause == Cause.HASH_SEED:
        return program.hash_seed is not None
    kind = _kind(program)
    if kind not in _ABLE or _tells_more(program):
        return True
    if cause == Cause.RANDOM and (index in flow.trace.random or any(one in _RANDOM for one in flow.sources(index))):
        return True
    if cause == Cause.UNKNOWN:
        return bool(_ABLE[kind])
    return cause in _ABLE[kind] and not (order and cause == Cause.LOCALES and kind not in _ORDERING)


def _tells_more(program: Program) -> bool:
    """Return whether it is given files of the system, or is a find that asks more than names, see find(1)."""
    words = program.argv[1:]
    if name_of(program) == "find" and any(word.startswith(_MORE_OF_FIND) for word in words):
        return True
    return any(part in word.replace(_NULL, "") for word in words for part in _TELLING)


def _kind(program: Program) -> str:
    name, real = name_of(program), basename(program.program)
    # What sh is differs between systems.
    return real if name == "sh" and real in _ABLE else name
