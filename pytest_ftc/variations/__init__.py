"""The axes on which the environments of control and experiment differ, one file each."""

from pytest_ftc.model.protocols import Variation
from pytest_ftc.variations.aslr import Aslr
from pytest_ftc.variations.build_path import BuildPath
from pytest_ftc.variations.domain_host import DomainHost
from pytest_ftc.variations.environment import UnknownVariables
from pytest_ftc.variations.exec_path import ExecPath
from pytest_ftc.variations.fileordering import FileOrdering
from pytest_ftc.variations.filesystem import FileSystemType
from pytest_ftc.variations.hash_seed import HashSeed
from pytest_ftc.variations.home import Home
from pytest_ftc.variations.kernel import Kernel
from pytest_ftc.variations.locales import Locales
from pytest_ftc.variations.network import Network
from pytest_ftc.variations.num_cpus import NumCpus
from pytest_ftc.variations.other_machine import OtherMachine
from pytest_ftc.variations.pid import Pid
from pytest_ftc.variations.source_mode import SourceMode
from pytest_ftc.variations.source_mtime import SourceMtime
from pytest_ftc.variations.temp_dir import TempDir
from pytest_ftc.variations.terminal import Terminal
from pytest_ftc.variations.time import Time
from pytest_ftc.variations.timezone import Timezone
from pytest_ftc.variations.umask import Umask
from pytest_ftc.variations.user_group import UserGroup

CATALOGUE: tuple[Variation, ...] = (
    Time(),
    Timezone(),
    Locales(),
    BuildPath(),
    Home(),
    TempDir(),
    ExecPath(),
    UnknownVariables(),
    Terminal(),
    Umask(),
    UserGroup(),
    DomainHost(),
    Kernel(),
    NumCpus(),
    Aslr(),
    Pid(),
    FileOrdering(),
    SourceMtime(),
    SourceMode(),
    FileSystemType(),
    HashSeed(),
    Network(),
)
"""Every variation that one machine can have, in the order in which reports list them."""

BESIDE: tuple[Variation, ...] = (OtherMachine(),)
"""The variations that need more than one machine."""

_ALL = tuple(variation.name for variation in CATALOGUE)


def _only(names: str) -> tuple[str, ...]:
    return tuple(names.split())


def _all_but(names: str) -> tuple[str, ...]:
    return tuple(name for name in _ALL if name not in names.split())


PRESETS: dict[str, tuple[str, ...]] = {
    # Only environment variables, the umask and the build path: needs no namespaces and no copies of the tree.
    "quick": _only("time timezone locales build_path home temp_dir exec_path environment terminal umask hash_seed"),
    # Excludes what containers refuse (personality(2)) and what breaks correct builds: glibc's ldconfig does not run on
    # such an old kernel, and many builds download their dependencies.
    "standard": _all_but("kernel aslr network"),
}
"""The presets of a specification; "all" includes the variations of plugins."""

__all__ = ["BESIDE", "CATALOGUE", "PRESETS", "OtherMachine"]
