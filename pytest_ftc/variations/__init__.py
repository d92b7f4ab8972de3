"""The axes on which the environments of control and experiment differ, one file each."""

from pytest_ftc.protocols import Variation
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
from pytest_ftc.variations.pid import Pid
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
    FileSystemType(),
    HashSeed(),
    Network(),
)
"""Every variation, in the order in which reports list them."""

__all__ = ["CATALOGUE"]
