"""What sessions note for each other about the sample."""

import json
import threading

from pytest_ftc.verification.sampling import Sampler


def test_sessions_that_end_at_once_lose_nothing_of_each_other(tmp_path):
    def session(name):
        Sampler(tmp_path, tmp_path / "samples", rate=0.5, most_left_out=5).remember([name], [], ["always left out"])

    threads = [threading.Thread(target=session, args=(f"a{number}",)) for number in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (file,) = (tmp_path / "samples").glob("*.json")
    records = json.loads(file.read_text())
    assert len(records) == 31
    assert records["always left out"]["left_out"] == 30


def test_what_did_not_pass_is_due(tmp_path):
    sample = Sampler(tmp_path, tmp_path / "samples", rate=0.5, most_left_out=5)
    sample.remember(["a", "b"], [], [])
    sample.remember([], ["a"], ["b"])
    (file,) = (tmp_path / "samples").glob("*.json")
    records = json.loads(file.read_text())
    assert records["a"]["verified"] is None
    assert (records["b"]["left_out"], records["b"]["verified"] is None) == (1, False)
