"""The table ``[tool.ftc.metrics]``."""

import platform

import pytest

from pytest_ftc.builds.inputs.secret_sources import SecretSource
from pytest_ftc.config.load import load_config
from pytest_ftc.config.metrics import TAKEN, Pushgateway
from pytest_ftc.integrations.metrics.table import TABLE
from pytest_ftc.model.errors import ConfigurationError
from pytest_ftc.variations.specification import Vocabulary
from pytest_ftc.verification.confidential.concealed import list_concealed
from pytest_ftc.verification.user_folders import written_by


def load_all(root, text):
    (root / "pyproject.toml").write_text(text)
    return load_config(root, {}, Vocabulary(()))


def load(root, text):
    return load_all(root, f"[tool.ftc.metrics]\n{text}").metrics


def test_without_the_table_nothing_is_measured(tmp_path):
    assert load_all(tmp_path, "[tool.ftc]\n").metrics is None


def test_by_default_a_group_belongs_to_a_project_on_a_machine(tmp_path):
    settings = load(tmp_path, 'pushgateway = "http://127.0.0.1:9091/"')
    assert settings.project == tmp_path.name
    assert settings.pushgateway == Pushgateway(
        url="http://127.0.0.1:9091", job="ftc", grouping={"instance": platform.node()}
    )


def test_every_key_is_read(tmp_path):
    (tmp_path / "ca.pem").touch()
    settings = load(
        tmp_path,
        'project = "libfoo"\ntextfile = "out/ftc.prom"\npushgateway = "https://push.example.org/gateway"\njob = "nightly"\n'
        'grouping = {instance = "ci"}\nheaders = {authorization = "env:TOKEN"}\nca = "ca.pem"',
    )
    assert (settings.project, settings.textfile) == ("libfoo", tmp_path / "out/ftc.prom")
    assert settings.pushgateway == Pushgateway(
        url="https://push.example.org/gateway",
        job="nightly",
        grouping={"instance": "ci"},
        headers={"authorization": SecretSource(variable="TOKEN")},
        ca=tmp_path / "ca.pem",
    )


def test_headers_may_go_to_this_machine_without_tls(tmp_path):
    for host in ("localhost", "127.0.0.1:9091", "[::1]:9091"):
        assert load(tmp_path, f'pushgateway = "http://{host}"\nheaders = {{authorization = "env:T"}}')


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("text_file = 'x.prom'", "pyproject.toml:2: [tool.ftc.metrics] unknown key 'text_file'; did you mean 'textfile'?"),
        ("project = 'x'", "[tool.ftc.metrics] expected textfile, pushgateway or both, found neither"),
        ("textfile = 'ftc.txt'", "textfile: expected a file *.prom, others are not read by node_exporter, found 'ftc.txt'"),
        ("textfile = 3", "textfile: expected non-empty text on one line, found 3"),
        ("textfile = 'x.prom'\njob = 'x'", "job: expected pushgateway beside it"),
        ("pushgateway = 'push:9091'", "pushgateway: expected a URL such as https://push.example.org:9091, found 'push:9091'"),
        ("pushgateway = 'http://h:99999'", "pushgateway: expected a URL"),
        ("pushgateway = 'http://me:hunter2@h'", "pushgateway: expected a URL without a password"),
        ("pushgateway = 'http://h/?a=b'", "pushgateway: expected a URL"),
        ("pushgateway = 'http://h'\nheaders = {authorization = 'env:T'}", "headers: expected https:// in pushgateway"),
        ("pushgateway = 'https://h'\nheaders = {authorization = 'hunter2'}", "authorization: expected 'env:VARIABLE'"),
        ("pushgateway = 'https://h'\nheaders = {'a b' = 'env:T'}", "expected the name of a header of HTTP"),
        ("pushgateway = 'http://h'\nca = 'ca.pem'", "ca: expected https:// in pushgateway beside it"),
        ("pushgateway = 'https://h'\nca = 'gone.pem'", "ca: expected a file in PEM, found 'gone.pem', which is none"),
        ("pushgateway = 'http://h'\ngrouping = {project = 'x'}", "project: expected another label"),
        ("pushgateway = 'http://h'\ngrouping = {'a-b' = 'x'}", "'a-b': expected the name of a label"),
        ("pushgateway = 'http://h'\ngrouping = {instance = 3}", "instance: expected non-empty text on one line, found 3"),
        ("pushgateway = 'http://h'\ngrouping = 'x'", "grouping: expected a table such as"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_clear_error_without_secrets(tmp_path, table, said):
    with pytest.raises(ConfigurationError) as caught:
        load(tmp_path, table)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_group_cannot_overwrite_a_label_of_a_metric():
    assert {label for metric in TABLE for label in metric.labels} <= set(TAKEN)


def test_builds_see_no_secret_of_a_header_and_the_textfile_is_no_source(tmp_path):
    config = load_all(
        tmp_path,
        '[tool.ftc.metrics]\ntextfile = "ftc.prom"\npushgateway = "https://h"\nheaders = {authorization = "file:token"}\n'
        '[tool.ftc.remote]\nendpoint = "grpcs://h:1"\nheaders = {authorization = "file:other"}\n',
    )
    assert {str(tmp_path / "token"), str(tmp_path / "other")} <= set(list_concealed(config))
    assert written_by(config).leave_out(tmp_path, ["a.c", "ftc.prom", ".ftc.prom.x7"]) == ["a.c"]
