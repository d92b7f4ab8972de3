"""Which files are in the kit, and what is in them: always the same bytes for the same answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from string import Template
from typing import Any

from pytest_ftc import __version__
from pytest_ftc.integrations.kit.alertmanager import Maintenance, render_alertmanager
from pytest_ftc.integrations.kit.rules import render_rules

RUNBOOKS = "https://example.org/runbooks"
"""What the dashboards of the package have instead of the address of the runbooks."""
DASHBOARDS = ("executive", "on-call", "debug")
MAINTENANCE = Maintenance(weekday="sunday", begins="02:00", ends="04:00")
"""The example of a time in which nobody is told of tickets, in UTC."""
CHECKLISTS = ("before-production", "in-an-incident")


@dataclass(frozen=True, slots=True, kw_only=True)
class Servers:
    """The addresses, as ``host:port``, that the example of a configuration has."""

    pushgateway: str = "localhost:9091"
    alertmanager: str = "localhost:9093"
    node_exporter: str = "localhost:9100"


@dataclass(frozen=True, slots=True, kw_only=True)
class KitAnswers:
    """What a kit is for."""

    runbooks: str
    """Where the runbooks can be read, without a fragment."""
    webhook: str
    """Where Alertmanager sends its messages."""
    project: str = ""
    """The project that dashboards show at first; empty for all."""
    servers: Servers = Servers()


def render_dashboard(name: str, answers: KitAnswers) -> str:
    """Return the JSON of the dashboard called `name`."""
    board: dict[str, Any] = json.loads(_read(f"dashboards/{name}.json"))
    for variable in board["templating"]["list"]:
        if variable["name"] == "runbooks":
            variable["query"] = answers.runbooks
        elif variable["name"] == "project" and answers.project:
            variable["current"] |= {"text": [answers.project], "value": [answers.project]}
    return json.dumps(board, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def render_prometheus(servers: Servers, interval: str = "15s") -> str:
    """Return the example of ``prometheus.yml``, which reads `servers` in each `interval`."""
    return _fill(
        "prometheus.yml",
        pushgateway=servers.pushgateway,
        alertmanager=servers.alertmanager,
        node_exporter=servers.node_exporter,
        interval=interval,
    )


def read_checklist(name: str) -> str:
    """Return the checklist called `name`."""
    return _read(f"texts/{name}.md")


def _fill(name: str, **values: str) -> str:
    return Template(_read(f"texts/{name}")).substitute(values)


def _read(name: str) -> str:
    return files("pytest_ftc.integrations.kit").joinpath(name).read_text(encoding="utf-8")


def make_files(answers: KitAnswers) -> Mapping[str, str]:
    """Return the files of the kit: their names below its folder, and what is in them."""
    made = {f"dashboards/{name}.json": render_dashboard(name, answers) for name in DASHBOARDS}
    made["prometheus/rules.yml"] = render_rules(answers.runbooks)
    made["alertmanager/alertmanager.yml"] = render_alertmanager(answers.webhook, answers.webhook, MAINTENANCE)
    made["runbooks.md"] = _read("texts/runbooks.md")
    made["prometheus/prometheus.yml"] = render_prometheus(answers.servers)
    made |= {f"checklists/{name}.md": read_checklist(name) for name in CHECKLISTS}
    made["README.md"] = _fill("README.md", pushgateway=answers.servers.pushgateway, version=__version__)
    return made
