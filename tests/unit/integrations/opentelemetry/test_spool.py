"""What processes have done is in files, and survives them."""

import json
import os
import subprocess
import sys
import threading

from pytest_ftc.integrations.opentelemetry.spool import Span, Spool, SpoolReader
from pytest_ftc.model.timing.phase import Phase, PhaseKind

PHASE = Phase(
    id="ab" * 8,
    parent="cd" * 8,
    kind=PhaseKind.STORE_GET,
    name="x\udc80\n",
    started=12.5,
    seconds=0.25,
    attributes={"found": True, "n": 3, "role": "control"},
    problem="OSError",
)


def span(number, **more):
    return Span(id=f"{number:016x}", parent="", kind="session", name="", started=0, seconds=0, **more)


def test_a_phase_comes_back_as_it_was(tmp_path):
    spool = Spool(tmp_path)
    spool.add_phase(PHASE)
    assert SpoolReader(tmp_path).take(10) == [
        Span(
            id="ab" * 8,
            parent="cd" * 8,
            kind="store get",
            name="x\udc80\n",
            started=12.5,
            seconds=0.25,
            attributes={"found": True, "n": 3, "role": "control"},
            problem="OSError",
            process=os.getpid(),
        )
    ]
    assert spool.close()


def test_a_reader_takes_each_span_once_from_all_processes(tmp_path):
    first, second, reader = Spool(tmp_path), Spool(tmp_path), SpoolReader(tmp_path)
    for number in range(5):
        (first if number % 2 else second).add(span(number))
    assert reader.count() == 5
    taken = [*reader.take(2), *reader.take(2)]
    assert reader.count() == 1
    first.add(span(5))
    taken += reader.take(10)
    assert sorted(one.id for one in taken) == [f"{number:016x}" for number in range(6)]
    assert reader.take(10) == []


def test_threads_write_whole_lines(tmp_path):
    spool = Spool(tmp_path)
    threads = [
        threading.Thread(target=lambda start=start: [spool.add(span(start + one)) for one in range(200)])
        for start in range(0, 1600, 200)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {one.id for one in SpoolReader(tmp_path).take(9999)} == {f"{number:016x}" for number in range(1600)}


def test_what_a_killed_process_has_written_is_there(tmp_path):
    program = (
        "import os, sys, pathlib\n"
        "from pytest_ftc.integrations.opentelemetry.spool import Span, Spool\n"
        "spool = Spool(pathlib.Path(sys.argv[1]))\n"
        "for n in range(3): spool.add(Span(id=f'{n:016x}', parent='', kind='k', name='', started=0, seconds=0))\n"
        "os.kill(os.getpid(), 9)\n"
    )
    assert subprocess.run([sys.executable, "-c", program, str(tmp_path)]).returncode == -9
    assert len(SpoolReader(tmp_path).take(10)) == 3


def test_half_a_line_waits_and_a_broken_one_is_left_out(tmp_path):
    spool, reader = Spool(tmp_path), SpoolReader(tmp_path)
    spool.add(span(1))
    (file,) = tmp_path.iterdir()
    whole = json.dumps({"id": "2", "parent": "", "kind": "k", "name": "", "started": 0, "seconds": 0}).encode()
    with file.open("ab") as stream:
        stream.write(b'nonsense\n{"id": "9"}\n' + whole[:10])
        stream.flush()
        assert [one.id for one in reader.take(10)] == [f"{1:016x}"]
        assert reader.count() == 0
        stream.write(whole[10:] + b"\n")
    assert [one.id for one in reader.take(10)] == ["2"]


def test_without_its_folder_spans_are_lost_and_nothing_is_raised(tmp_path):
    spool = Spool(tmp_path / "gone")
    spool.add_phase(PHASE)
    assert not spool.close()
    assert SpoolReader(tmp_path / "gone").take(10) == []
