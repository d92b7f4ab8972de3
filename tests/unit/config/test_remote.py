"""The table ``[tool.ftc.remote]``."""

import pytest

from pytest_ftc.builds.inputs.secret_sources import SecretSource
from pytest_ftc.config.load import load_config
from pytest_ftc.config.remote import RemoteSettings
from pytest_ftc.model import Replica
from pytest_ftc.model.errors import ConfigurationError
from pytest_ftc.variations.specification import Vocabulary

_AT = "[tool.ftc.remote]\nendpoint = "


def load(root, text):
    (root / "pyproject.toml").write_text(text)
    return load_config(root, {}, Vocabulary(())).remote


def test_without_the_table_there_is_no_farm(tmp_path):
    assert load(tmp_path, "[tool.ftc]\n") is None


def test_defaults(tmp_path):
    assert load(tmp_path, f"{_AT}'grpc://127.0.0.1:50051'\n") == RemoteSettings(target="127.0.0.1:50051")
    assert load(tmp_path, f"{_AT}'grpcs://[::1]:443'\n") == RemoteSettings(target="[::1]:443", secure=True)


def test_all_keys(tmp_path):
    for name in ("ca.pem", "cert.pem", "key.pem"):
        (tmp_path / name).write_text("PEM")
    found = load(
        tmp_path,
        f"{_AT}'grpcs://farm.example:443'\ninstance = 'main'\nstore = true\n"
        "tls = {ca = 'ca.pem', cert = 'cert.pem', key = 'key.pem'}\nheaders = {authorization = 'env:TOKEN'}\n"
        "max_in_flight = 7\nmax_cpu_seconds = 3600\n"
        "replicas = {control = {pool = 'a'}, experiment = {pool = 'b', arch = 'x'}}\n",
    )
    assert found == RemoteSettings(
        target="farm.example:443",
        secure=True,
        instance="main",
        ca=tmp_path / "ca.pem",
        cert=tmp_path / "cert.pem",
        key=tmp_path / "key.pem",
        headers={"authorization": SecretSource(variable="TOKEN")},
        store=True,
        replicas={Replica.CONTROL: {"pool": "a"}, Replica.EXPERIMENT: {"pool": "b", "arch": "x"}},
        max_in_flight=7,
        max_cpu_seconds=3600.0,
    )


_HERE = f"{_AT}'grpc://localhost:1'\n"
_AWAY = f"{_AT}'grpc://farm.example:1'\n"
_TLS = f"{_AT}'grpcs://farm.example:1'\n"


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (_HERE + "replicas = {control = {pool = 'a'}}", "[tool.ftc.remote.replicas] experiment: expected the platform"),
        (_HERE + "replicas = {control = {pool = 'a'}, experimnt = {}}", "did you mean 'experiment'?"),
        (_HERE + "replicas = {control = {a = '1'}, experiment = {a = '1'}}", "expected other properties than those"),
        (_HERE + "replicas = {control = 'a', experiment = 'b'}", "[tool.ftc.remote.replicas] control: expected a table"),
        ("[tool.ftc]\nremote = 'grpc://a:1'", "remote: expected a table, found 'grpc://a:1'"),
        ("[tool.ftc.remot]\nendpoint = 'a'", "unknown key 'remot'; did you mean 'remote'?"),
        ("[tool.ftc.remote]\nstore = true", "pyproject.toml:1: [tool.ftc.remote] key 'endpoint' is missing; expected grpc://HOST:PORT"),
        (_HERE + "max_in_flight = 0", "[tool.ftc.remote] max_in_flight: expected a number of builds from 1 to 1000, found 0"),
        (_HERE + "max_in_flight = true", "max_in_flight: expected a number of builds from 1 to 1000, found"),
        (_HERE + "max_cpu_seconds = -1", "[tool.ftc.remote] max_cpu_seconds: expected a number of seconds above 0, found -1"),
        (_HERE + "max_cpu_seconds = inf", "max_cpu_seconds: expected a number of seconds above 0"),
        (_AT + "'http://a:1'", "pyproject.toml:2: [tool.ftc.remote] endpoint: expected grpc://HOST:PORT, or grpcs://HOST:PORT for TLS, found 'http://a:1'"),
        (_AT + "'grpc://a'", "endpoint: expected grpc://HOST:PORT"),
        (_AT + "'grpc://a:0'", "endpoint: expected grpc://HOST:PORT"),
        (_AT + "'grpc://a:65536'", "endpoint: expected grpc://HOST:PORT"),
        (_AT + "'grpc://a:1/x'", "endpoint: expected grpc://HOST:PORT"),
        (_AT + "1", "endpoint: expected non-empty text"),
        (_HERE + "stroe = true", "unknown key 'stroe'; did you mean 'store'?"),
        (_HERE + "store = 'yes'", "pyproject.toml:3: [tool.ftc.remote] store: expected true or false, found 'yes'"),
        (_HERE + "instance = 1", "instance: expected non-empty text"),
        (_HERE + "tls = {}", "tls: expected grpcs:// in endpoint beside it"),
        (_TLS + "tls = {cert = 'c.pem'}", "[tool.ftc.remote.tls] cert: expected key beside it"),
        (_TLS + "tls = {ca = 'none.pem'}", "ca: expected a file in PEM, found 'none.pem', which is none"),
        (_TLS + "tls = {cu = 'none.pem'}", "unknown key 'cu'; did you mean 'ca'?"),
        (_HERE + "headers = 'x'", "headers: expected a table of sources, found str"),
        (_HERE + "headers = {Authorization = 'env:X'}", "Authorization: expected the name of a header of gRPC in lower case"),
        (_HERE + "headers = {grpc-x = 'env:X'}", "grpc-x: expected the name of a header"),
        (_HERE + "headers = {x-bin = 'env:X'}", "x-bin: expected the name of a header"),
        (_AWAY + "headers = {x = 'env:X'}", "headers: expected grpcs:// in endpoint: without TLS, others could read the values"),
    ],
)  # fmt: skip
def test_mistakes_are_one_clear_error(tmp_path, table, said):
    with pytest.raises(ConfigurationError) as caught:
        load(tmp_path, table)
    assert said in str(caught.value)


def test_a_secret_in_the_place_of_its_source_is_not_shown(tmp_path):
    with pytest.raises(ConfigurationError) as caught:
        load(tmp_path, _HERE + "headers = {authorization = 'Bearer s3cret'}")
    assert "authorization: expected 'env:VARIABLE'" in str(caught.value)
    assert "s3cret" not in str(caught.value)
