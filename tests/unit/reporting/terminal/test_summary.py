"""What a machine does not allow is told once, with what allows it."""

from pytest_ftc.model import NotVaried, Verdict, Verification
from pytest_ftc.reporting.terminal.failure import failure_panel
from pytest_ftc.reporting.terminal.replay import Rerun
from pytest_ftc.reporting.terminal.summary import summary_lines

WHY, ALLOW = "namespaces are refused here", "sudo sysctl -w a.b=1"


def gap(variation, needs, allow=ALLOW):
    return NotVaried(variation=variation, reason=f"needs {needs}: {WHY}", allow=allow)


def verified(name, *gaps):
    return Verification(id=f"ftc.toml::ftc::{name}", name=name, verdict=Verdict.UNREPRODUCIBLE, not_varied=gaps)


def test_the_summary_names_the_common_reason_and_the_remedy_once():
    gaps = (gap("pid", "a PID namespace"), gap("domain_host", "a UTS namespace"))
    text = summary_lines([verified("a", *gaps), verified("b", *gaps)], width=100, colour=False, verbose=False)
    assert "  not varied  pid, domain_host: namespaces are refused here\n" in text
    assert "  to vary     pid, domain_host: sudo sysctl -w a.b=1\n" in text
    assert text.count(WHY) == text.count(ALLOW) == 1


def test_one_variation_alone_says_what_it_needs():
    text = summary_lines([verified("a", gap("pid", "a PID namespace"))], width=100, colour=False, verbose=False)
    assert "  not varied  pid: needs a PID namespace: namespaces are refused here\n" in text


def test_an_artifact_names_only_what_is_not_the_machines():
    own = NotVaried(variation="locales", reason="the artifact's env sets LC_ALL")
    text = failure_panel(
        verified("a", gap("pid", "a PID namespace"), own), width=100, colour=False, rerun=Rerun("pytest")
    )
    assert "not varied  locales: the artifact's env sets LC_ALL" in text
    assert WHY not in text
    unknown = gap("pid", "a PID namespace", allow="")
    assert WHY in failure_panel(verified("a", unknown), width=100, colour=False, rerun=Rerun("pytest"))


def test_what_a_cached_record_says_cannot_reach_the_terminal_as_it_is():
    text = summary_lines(
        [verified("a", gap("pid", "a PID namespace", "x\x1b[31my"))], width=100, colour=False, verbose=False
    )
    assert "\x1b" not in text
