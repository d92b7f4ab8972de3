"""Writes the parts of docs/ that repeat what the code says; with --check it only lists the outdated pages.

Such a part stands between ``<!-- reference: NAME -->`` and ``<!-- end of reference -->``, and is plain Markdown, so
that the pages are readable on GitHub and GitLab too.
"""

from __future__ import annotations

import inspect
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import MISSING, fields
from enum import Enum
from pathlib import Path
from typing import Any

from pytest_ftc.cli.verify.reprotest.flags import FLAGS
from pytest_ftc.cli.verify.reprotest.variations import SETTINGS
from pytest_ftc.config import COMMAND_LINE_ONLY, OPTIONS
from pytest_ftc.config.objectives import CATALOGUE as OBJECTIVES
from pytest_ftc.config.schema import ARTIFACT_KEYS, SESSION_KEYS, Key
from pytest_ftc.diagnosis.remedies import catalogue
from pytest_ftc.integrations.kit.files import read_checklist
from pytest_ftc.integrations.metrics.table import PROJECT
from pytest_ftc.integrations.metrics.table import TABLE as METRICS
from pytest_ftc.integrations.opentelemetry.conventions import ATTRIBUTES, SPANS
from pytest_ftc.model import Artifact, Parameter, RemedyTemplate, parameters_of
from pytest_ftc.model.objectives.standing import Objective
from pytest_ftc.model.protocols import Variation
from pytest_ftc.reporting.causes import Cause, all_causes, find_cause
from pytest_ftc.variations import CATALOGUE, PRESETS

DOCS = Path(__file__).parent.parent / "docs"
_SHIPPED_RUNBOOKS = DOCS.parent / "pytest_ftc/integrations/kit/texts/runbooks.md"
_PART = re.compile(r"(<!-- reference: (\w+) -->\n).*?(<!-- end of reference -->)", re.DOTALL)
_OBVIOUS = ("non-empty text", "true or false")


def main() -> int:
    """Bring all pages up to date, or name those that are not; return the exit status."""
    new = {page: renew(page.read_text("utf-8")) for page in sorted(DOCS.rglob("*.md"))}
    new[_SHIPPED_RUNBOOKS] = ship(new[DOCS / "runbooks.md"])
    old = [page for page, text in new.items() if not page.is_file() or page.read_text("utf-8") != text]
    if "--check" in sys.argv[1:]:
        for page in old:
            print(f"{page.relative_to(DOCS.parent)} is out of date; run python scripts/reference.py")
        return 1 if old else 0
    for page in old:
        page.write_text(new[page], "utf-8")
    return 0


def ship(text: str) -> str:
    """Return the page `text` without links to other pages, and without the project on which its commands are tried."""
    alone = re.sub(r"\[([^\]]+)\]\((?!https?:)[^)]*\)", r"\1", text)
    return re.sub(r" They were tried on this one:\n.*?(?=^## )", "\n\n", alone, count=1, flags=re.DOTALL | re.MULTILINE)


def renew(text: str) -> str:
    """Return the page `text` with its parts regenerated."""
    return _PART.sub(lambda match: f"{match[1]}\n{PARTS[match[2]]()}\n\n{match[3]}", text)


def _options() -> str:
    rows = [("`--ftc-verify`", "", "", "collect the artifacts and verify them; without it the plugin does nothing")]
    for option in (*OPTIONS, *COMMAND_LINE_ONLY):
        key = SESSION_KEYS.get(option.name)
        shown = f"`{option.flag}={option.type.metavar}`" if option.type.metavar else f"`{option.flag}`"
        default = _toml(key.default) if key and key.default is not None else _code(option.otherwise)
        meaning = _sentences(_code(option.help) + _expected(key), option.meaning)
        rows.append((shown, f"`{option.name}`" if key else "", default, meaning))
    names = {option.name for option in OPTIONS}
    for name, key in SESSION_KEYS.items():
        if name not in names:
            default = _toml(key.default) if key.default is not None else _code(key.otherwise)
            rows.append(("", f"`{name}`", default, key.meaning + _expected(key)))
    return _table(("option", "key", "default", "meaning"), rows)


def _artifact_keys() -> str:
    own = {field.name: field for field in fields(Artifact)}

    def default(name: str, key: Key) -> str:
        if key.default is not None or key.otherwise:
            return _toml(key.default) if key.default is not None else key.otherwise
        field = own[name]
        if field.default is MISSING:
            return "required" if field.default_factory is MISSING else ""
        return _toml(field.default)

    rows = [(f"`{name}`", default(name, key), _code(key.expected), key.meaning) for name, key in ARTIFACT_KEYS.items()]
    return _table(("key", "default", "value", "meaning"), rows)


def _presets() -> str:
    names = [variation.name for variation in CATALOGUE]

    def held(chosen: Sequence[str]) -> str:
        left_out = [f"`{name}`" for name in names if name not in chosen]
        if not left_out:
            return "all"
        return f"all but {' '.join(left_out)}" if len(left_out) < 4 else " ".join(f"`{name}`" for name in chosen)

    return _table(("preset", "what it varies"), [(f"`{name}`", held(chosen)) for name, chosen in PRESETS.items()])


def _parameters() -> str:
    rows = [
        (f"`{variation.name}.{name}`", _written(parameter), parameter.expected, parameter.meaning)
        for variation in CATALOGUE
        for name, parameter in parameters_of(variation).items()
    ]
    return _table(("parameter", "default", "value", "meaning"), [(a, b, _code(c), d) for a, b, c, d in rows])


def _variations() -> str:
    return "\n\n".join("\n\n".join(_variation(variation)) for variation in CATALOGUE)


def _variation(variation: Variation) -> Iterator[str]:
    name = variation.name
    yield f"## `{name}`"
    yield _docstring(sys.modules[type(variation).__module__]) + " " + _docstring(type(variation))
    points = [f"How: {_plain(variation.mechanism)}."]
    presets = ", ".join(f"`{preset}`" for preset, names in PRESETS.items() if name in names)
    points += [f"Preset: {presets or 'none; only in `all`'}."]
    for own, parameter in parameters_of(variation).items():
        points.append(f"Parameter `{name}.{own}`: {parameter.meaning}. Default: {_written(parameter)}.")
    cause = find_cause(name)
    assert cause is not None
    points.append(f"When it leaks: [{_plain(cause.brief)}](causes.md#{name}).")
    yield "\n".join(f"- {point}" for point in points)


def _causes() -> str:
    return "\n\n".join("\n\n".join(_cause(cause)) for cause in all_causes())


def _cause(cause: Cause) -> Iterator[str]:
    yield f"## `{cause.name}`"
    brief = cause.brief[0].upper() + cause.brief[1:]
    yield f"**{_plain(brief)}.** {_plain(cause.why)}"
    yield f"Seen as: {_plain(cause.shows)}."
    yield "What helps:"
    yield "\n".join(f"- {_plain(remedy)}" for remedy in cause.remedies)
    templates = [template for template in catalogue() if cause.name in template.causes and template.can_be_tried]
    if templates:
        yield "What is tried by rebuilding:"
        yield "\n".join(f"- {_how(template)} ({_where(template)})" for template in templates)
    yield f"Read on: <{cause.source}>"


def _how(template: RemedyTemplate) -> str:
    """Return what to do and how; a summary ends with the latter, behind a colon, more or less in full."""
    settings = [f"{name}={value}" for name, value in template.settings.items()]
    steps = [step for step in (template.before, template.after) if step]
    return f"{_plain(template.summary.split(': ')[0])}: {' '.join(f'`{code}`' for code in settings + steps)}"


def _where(template: RemedyTemplate) -> str:
    formats, tools = ", ".join(sorted(template.formats)), ", ".join(sorted(template.tools))
    return ", ".join(filter(None, [formats and f"in {formats}", tools and f"written by {tools}"])) or "anywhere"


def _objectives() -> str:
    def target(one: Objective) -> str:
        return "none" if one.target is None else f"{'≥' if one.at_least else '≤'} `{one.target:g}`"

    rows = [
        (f"`{one.name}`", one.unit.value, target(one), _sentences(one.formula.rstrip("."), "")) for one in OBJECTIVES
    ]
    return _table(("objective", "unit", "target", "formula"), rows)


def _written(parameter: Parameter) -> str:
    return parameter.written if " " in parameter.written else f"`{parameter.written}`"


def _docstring(thing: object) -> str:
    text = inspect.getdoc(thing)
    assert text, f"{thing} has no docstring"
    return " ".join(text.replace("``", "`").split())


def _expected(key: Key | None) -> str:
    if key is None or key.expected in _OBVIOUS or key.expected.startswith(("'off'", "text such as")):
        return ""
    return f" ({_code(key.expected)})"


def _sentences(first: str, rest: str) -> str:
    return f"{first}. {rest}" if rest else first


def _toml(value: Any) -> str:
    """Return `value` as code, as TOML writes it; nothing for what is empty."""
    if value is None or value in ((), {}):
        return ""
    if isinstance(value, Enum):
        value = value.value
    return f"`{value:g}`" if isinstance(value, float) else f"`{json.dumps(value)}`"


def _code(text: str) -> str:
    """Return a text for the terminal as Markdown: what is in quotes, options and files become code."""
    text = re.sub(r"\[('[^\]]*')\]", r"`[\1]`", text)
    text = re.sub(r"(?<![`'\w,\[ ])'([^'`]+)'(?!\])|(?<=[ (])'([^'`]+)'(?!\])", lambda m: f"`{m[1] or m[2]}`", text)
    return re.sub(r"(?<!`)(--ftc-[a-z-]+|FTC_STORE|[\w-]+\.(?:toml|json))(?!`)", r"`\1`", text)


def _plain(text: str) -> str:
    """Return `text` so that Markdown shows it as it is."""
    return re.sub(r"[\\`*<\[\]|$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])", r"\\\g<0>", text)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _metrics() -> str:
    rows = []
    for metric in METRICS:
        labels = ", ".join(f"`{label}`" for label in metric.labels if label != PROJECT)
        rows.append((f"`{metric.name}`", metric.kind.value, metric.unit, labels, metric.answers))
    return _table(("metric", "type", "unit", "labels, besides `project`", "answers"), rows)


def _checklist(name: str) -> str:
    """Return a checklist without its title, which the page has."""
    return read_checklist(name).partition("\n")[2].strip()


def _spans() -> str:
    return _table(("span", "covers"), [(f"`{one.name}`", one.covers) for one in SPANS])


def _span_attributes() -> str:
    rows = [(f"`{one.name}`", ", ".join(one.spans), one.means) for one in ATTRIBUTES]
    return _table(("attribute", "spans", "means"), rows)


def _reprotest_flags() -> str:
    rows = []
    for flag in FLAGS:
        names = [f"`{name} {flag.value}`" if flag.value else f"`{name}`" for name in (flag.short, flag.name) if name]
        rows.append((", ".join(names), f"refused; {flag.counterpart}" if flag.refused else flag.counterpart))
    return _table(("reprotest", "`ftc verify`"), rows)


def _reprotest_settings() -> str:
    return _table(("reprotest", "`ftc verify`"), [(f"`{one.name}`", one.counterpart) for one in SETTINGS])


PARTS: dict[str, Callable[[], str]] = {
    "options": _options,
    "artifact_keys": _artifact_keys,
    "presets": _presets,
    "parameters": _parameters,
    "variations": _variations,
    "causes": _causes,
    "metrics": _metrics,
    "spans": _spans,
    "span_attributes": _span_attributes,
    "before_production": lambda: _checklist("before-production"),
    "in_an_incident": lambda: _checklist("in-an-incident"),
    "objectives": _objectives,
    "reprotest_flags": _reprotest_flags,
    "reprotest_settings": _reprotest_settings,
}

if __name__ == "__main__":
    sys.exit(main())
