"""Every mistake in the configuration is one clear usage error: file, line, key, found, expected, nearest name."""

import pytest

GOOD = '[artifacts.app]\nbuild = "touch out"\noutputs = ["out"]\n'

MISTAKES = [
    # the file, what the error says
    ("[artifacts.app\n", "ftc.toml:1: not valid TOML"),
    ('x = "a\nb"\n', "ftc.toml:1: not valid TOML"),
    (GOOD + GOOD, "ftc.toml:4: [artifacts.app] is declared twice"),
    ("artefacts = 1\n", "ftc.toml:1: unknown key 'artefacts'; did you mean 'artifacts'?"),
    ("artifacts = 3\n", "ftc.toml:1: artifacts: expected a table of artifacts, found 3"),
    ("[artifacts]\napp = 3\n", "ftc.toml:2: [artifacts] app: expected a table, found 3"),
    ('[artifacts.app]\noutputs = ["out"]\n', "ftc.toml:1: [artifacts.app] key 'build' is missing; expected a command"),
    ('[artifacts.app]\nbuild = "x"\n', "ftc.toml:1: [artifacts.app] key 'outputs' is missing; expected a list of globs"),
    (GOOD + 'output = ["x"]\n', "ftc.toml:4: [artifacts.app] unknown key 'output'; did you mean 'outputs'?"),
    (GOOD + 'timeout = "5"\n', "ftc.toml:4: [artifacts.app] timeout: expected a number of seconds above 0, found '5'"),
    (GOOD + "timeout = -5\n", "timeout: expected a number of seconds above 0, found -5"),
    (GOOD + "timeout = nan\n", "timeout: expected a number of seconds above 0, found nan"),
    (GOOD + "timeout = true\n", "timeout: expected a number of seconds above 0, found True"),
    (GOOD + 'source = "nowhere"\n', "ftc.toml:4: [artifacts.app] source: expected an existing folder, found 'nowhere'"),
    (GOOD + 'source = "ftc.toml"\n', "source: expected an existing folder, found 'ftc.toml'"),
    (GOOD + 'source_date_epoch = "now"\n', "source_date_epoch: expected 'git', 'unset' or a whole number of seconds"),
    (GOOD + "source_date_epoch = -1\n", "source_date_epoch: expected 'git', 'unset' or a whole number"),
    (GOOD + 'metadata = "loose"\n', "metadata: expected 'content' or 'strict', found 'loose'"),
    (GOOD + "tolerance = 1e-6\n", "ftc.toml:4: [artifacts.app] tolerance: expected a table such as { '*.npy' = 1e-6 }, found 1e-06"),
    (GOOD + "tolerance = {'*.npy' = '1e-6'}\n", "ftc.toml:4: [artifacts.app] tolerance: expected a number above 0 for *.npy, such as 1e-6, found {'*.npy': '1e-6'}"),
    (GOOD + "tolerance = {'*.npy' = 0}\n", "tolerance: expected a number above 0 for *.npy"),
    (GOOD + "tolerance = {'*.npy' = nan}\n", "tolerance: expected a number above 0 for *.npy"),
    (GOOD + "tolerance = {'*.npy' = inf}\n", "tolerance: expected a number above 0 for *.npy"),
    (GOOD + "tolerance = {'' = 1e-6}\n", "tolerance: expected a table such as { '*.npy' = 1e-6 }, found {'': 1e-06}"),
    (GOOD + "env = 3\n", "env: expected a table of texts, found 3"),
    (GOOD + "env = {A = 3}\n", "env: expected text for A, in quotes, found {'A': 3}"),
    (GOOD + 'env = {"A=B" = "x"}\n', "env: expected names without '='"),
    (GOOD + 'pass_env = "CI"\n', "pass_env: expected a list of names such as ['JAVA_HOME', 'CI_*'], found 'CI'"),
    (GOOD + 'variations = "tyme"\n', "variations: unknown variation 'tyme'; did you mean 'time'?"),
    (GOOD + 'variations = "none"\n', "variations: expected a specification that selects at least one variation"),
    (GOOD + 'variations = "time.ofset=7d"\n', "ftc.toml:4: [artifacts.app] variations: unknown parameter 'time.ofset'; did you mean 'time.offset'?"),
    ('variations = "time.offset=soon"\n' + GOOD, "ftc.toml:1: variations: time.offset: expected a length of time up to 40 years, such as"),
    ('variations = "quik"\n' + GOOD, "ftc.toml:1: variations: unknown variation 'quik'; did you mean 'quick'?"),
    ('variations = "umask.mask=7"\n' + GOOD, "ftc.toml:1: variations: umask has no parameters, found 'umask.mask'"),
    ('variations = 3\n' + GOOD, "ftc.toml:1: variations: expected text such as 'all,-umask', found 3"),
    ("builds = 1\n" + GOOD, "ftc.toml:1: builds: expected 'auto' or a whole number of at least 2, found 1"),
    ("jobs = 0\n" + GOOD, "jobs: expected a whole number of at least 1, found 0"),
    ("report = 3\n" + GOOD, "report: expected non-empty text, found 3"),
    ('[artifacts.app]\nbuild = ""\noutputs = ["out"]\n', "ftc.toml:2: [artifacts.app] build: expected a command"),
    ('[artifacts.app]\nbuild = []\noutputs = ["out"]\n', "build: expected a command: text for the shell, or a list"),
    ('[artifacts.app]\nbuild = [1]\noutputs = ["out"]\n', "build: expected a command"),
    ('[artifacts.app]\nbuild = "x"\noutputs = []\n', "outputs: expected a list of globs such as ['dist/*.whl'], found []"),
    ('[artifacts.app]\nbuild = "x"\noutputs = "out"\n', "outputs: expected a list such as ['out'], found 'out'"),
    ('[artifacts.app]\nbuild = "x"\noutputs = ["/etc/x"]\n', "outputs: expected globs below the source folder"),
    ('[artifacts.app]\nbuild = "x"\noutputs = ["../x"]\n', "outputs: expected globs below the source folder"),
    ('[artifacts.app]\nbuild = "x"\noutputs = [""]\n', "outputs: expected globs below the source folder"),
    ('[artifacts."a::b"]\nbuild = "x"\noutputs = ["x"]\n', "'a::b' is no name for an artifact"),
    ('[artifacts."a/b"]\nbuild = "x"\noutputs = ["x"]\n', "'a/b' is no name for an artifact"),
]  # fmt: skip


def assert_usage_error(run, message):
    assert run.status == 4, run.text
    assert message in run.text
    assert run.text.count("ERROR") == 1
    assert "Traceback" not in run.text
    assert "INTERNALERROR" not in run.text


@pytest.mark.parametrize(("toml", "message"), MISTAKES, ids=[message[:60] for _, message in MISTAKES])
def test_a_mistake_in_the_file(verify, toml, message):
    assert_usage_error(verify(toml), message)


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("--ftc-builds=x", "--ftc-builds: expected 'auto' or a whole number of at least 2, found 'x'"),
        ("--ftc-builds=1", "--ftc-builds: expected 'auto' or a whole number of at least 2, found '1'"),
        ("--ftc-jobs=0", "--ftc-jobs: expected a whole number of at least 1, found '0'"),
        ("--ftc-variations=+tyme", "--ftc-variations: unknown variation 'tyme'; did you mean 'time'?"),
        ("--ftc-variations=num_cpus.experiment=0", "--ftc-variations: num_cpus.experiment: expected a whole number of CPUs, at least 1, found '0'"),
        ("--ftc-variations=network.mode=off", "--ftc-variations: network.mode: expected 'experiment' or 'both', found 'off'"),
        ("--ftc-variations=locales.names=", "--ftc-variations: locales.names: expected names of locales such as"),
        ("--ftc-variations=tyme.offset=7", "--ftc-variations: unknown variation 'tyme'; did you mean 'time'?"),
        ("--ftc-variations=time.offset", "--ftc-variations: 'time.offset' gives no value; expected 'time.offset=' and a length of time"),
        ("--ftc-variations=none", "--ftc-variations: expected a specification that selects at least one variation"),
    ],
)  # fmt: skip
def test_a_mistake_on_the_command_line(verify, argument, message):
    assert_usage_error(verify(GOOD, argument), message)


def test_two_configurations(verify, project):
    (project / "pyproject.toml").write_text('[tool.ftc.artifacts.app]\nbuild = "x"\noutputs = ["x"]\n')
    assert_usage_error(verify(GOOD), "ftc.toml and [tool.ftc] in pyproject.toml both configure pytest-ftc")


def test_a_mistake_in_pyproject_names_the_table_in_full(verify, project):
    (project / "pyproject.toml").write_text('[tool.ftc.artifacts.app]\nbuild = "x"\noutputs = ["x"]\ntimeout = 0\n')
    assert_usage_error(verify(), "pyproject.toml:4: [tool.ftc.artifacts.app] timeout: expected a number")


def test_a_file_that_is_not_utf_8(verify, project):
    (project / "ftc.toml").write_bytes(b"# caf\xe9\n")
    assert_usage_error(verify(), "ftc.toml: expected UTF-8, found the byte 0xe9")


def test_a_folder_in_place_of_the_file(verify, project):
    (project / "ftc.toml").mkdir()
    assert_usage_error(verify(), "ftc.toml: cannot be read: Is a directory")


def test_nothing_to_verify(verify):
    assert_usage_error(verify(), "no artifact is declared")


@pytest.mark.parametrize("option", ["--ftc-report=blocked/folder", "--ftc-json=blocked/report.json"])
def test_a_report_that_cannot_be_written_is_told_before_anything_is_built(verify, project, option):
    (project / "blocked").write_text("a file")
    assert_usage_error(verify(GOOD, option), "expected a writable folder, found")


def test_a_report_that_cannot_be_written_in_the_end_leaves_the_verdicts_on_the_screen(verify, project):
    (project / "results/report.json").mkdir(parents=True)
    run = verify(GOOD, "--ftc-report=results")
    assert run.status == 4
    assert "reproducible  app" in run.text
    assert "ERROR: cannot write the report to" in run.text
