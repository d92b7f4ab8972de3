"""Uploads that are interrupted, on either side, and registries that are asked at the same time."""

import hashlib
import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from publishing import make_project
from services.conftest import start
from services.faulty_line import line_to

from pytest_ftc.integrations.registry.documents import Document, layer_of
from pytest_ftc.integrations.registry.outputs import opened_outputs
from pytest_ftc.integrations.registry.publishing import publish
from pytest_ftc.integrations.registry.referrers import list_referrers
from pytest_ftc.integrations.registry.remote import RegistryError, opened, parse_reference
from pytest_ftc.integrations.registry.session import Bounds
from pytest_ftc.integrations.registry.upload import CHUNK, upload
from pytest_ftc.integrations.retry import Persistence

SIZE = 3 * CHUNK + 1000


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """A project with an output that takes four chunks."""
    return make_project(tmp_path_factory.mktemp("large") / "app", {"dist/large.bin": os.urandom(SIZE)})


@pytest.fixture
def own_registry(tmp_path_factory):
    yield from start(tmp_path_factory.mktemp("own-registry"))


def publishing(app, ref, *more):
    """The command, in a process of its own."""
    command = [sys.executable, "-m", "pytest_ftc", "publish", "app", ref, *app.arguments, *more]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def fetched(app, ref, folder):
    command = [sys.executable, "-m", "pytest_ftc", "fetch", ref, "-p", app.policy, "-o", str(folder)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return hashlib.sha256((folder / "large.bin").read_bytes()).hexdigest()


def digest_of(app):
    return app.verification.builds[0].outputs[0].sha256


def test_a_client_that_is_killed_in_mid_upload_starts_again(own_registry, large, tmp_path):
    with line_to(own_registry.host) as line:
        line.limit = CHUNK + CHUNK // 2
        client = publishing(large, f"{line.host}/killed:1.0")
        try:
            assert line.stopped.wait(30), client.poll()
        finally:
            client.send_signal(signal.SIGKILL)
            client.communicate()
        assert client.returncode == -signal.SIGKILL
    assert own_registry.get("killed/tags/list") is None
    ref = f"{own_registry.host}/killed:1.0"
    with publishing(large, ref) as again:
        said, _ = again.communicate(timeout=60)
    assert again.returncode == 0, said
    assert "large.bin: pushed" in said
    assert fetched(large, ref, tmp_path / "out") == digest_of(large)


def test_a_cut_connection_ends_no_upload(own_registry, large):
    """docker-registry resumes no upload that was cut within a chunk: it is begun again."""
    data = (large.folder / "dist" / "large.bin").read_bytes()
    sent = []

    def read(offset, size):
        sent.append(offset)
        return data[offset : offset + size]

    with line_to(own_registry.host) as line:
        line.limit, line.cuts = CHUNK + CHUNK // 2, 2
        with opened(parse_reference(f"{line.host}/cut:1.0")) as remote:
            assert upload(remote, layer_of(data), read)
            assert not upload(remote, layer_of(data), read)
        assert line.cuts == 0
    assert sent.count(0) == 3


def test_a_registry_that_is_killed_in_mid_upload_and_comes_back_gets_all(own_registry, large, tmp_path):
    with line_to(own_registry.host) as line:
        line.limit = 2 * CHUNK + CHUNK // 2
        client = publishing(large, f"{line.host}/restarted:1.0")
        try:
            assert line.stopped.wait(30), client.poll()
            own_registry.kill()
            line.limit = 1 << 60
            line.released.set()
            time.sleep(1)
            own_registry.restart()
            said, _ = client.communicate(timeout=60)
        finally:
            client.kill()
            client.communicate()
    assert client.returncode == 0, said
    assert fetched(large, f"{own_registry.host}/restarted:1.0", tmp_path / "out") == digest_of(large)


def test_a_registry_that_does_not_come_back_is_an_error(own_registry):
    own_registry.kill()
    impatient = Bounds(persistence=Persistence(attempts=3, first_wait=0.01))
    expected = pytest.raises(RegistryError, match="gone:1.0: the connection to the registry failed")
    with expected, opened(parse_reference(f"{own_registry.host}/gone:1.0"), impatient) as remote:
        upload(remote, layer_of(b"1"), lambda offset, size: b"1")


def test_a_full_disk_here_is_said(registry, large, tmp_path):
    ref = f"{registry.host}/full:1.0"
    with publishing(large, ref) as client:
        said, _ = client.communicate(timeout=60)
    assert client.returncode == 0, said
    # A limit on the size of files stands for a disk without space.
    code = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({CHUNK}, {CHUNK}));"
        "from pytest_ftc.cli.main import main; sys.exit(main(sys.argv[1:]))"
    )
    command = [sys.executable, "-c", code, "fetch", ref, "-p", large.policy, "-o", str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2, done.stdout + done.stderr
    assert "cannot be written here: " in done.stderr
    assert not (tmp_path / "out").exists()


def test_documents_that_are_attached_at_the_same_time_are_all_listed(registry, tmp_path):
    """The registry has no referrers API: each publisher rewrites the same index."""
    app = make_project(tmp_path / "app")
    documents = [Document(title=f"{number}.json", media_type="text/x", data=b"%d" % number) for number in range(6)]
    image = parse_reference(f"{registry.host}/together:1.0")
    with opened_outputs(app.verification, app.folder, app.folder / "store") as contents:
        with opened(image) as remote:
            digest = publish(remote, contents, [], {}).digest
        failed = []

        def attach(document):
            try:
                with opened(image) as own:
                    publish(own, contents, [document], {})
            except Exception as error:
                failed.append(error)

        threads = [threading.Thread(target=attach, args=(document,)) for document in documents]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    assert failed == []
    with opened(image) as remote:
        found = list_referrers(remote, digest)
    assert found.is_tagged
    assert len(found.descriptors) == len(documents)
