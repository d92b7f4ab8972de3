"""Our bundles are verified by Sigstore's own library for Node, offline, with our key."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from attestations import bad, good

from pytest_ftc.attestation.envelope import Envelope
from pytest_ftc.attestation.statement import PAYLOAD_TYPE
from pytest_ftc.integrations.key_files import KeyFolder
from pytest_ftc.integrations.signing_queue import SigningQueue, Waiting
from pytest_ftc.store.layout import Layout

_VERIFY = """\
const { Verifier, toSignedEntity, toTrustMaterial } = require("@sigstore/verify");
const { bundleFromJSON } = require("@sigstore/bundle");
const fs = require("fs"), crypto = require("crypto");
const [bundle, pem, hint] = process.argv.slice(2);
const nothing = {certificateAuthorities: [], ctlogs: [], timestampAuthorities: [], tlogs: [],
                 mediaType: "application/vnd.dev.sigstore.trustedroot+json;version=0.1"};
const key = (asked) => {
  if (asked !== hint) throw new Error("another key is asked for: " + asked);
  return {publicKey: crypto.createPublicKey(fs.readFileSync(pem)), validFor: () => true};
};
const none = {tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: 0, tsaThreshold: 0};
try {
  const entity = toSignedEntity(bundleFromJSON(JSON.parse(fs.readFileSync(bundle))));
  new Verifier(toTrustMaterial(nothing, key), none).verify(entity);
  console.log("accepted");
} catch (error) {
  console.log("refused: " + error.code + " " + error.message);
}
"""


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    """A folder with Sigstore's library."""
    for tool in ("npm", "node"):
        if shutil.which(tool) is None:
            pytest.fail(f"{tool} is not installed (apt-get install npm): its tests cannot run")
    folder = tmp_path_factory.mktemp("node")
    (folder / "package.json").write_text("{}")
    packages = ["@sigstore/verify@3", "@sigstore/bundle@4"]
    quiet = ["--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error", f"--cache={folder}/cache"]
    done = subprocess.run(["npm", "install", *quiet, *packages], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (folder / "verify.js").write_text(_VERIFY)
    return folder


@pytest.fixture(scope="module")
def bundles(tmp_path_factory):
    """A keyring, and a folder with what its two keys have signed."""
    place = tmp_path_factory.mktemp("signed")
    ring = KeyFolder(place / "keys")
    for name in ("a", "b"):
        ring.new(name, "ed25519", "us")
    queue = SigningQueue(Layout(place / "store"), b"k" * 32)
    signers = tuple(ring.signer(name) for name in ("a", "b"))
    for name, statement in (("good", good()), ("bad", bad())):
        envelope = Envelope(PAYLOAD_TYPE, statement.encode())
        queue.add(Waiting(target=place / f"{name}.parity.dsse.json", envelope=envelope, missing=signers, bundle=True))
    queue.sign()
    return place


def verified(node: Path, bundle: Path, key: Path) -> str:
    hint = json.loads(bundle.read_text())["verificationMaterial"]["publicKey"]["hint"]
    # Nothing of it asks a network: there is none.
    offline = ["unshare", "-rn"] if _has_namespaces() else []
    command = [*offline, "node", str(node / "verify.js"), str(bundle), str(key), hint]
    return subprocess.run(command, cwd=node, capture_output=True, text=True, check=True, env=dict(os.environ)).stdout


def _has_namespaces() -> bool:
    return subprocess.run(["unshare", "-rn", "true"], capture_output=True).returncode == 0


@pytest.mark.parametrize("name", ["good", "bad"])
@pytest.mark.parametrize(("number", "key"), [(1, "a"), (2, "b")])
def test_each_bundle_is_accepted_with_its_key(node, bundles, name, number, key):
    bundle = bundles / f"{name}.parity.{number}.sigstore.json"
    assert verified(node, bundle, bundles / f"keys/{key}.pub") == "accepted\n"


def test_a_bundle_is_refused_with_another_key(node, bundles):
    said = verified(node, bundles / "good.parity.1.sigstore.json", bundles / "keys/b.pub")
    assert said.startswith("refused: SIGNATURE_ERROR")


def test_a_changed_payload_is_refused(node, bundles, tmp_path):
    document = json.loads((bundles / "bad.parity.1.sigstore.json").read_text())
    payload = base64.b64decode(document["dsseEnvelope"]["payload"])
    changed = payload.replace(b"UNREPRODUCIBLE", b"REPRODUCIBLE")
    assert changed != payload
    document["dsseEnvelope"]["payload"] = base64.b64encode(changed).decode()
    (tmp_path / "x.sigstore.json").write_text(json.dumps(document))
    assert verified(node, tmp_path / "x.sigstore.json", bundles / "keys/a.pub").startswith("refused: SIGNATURE_ERROR")
