"""What lock files declare."""

import json
import re

import pytest
import sboms

from pytest_ftc.attestation.sbom.cargo import read_cargo
from pytest_ftc.attestation.sbom.component import Declared, Role, Scope
from pytest_ftc.attestation.sbom.go import read_go
from pytest_ftc.attestation.sbom.npm import read_npm
from pytest_ftc.attestation.sbom.pylock import read_pylock
from pytest_ftc.attestation.sbom.python_project import read_pyproject
from pytest_ftc.attestation.strict_json import DocumentError


def keys(declared: Declared) -> set[str]:
    return {one.key.partition(":")[2] for one in declared.components}


def direct(declared: Declared) -> set[str]:
    return {key.partition(":")[2] for key in declared.direct}


def by_key(declared: Declared) -> dict:
    return {one.key.partition(":")[2]: one for one in declared.components}


class TestNpm:
    found = read_npm(sboms.NPM.encode(), "package-lock.json")

    def test_packages_from_outside_are_components_and_workspaces_are_not(self):
        assert keys(self.found) == {
            "npm/ms@2.0.0",
            "npm/ms@2.1.2",
            "npm/ms@2.1.3",
            "npm/debug@4.3.4",
            "npm/@sindresorhus/is@4.6.0",
        }
        assert (self.found.project.name, self.found.project.version, self.found.project.licence) == (
            "demo",
            "1.0.0",
            "MIT",
        )

    def test_workspaces_are_parts_of_the_source(self):
        assert [one.key for one in self.found.own] == ["source:npm/own@0.1.0"]

    def test_what_a_package_needs_is_found_as_node_finds_it(self):
        assert direct(self.found) == {"npm/ms@2.1.3", "npm/@sindresorhus/is@4.6.0", "npm/debug@4.3.4", "npm/ms@2.0.0"}
        assert by_key(self.found)["npm/debug@4.3.4"].depends == ("declared:npm/ms@2.1.2",)

    def test_scopes_hashes_and_licences_are_taken(self):
        found = by_key(self.found)
        assert found["npm/debug@4.3.4"].scope is Scope.EXCLUDED
        assert found["npm/@sindresorhus/is@4.6.0"].scope is Scope.OPTIONAL
        assert found["npm/ms@2.1.3"].scope is Scope.REQUIRED
        assert found["npm/ms@2.1.3"].licence == "MIT"
        assert found["npm/ms@2.1.3"].hashes["SHA-512"].startswith("e85973b9b4cb646dc9d9afcd54202578")

    def test_addresses_lose_their_credentials(self):
        (file,) = by_key(self.found)["npm/@sindresorhus/is@4.6.0"].files
        assert file.url == "https://registry.npmjs.org/@sindresorhus/is/-/is-4.6.0.tgz"

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("[]", "x: expected a JSON object"),
            ("{", "x: no valid JSON"),
            ("[" * 100_000, "x: nested too deeply"),
            ('{"lockfileVersion": 1}', "x: lockfileVersion: expected 2 or 3, found 1; `npm install"),
            ('{"lockfileVersion": "3"}', "x: lockfileVersion: expected a whole number, found '3'"),
            ('{"lockfileVersion": 3}', "x: packages: expected a table, found nothing"),
            ('{"lockfileVersion": 3, "packages": {"node_modules/a": 1}}', "x: packages: 'node_modules/a': expected a table, found 1"),
            ('{"lockfileVersion": 3, "packages": {"node_modules/": {}}}', "expected the name of a package"),
            ('{"lockfileVersion": 3, "packages": {"node_modules/a": {"version": 1}}}', "'node_modules/a': version: expected text, found 1"),
            ('{"lockfileVersion": 3, "packages": {"node_modules/a": {"version": "\\u001b[31m"}}}', "without control characters"),
            ('{"lockfileVersion": 3, "packages": {"node_modules/a": {"integrity": "sha512-!!"}}}', "integrity: expected a digest in base64"),
            ('{"lockfileVersion": 3, "packages": {"node_modules/a": {"integrity": "sha512-YQ=="}}}', "integrity: sha512: expected 128 hexadecimal digits"),
            ('{"lockfileVersion": 3, "packages": {"node_modules/a": {"dependencies": []}}}', "dependencies: expected a table"),
        ],
    )  # fmt: skip
    def test_wrong_shapes_get_one_error_with_file_and_place(self, text, said):
        with pytest.raises(DocumentError) as caught:
            read_npm(text.encode(), "x")
        assert said in str(caught.value)
        assert "\n" not in str(caught.value)

    def test_what_would_take_long_is_refused(self):
        many = {f"node_modules/a{i}": {} for i in range(10_001)}
        with pytest.raises(DocumentError, match="more than 10000 packages"):
            read_npm(json.dumps({"lockfileVersion": 3, "packages": many}).encode(), "x")
        deep = {"/".join(["node_modules/a"] * 100): {}}
        with pytest.raises(DocumentError, match="nested deeper than 64 levels"):
            read_npm(json.dumps({"lockfileVersion": 3, "packages": deep}).encode(), "x")


class TestCargo:
    found = read_cargo(sboms.CARGO.encode(), "Cargo.lock")

    def test_packages_with_a_source_are_components(self):
        git = "cargo/spin@0.9.8&vcs_url=git+https://github.com/mvdnes/spin-rs@502c9dc8c5c6a4ba1e4e0d4a2b2a5f9f1b5f7d10"
        assert keys(self.found) == {"cargo/libc@0.2.150", "cargo/libc@0.1.12", git}
        assert direct(self.found) == {"cargo/libc@0.2.150", git}
        assert by_key(self.found)[git].depends == ("declared:cargo/libc@0.1.12",)
        assert by_key(self.found)["cargo/libc@0.2.150"].hashes == {
            "SHA-256": "89d92a4743f9a61002fae18374ed11e7973f530cb3a3255fb354818118b2203c"
        }

    def test_packages_without_a_source_are_parts_of_it(self):
        assert [one.key for one in self.found.own] == ["source:cargo/demo@0.3.0", "source:cargo/own@0.1.0"]

    def test_version_1_has_its_checksums_in_a_table(self):
        text = (
            '[[package]]\nname = "libc"\nversion = "0.1.12"\nsource = "registry+https://example.com/index"\n'
            f'[metadata]\n"checksum libc 0.1.12 (registry+https://example.com/index)" = "{"a" * 64}"\n'
        )
        (one,) = read_cargo(text.encode(), "x").components
        assert one.hashes == {"SHA-256": "a" * 64}
        assert one.qualifiers == {"repository_url": "https://example.com/index"}

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("=", "x: no valid TOML"),
            ("a = " + "[" * 100_000, "x: nested too deeply"),
            ("version = 9", "x: version: expected 1 to 4, found 9"),
            ("package = 1", "x: package: expected a list, found 1"),
            ("package = [1]", "x: package: expected a table, found 1"),
            ('[[package]]\nname = "a"', "x: package 1: version: expected text, found nothing"),
            ('[[package]]\nname = " "\nversion = "1"', "x: package 1: name: expected text, found ' '"),
            ('[[package]]\nname = "a"\nversion = "1"\nchecksum = "ab"', "x: package 1: checksum: sha256: expected 64"),
            ('[[package]]\nname = "a"\nversion = "1"\ndependencies = ["b"]', "package 1: dependencies: no package 'b'"),
        ],
    )
    def test_wrong_shapes_get_one_error_with_file_and_place(self, text, said):
        with pytest.raises(DocumentError) as caught:
            read_cargo(text.encode(), "x")
        assert said in str(caught.value)


class TestGo:
    found = read_go(sboms.GO_MOD.encode(), sboms.GO_SUM.encode(), "go.mod", "go.sum")

    def test_modules_are_components_with_the_digests_of_their_files(self):
        assert keys(self.found) == {
            "golang/github.com/spf13/pflag@v1.0.5",
            "golang/gopkg.in/yaml.v3@v3.0.1",
            "golang/example.com/fork@v1.0.1",
        }
        assert direct(self.found) == {"golang/github.com/spf13/pflag@v1.0.5", "golang/example.com/fork@v1.0.1"}
        digest = by_key(self.found)["golang/github.com/spf13/pflag@v1.0.5"].hashes["SHA-256"]
        assert digest == "8b2f951543823f56bef3216da3f76b836089e6ed3246807b7d9c370cabff2570"
        assert self.found.project.name == "example.com/demo"

    def test_it_is_said_that_old_files_do_not_list_all(self):
        assert "lists the modules that are required directly" in read_go(b"module a\ngo 1.15\n", b"", "x", "y").notes[1]
        assert len(self.found.notes) == 1

    @pytest.mark.parametrize(
        ("module", "sums", "said"),
        [
            (b"\xff", b"", "x: expected UTF-8"),
            (b"require a", b"", "x:1: require: expected PATH VERSION, found 'a'"),
            (b"require (\n a b\n)", b"", "x:2: require: expected PATH VERSION, found 'a b'"),
            (b"module a\nrequire (\n a v1\n", b"", "x:2: require: expected ) at the end of the block"),
            (b"replace a b", b"", "x:1: replace: expected PATH [VERSION] => PATH [VERSION], found 'a b'"),
            (b"module a", b"one two", "y:1: expected PATH VERSION DIGEST, found 'one two'"),
            (b"module a", b"a v1 h1:YQ==", "y:1: sha256: expected 64 hexadecimal digits"),
            (b"module " + b"a" * 5000, b"", "x:1: longer than 4096 characters"),
        ],
    )
    def test_wrong_shapes_get_one_error_with_file_and_line(self, module, sums, said):
        with pytest.raises(DocumentError) as caught:
            read_go(module, sums, "x", "y")
        assert said in str(caught.value)


class TestPyproject:
    found = read_pyproject(sboms.PYPROJECT.encode(), "pyproject.toml")

    def test_requirements_are_components_without_a_version(self):
        found = {one.name: one for one in self.found.components}
        assert found["attrs"].requirement == "attrs>=22"
        assert re.fullmatch("Plain.Name ?@ https://example.com/plain.zip", found["plain-name"].requirement)
        assert found["click"].scope is Scope.OPTIONAL
        assert found["wheel"].role is Role.BUILD
        assert found["wheel"].scope is Scope.EXCLUDED
        assert direct(self.found) == {"pypi/attrs@", "pypi/plain-name@", "pypi/click@"}
        assert (self.found.project.name, self.found.project.licence) == ("demo-project", "MIT OR Apache-2.0")

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("project = 1", "x: project: expected a table, found 1"),
            ("[project]\nversion = '1'", "x: project: name: expected text, found nothing"),
            ("[project]\nname = 'a'\ndependencies = 'b'", "x: project: dependencies: expected a list, found 'b'"),
            ("[project]\nname = 'a'\ndependencies = ['>=1']", "x: project: dependencies: expected a requirement"),
        ],
    )
    def test_wrong_shapes_get_one_error_with_file_and_place(self, text, said):
        with pytest.raises(DocumentError) as caught:
            read_pyproject(text.encode(), "x")
        assert said in str(caught.value)

    def test_what_only_the_build_knows_is_said(self):
        found = read_pyproject(b"[project]\nname = 'a'\ndynamic = ['version', 'dependencies']", "x")
        assert found.notes == ("x: dependencies are dynamic: only the build knows them",)


class TestPylock:
    def test_packages_have_their_files_with_hashes(self):
        found = by_key(read_pylock(sboms.PYLOCK.encode(), "pylock.toml"))
        attrs = found["pypi/attrs@25.1.0"]
        assert attrs.files[0].hashes == {"SHA-256": "c75a69e28a550a7e93789579c22aa26b0f5b83b75dc4e08fe092980051e1090a"}
        assert attrs.depends == ("declared:pypi/cattrs@24.1.2",)
        assert found["pypi/cattrs@24.1.2"].scope is Scope.OPTIONAL
        assert found["pypi/cattrs@24.1.2"].files[0].url == "cattrs-24.1.2.tar.gz"

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("", "x: Missing required value in 'lock-version'"),
            (sboms.PYLOCK.replace("1.0", "2.0"), "x: pylock version 2.0 is not supported"),
            (sboms.PYLOCK.replace('"attrs"', '"At_trs"'), "x: "),
            (sboms.PYLOCK.replace("cattrs\"}]", "none\"}]"), "x: packages: attrs: dependencies: no package 'none'"),
            (sboms.PYLOCK.replace("c75a69", "c7"), "x: packages: attrs: hashes: sha256: expected 64 hexadecimal digits"),
        ],
    )  # fmt: skip
    def test_wrong_shapes_get_one_error_with_file_and_place(self, text, said):
        with pytest.raises(DocumentError) as caught:
            read_pylock(text.encode(), "x")
        assert said in str(caught.value)
