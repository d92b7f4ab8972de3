"""A build that breaks under a variation: which one, and is it reproducible otherwise?"""

import pytest


def test_the_variation_that_breaks_the_build_is_named_and_parity_is_checked_without_it(verify_build):
    run = verify_build('test "$(umask)" = 0022 || exit 3; echo > out')
    assert run.verdicts == {"app": "fragile"}
    assert "breaks under: umask=0007" in run.flat
    artifact = run.artifact()
    assert {"variation": "umask", "reason": "the build breaks under it", "allow": ""} in artifact["not_varied"]
    assert "time" in artifact["varied"]
    assert artifact["findings"] == []
    assert len([build for build in artifact["builds"] if build["role"] == "bisect"]) <= 11


def test_what_leaks_besides_is_found_too(verify_build):
    run = verify_build('test "$(umask)" = 0022 || exit 3; pwd > out', "--ftc-diagnose=full")
    assert run.verdicts == {"app": "fragile"}
    (finding,) = run.artifact()["findings"]
    assert finding["location"] == "line 1"
    assert "ftc-build-" in finding["evidence"]["control"]
    assert (finding["cause"], finding["confirmed"]) == ("build_path", True)


def test_why_it_leaks_besides_is_confirmed_by_builds_without_what_breaks_it(verify_build):
    """Also where a later experiment breaks: the fourth has a path with spaces."""
    build = "mkdir made && date +%s > made/out && cp $PWD/made/out $PWD/out"
    run = verify_build(build, "--ftc-builds=4", "--ftc-diagnose=full")
    assert run.verdicts == {"app": "fragile"}
    assert "breaks under: build_path=" in run.flat
    artifact = run.artifact()
    (finding,) = artifact["findings"]
    assert (finding["cause"], finding["confirmed"], finding["command"]) == ("time", True, ["date", "+%s"])
    ids = [build["id"] for build in artifact["builds"]]
    assert len(ids) == len(set(ids))


def test_the_places_in_an_archive_are_named_as_for_any_other_verdict(verify_build):
    build = "pwd > a.txt && touch -d @0 a.txt && tar -cf out --owner=0 --group=0 --mode=644 a.txt"
    variations = "--ftc-variations=umask,build_path,time"
    places = []
    for first in ('test "$(umask)" = 0022 || exit 3', "true"):
        run = verify_build(f"{first}; {build}", variations, "--ftc-diagnose=off")
        places.append([(one["member"], one["location"]) for one in run.artifact()["findings"]])
    assert places == [[("a.txt", "line 1")]] * 2


@pytest.mark.parametrize("combine", ["||", "&&"])
def test_two_variations_that_break_a_build_each_or_together(verify_build, combine):
    broken = f'test "$(umask)" != 0022 {combine} test "$TZ" != UTC'
    run = verify_build(f"if {broken}; then exit 3; fi; echo > out")
    assert run.verdicts == {"app": "fragile"}
    told = run.artifact()["reason"]
    if combine == "||":
        assert "umask=0007" in told
        assert "timezone=" in told


def test_a_build_that_breaks_in_a_path_with_spaces_is_fragile(verify_build):
    build = "mkdir made && echo > made/out && cp $PWD/made/out $PWD/out"
    run = verify_build(build, "--ftc-builds=4")
    assert run.verdicts == {"app": "fragile"}
    assert "breaks under: build_path=/ftc-build-" in run.flat
    assert "else where" in run.artifact()["reason"]
    assert verify_build(build, "--ftc-builds=3").verdicts == {"app": "reproducible"}


def test_a_build_that_bears_every_path_is_reproducible(verify_build):
    run = verify_build('echo > made && cp "$PWD/made" "$PWD/out"', "--ftc-builds=7")
    assert run.verdicts == {"app": "reproducible"}, run.artifact()
    paths = [build["environment"]["build_path"] for build in run.artifact()["builds"]]
    assert any(" " in path for path in paths)
    assert any(not path.isascii() for path in paths)
    assert any(len(path) > 200 for path in paths)


DEBIAN = """
mkdir -p package/DEBIAN
printf 'Package: x\\nVersion: 1\\nArchitecture: all\\nMaintainer: a <a@example.org>\\nDescription: x\\n' > package/DEBIAN/control
touch -d @1 package/DEBIAN package/DEBIAN/control package
SOURCE_DATE_EPOCH=1 dpkg-deb --root-owner-group -b package x.deb
"""


def test_a_debian_package_has_root_as_its_owner_by_an_option(verify_build):
    build = DEBIAN.replace("--root-owner-group", "")
    findings = verify_build(build, "--ftc-diagnose=full", outputs='["x.deb"]').artifact()["findings"]
    owners = [one for one in findings if one["cause"] == "user_group"]
    assert owners and {one["command"][0] for one in owners} == {"dpkg-deb"}
    assert all(one["remedy"]["proved"] and "--root-owner-group" in one["remedy"]["summary"] for one in owners)


def test_a_debian_package_that_needs_open_folders_is_told_how_to_get_them(verify_build):
    """dpkg-deb refuses a control folder that only its owner may enter."""
    run = verify_build(DEBIAN, outputs='["x.deb"]')
    assert run.verdicts == {"app": "fragile"}
    assert "breaks under: umask=0007" in run.flat
    assert "begin the build with umask 022, or set the modes of what it creates: install -m, chmod" in run.flat
    assert "or exclude it: --ftc-variations=all,-umask" in run.flat
    healed = verify_build(f"umask 022{DEBIAN}", outputs='["x.deb"]')
    assert healed.verdicts == {"app": "reproducible"}, healed.text


def test_other_variations_that_break_a_build_are_named_too(verify_build):
    run = verify_build('test "$TZ" = UTC && echo > out')
    assert "make the build tolerate it, or exclude it: --ftc-variations=all,-timezone" in run.flat
