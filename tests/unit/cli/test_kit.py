"""``ftc kit`` as a command: what it says, and its exit status."""

import json

import pytest

from pytest_ftc.cli.main import main


def test_a_file_that_was_changed_is_kept_and_said(tmp_path, capsys):
    folder = tmp_path / "operations"
    assert main(["kit", str(folder), "--project", "shop"]) == 0
    assert "  written     prometheus/rules.yml\n" in capsys.readouterr().out
    (folder / "README.md").write_text("mine\n")
    assert main(["kit", str(folder), "--project", "shop"]) == 1
    said = capsys.readouterr().out
    assert "  kept        README.md\n" in said
    assert "--force replaces it" in said
    assert (folder / "README.md").read_text() == "mine\n"
    assert main(["kit", str(folder), "--project", "shop", "--force", "--json"]) == 0
    fates = json.loads(capsys.readouterr().out)["files"]
    assert {name for name, fate in fates.items() if fate == "written"} == {"README.md"}
    assert set(fates.values()) == {"written", "unchanged"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "nothing says where to write the kit"),
        (["operations", "--fault", "F1"], "--alertmanager and --fault are for --game-day"),
        (["--game-day", "--fault", "F77"], "there is no fault 'F77'; did you mean"),
    ],
)
def test_mistakes_are_one_error(arguments, message, capsys):
    assert main(["kit", *arguments]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    "url", ["localhost:9093", "ftp://host/", "http://", "http://a b/", "http://host:0/", "http://[", "x"]
)
@pytest.mark.parametrize("option", ["--webhook", "--url-of-runbooks", "--alertmanager"])
def test_what_is_no_url_is_refused(option, url, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["kit", "operations", option, url])
    assert f"argument {option}: expected a URL such as https://example.org/, found {url!r}" in capsys.readouterr().err
