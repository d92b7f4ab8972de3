"""The gap in real time between builds: left out only where it cannot show anything."""

TOML = """
[artifacts.plain]
build = "{plain}"
outputs = ["o"]
"""
PLAIN = "sleep 0.6; sort words > o"
TAR = "date > d; tar cf o --mtime=@0 --owner=0 --group=0 --mode=0644 words"


def gaps(run):
    control, *experiments = run.artifact("plain")["builds"]
    return [(build["started"] - control["started"], build.get("no_gap")) for build in experiments]


def test_a_build_that_reads_no_times_of_files_is_not_waited_for(project, verify):
    (project / "words").write_text("b\na\n")
    run = verify(TOML.format(plain=PLAIN))
    assert run.verdicts == {"plain": "reproducible"}, run.text
    assert "time" in run.artifact()["varied"]
    (apart, why), *_ = gaps(run)
    assert 0.6 <= apart < 2.1
    assert why == "no program of the control reads the time of a file"


def test_next_time_both_builds_begin_together_and_a_gap_is_made_up_for(project, verify):
    (project / "words").write_text("b\na\n")
    verify(TOML.format(plain=PLAIN))
    (project / "words").write_text("c\na\n")
    (apart, why), *_ = gaps(verify(TOML.format(plain=PLAIN)))
    assert apart < 0.6
    assert why
    again = verify(TOML.format(plain=TAR))
    (apart, why), *_ = gaps(again)
    assert apart >= 2.0
    assert not why
    assert again.verdicts == {"plain": "reproducible"}, again.text


def test_a_time_of_a_file_is_found_all_the_same(project, verify):
    """The same as with a gap: the control began with the experiment, since the last one read no times."""
    (project / "words").write_text("b\na\n")
    verify(TOML.format(plain="cat words > o"))
    run = verify(TOML.format(plain="date > d; tar cf o d"))
    assert run.verdicts == {"plain": "unreproducible"}, run.text
