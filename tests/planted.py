"""What a control and an experiment build planted, for tests of the search for it."""

import calendar
import time

from pytest_ftc.diagnosis.canaries.planted import Planted, Window
from pytest_ftc.diagnosis.canaries.search import suspect
from pytest_ftc.model import Field, FileOrder, FileSystem, Place

NOW = calendar.timegm((2026, 11, 23, 22, 40, 0))
LATER = calendar.timegm((2027, 12, 27, 19, 53, 0))
CONTROL = Planted(
    build_path="/ftc-build-lflfdc/demo",
    home="/ftc-home-lflfdc",
    temp_dir="/ftc-tmp-lflfdc",
    variables={"TZ": "UTC", "LC_ALL": "C.UTF-8", "COLUMNS": "80", "LINES": "24", "TERM": "dumb", "PATH": "/usr/bin"},
    umask=0o022,
    uid=0,
    gid=0,
    user="root",
    group="root",
    host="host-lflfdc",
    machine_id="6" * 32,
    release="6.18.5",
    cpus=4,
    pids=(1, 6001),
    clock=Window(NOW, NOW + 20),
    real=Window(NOW, NOW + 20),
    source_times=Window(NOW - 900, NOW - 60),
)
EXPERIMENT = Planted(
    build_path="/ftc-build-cgpvls/elsewhere/demo-cgpvls",
    home="/ftc-home-cgpvls",
    temp_dir="/ftc-tmp-cgpvls",
    variables={
        "TZ": "FTC-14", "LC_ALL": "C.UTF-8", "COLUMNS": "133", "LINES": "43", "TERM": "vt100", "PATH": "/usr/bin:/x",
        "FTC_CANARY_EXTRA": "ftc-extra-cgpvls",
    },
    umask=0o077,
    uid=52741,
    gid=52742,
    user="user-cgpvls",
    group="group-cgpvls",
    host="host-cgpvls",
    machine_id="7" * 32,
    release="2.6.78",
    cpus=1,
    randomised_addresses=True,
    pids=(30000, 36000),
    clock=Window(LATER, LATER + 20),
    real=Window(NOW + 3, NOW + 23),
    source_times=Window(NOW - 900 - 34_665_000, NOW - 60 - 34_665_000),
    source_mtime_shift=-34_665_000,
    utc_offset=14 * 3600,
    file_order=FileOrder.REVERSED,
    filesystem=FileSystem.TMPFS,
)  # fmt: skip


def look(control, experiment, field=Field.CONTENT, **more):
    return suspect(
        Place(field=field, location="line 1", control=control, experiment=experiment, **more), CONTROL, EXPERIMENT
    )


def date(form, seconds):
    return time.strftime(form, time.gmtime(seconds)).encode()
