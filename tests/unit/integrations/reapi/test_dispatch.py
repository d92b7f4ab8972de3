"""The policy for builds on a farm: quotas, lost workers, stragglers."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ftc.integrations.reapi.attempts import Attempt, Times
from pytest_ftc.integrations.reapi.dispatch import Dispatcher, Policy, QuotaError
from pytest_ftc.integrations.reapi.errors import RemoteError, TransientError

QUICK = {"first_pause": 0.01, "step": 0.02}


def takes(seconds, value="done", ended=None):
    """Return what launches an execution of `seconds`, each attempt its own."""

    async def launch(attempt):
        attempt.enter("EXECUTING")
        try:
            await asyncio.sleep(seconds[min(attempt.number, len(seconds) - 1)])
        except asyncio.CancelledError:
            if ended is not None:
                ended.append(attempt.number)
            raise
        return f"{value} {attempt.number}"

    return launch


def loses(times):
    async def launch(attempt):
        if attempt.number < times:
            raise TransientError(f"worker {attempt.number} was lost")
        return attempt.number

    return launch


def test_never_more_than_allowed_are_in_flight_and_the_first_come_is_first_served():
    running, most, order = [], [], []

    async def main():
        dispatcher = Dispatcher(Policy(max_in_flight=7, **QUICK))

        async def one(number):
            async def launch(attempt):
                order.append(number)
                running.append(attempt)
                most.append(len(running))
                await asyncio.sleep(0.01)
                running.remove(attempt)

            await dispatcher.run("a", launch)

        await asyncio.gather(*map(one, range(50)))

    asyncio.run(main())
    assert max(most) == 7
    assert order == list(range(50))


def test_a_lost_worker_is_replaced_and_recorded():
    found = asyncio.run(Dispatcher(Policy(**QUICK)).run("a", loses(2)))
    assert found.value == 2
    assert found.losses() == ("worker 0 was lost", "worker 1 was lost")
    assert not found.was_late()
    assert found.tell() == ()
    assert [each.number for each in found.attempts] == [0, 1, 2]


def test_too_many_lost_workers_are_an_error():
    with pytest.raises(TransientError, match="worker 2 was lost"):
        asyncio.run(Dispatcher(Policy(**QUICK)).run("a", loses(3)))


def test_other_errors_are_not_retried():
    numbers = []

    async def launch(attempt):
        numbers.append(attempt.number)
        raise RemoteError("no")

    with pytest.raises(RemoteError, match="no"):
        asyncio.run(Dispatcher(Policy(**QUICK)).run("a", launch))
    assert numbers == [0]


def test_a_straggler_gets_a_second_attempt_and_the_first_answer_wins():
    ended = []
    dispatcher = Dispatcher(Policy(**QUICK), lambda artifact: [0.1] * 5)
    found = asyncio.run(dispatcher.run("a", takes([5, 0.05], ended=ended)))
    assert found.value == "done 1"
    assert found.was_late()
    assert [(each.outcome, each.second) for each in found.attempts] == [("cancelled", False), ("answered", True)]
    assert ended == [0]
    assert found.tell() == (
        "the build was late on the farm and was given to a second worker; the second answered first",
    )


def test_the_first_attempt_may_still_win():
    ended = []
    dispatcher = Dispatcher(Policy(**QUICK), lambda artifact: [0.1] * 5)
    found = asyncio.run(dispatcher.run("a", takes([0.3, 5], ended=ended)))
    assert (found.value, found.was_late(), ended) == ("done 0", True, [1])
    assert found.tell()[0].endswith("; the first answered first")


@pytest.mark.parametrize("options", [{"may_repeat": False}, {"hedged": 0.0}, {"max_in_flight": 1}, {"past": []}])
def test_there_is_none_where_it_may_not_be_or_has_no_room_or_nobody_knows(options):
    past = options.pop("past", [0.1] * 5)
    repeat = options.pop("may_repeat", True)
    dispatcher = Dispatcher(Policy(**QUICK, **options), lambda artifact: past)
    found = asyncio.run(dispatcher.run("a", takes([0.4, 0.0]), may_repeat=repeat))
    assert (found.value, len(found.attempts)) == ("done 0", 1)


def test_one_that_waits_in_the_farms_queue_is_not_late():
    async def launch(attempt):
        attempt.enter("QUEUED")
        await asyncio.sleep(0.4)
        return attempt.number

    dispatcher = Dispatcher(Policy(**QUICK), lambda artifact: [0.1] * 5)
    assert len(asyncio.run(dispatcher.run("a", launch)).attempts) == 1


def test_second_attempts_are_few():
    async def main():
        dispatcher = Dispatcher(Policy(hedged=0.05, **QUICK), lambda artifact: [0.05] * 5)
        return await asyncio.gather(*(dispatcher.run("a", takes([0.3])) for _ in range(40)))

    assert sum(each.was_late() for each in asyncio.run(main())) == 3


def test_a_slot_of_a_second_attempt_is_given_back():
    async def main():
        dispatcher = Dispatcher(Policy(max_in_flight=2, hedged=1.0, **QUICK), lambda artifact: [0.05] * 5)
        for _ in range(4):
            assert (await dispatcher.run("a", takes([5, 0.0]))).was_late()

    asyncio.run(asyncio.wait_for(main(), 10))


def test_cancelling_ends_all_attempts():
    ended = []

    async def main():
        dispatcher = Dispatcher(Policy(**QUICK), lambda artifact: [0.05] * 5)
        task = asyncio.ensure_future(dispatcher.run("a", takes([5], ended=ended)))
        await asyncio.sleep(0.3)
        task.cancel()
        await asyncio.wait({task})
        assert task.cancelled()

    asyncio.run(main())
    assert sorted(ended) == [0, 1]


def test_the_quota_ends_what_runs_and_refuses_what_comes():
    async def main():
        dispatcher = Dispatcher(Policy(max_cpu_seconds=0.5, **QUICK))
        with pytest.raises(QuotaError, match=r"s of workers; it may use 0.5 s"):
            await asyncio.gather(*(dispatcher.run("a", takes([10])) for _ in range(4)))
        with pytest.raises(QuotaError) as caught:
            await dispatcher.run("a", takes([0]))
        assert "max_cpu_seconds in [tool.ftc.remote]" in caught.value.advice

    asyncio.run(asyncio.wait_for(main(), 5))


def test_what_the_launcher_says_of_its_cpu_seconds_counts():
    async def launch(attempt):
        attempt.enter("EXECUTING")
        attempt.cpu_seconds = 60.0

    async def main():
        dispatcher = Dispatcher(Policy(max_cpu_seconds=100, **QUICK))
        await dispatcher.run("a", launch)
        await dispatcher.run("a", launch)
        with pytest.raises(QuotaError, match=r"used 120\.0 s of workers"):
            await dispatcher.run("a", launch)

    asyncio.run(main())


def test_a_farm_that_names_no_stage_before_the_end_counts_from_the_start():
    async def launch(attempt):
        await asyncio.sleep(0.2)
        attempt.enter("COMPLETED")

    async def main():
        dispatcher = Dispatcher(Policy(max_cpu_seconds=0.3, **QUICK))
        (attempt,) = (await dispatcher.run("a", launch)).attempts
        assert attempt.seconds >= 0.2
        with pytest.raises(QuotaError):
            await asyncio.gather(dispatcher.run("a", launch), dispatcher.run("a", launch))

    asyncio.run(main())


def test_a_lost_worker_ends_the_time_of_an_attempt():
    attempt = Attempt(number=0, second=False)
    attempt.enter("QUEUED")
    assert attempt.running() == 0
    attempt.enter("EXECUTING")
    assert attempt.running() > 0
    attempt.enter("QUEUED")
    assert attempt.running() == 0


@given(st.lists(st.integers(0, 1000), max_size=40), st.lists(st.integers(0, 1000), max_size=40))
def test_late_is_what_few_builds_were(own, others):
    times = Times(lambda artifact: ())
    for seconds in own:
        times.note("a", seconds)
    for seconds in others:
        times.note("b", seconds)
    known = own if len(own) >= 5 else [*own, *others] if len(own) + len(others) >= 20 else None
    late = times.late_after("a")
    assert (late is None) == (known is None)
    if known and late is not None:
        assert min(known) <= late <= max(known)
        assert sum(each > late for each in known) <= 0.05 * len(known) + 1
