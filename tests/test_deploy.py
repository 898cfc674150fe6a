"""What stands in deploy/: each file says what the program is like, and a tool that knows its format agrees."""

import json
import re
import shlex
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from dpobot import cli, exits
from dpobot.model.words import CaseState, JobState
from dpobot.monitoring.catalogue import NAMED
from dpobot.pulse import Role

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
UNITS = ("dpobot.service", "dpobot-worker@.service")
MOST_EXPOSED = 15  # tenths of what `systemd-analyze security` says, which goes from 0 to 10
DOCUMENTED = "252"  # of systemd; others weigh some settings otherwise
_STANDARD = {"process_resident_memory_bytes", "process_cpu_seconds_total"}
_PROMETHEUS = {"job", "instance", "le"}  # labels that come from elsewhere than the catalogue
_WORDS = {
    "state": {*CaseState, *JobState},
    "role": set(Role),
    "outcome": {"done", "failed", "held", "ok", "refused", "limited", "unreachable"},
    "days": {"1", "3", "7"},
    "level": {"warning", "error", "critical"},
}
_FUNCTIONS = {
    "max", "sum", "by", "or", "and", "on", "vector", "rate", "increase", "histogram_quantile", "without", "min",
}  # fmt: skip


def _unit(name: str) -> dict[str, list[str]]:
    """Return the settings of a unit, each with all its values."""
    found: dict[str, list[str]] = {}
    for line in (DEPLOY / name).read_text().splitlines():
        if "=" in line and not line.startswith("#"):
            key, _, value = line.partition("=")
            found.setdefault(key, []).append(value)
    return found


def _tool(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not on this machine: the format was checked by our own rules only")
    return path


@pytest.mark.parametrize("name", UNITS)
def test_units_are_units(name: str, tmp_path: Path) -> None:
    """As systemd reads them, with a program that is there."""
    tool = _tool("systemd-analyze")
    text = (DEPLOY / name).read_text().replace("/opt/dpobot/bin/dpobot", "/bin/true")
    (tmp_path / name).write_text(text)
    said = subprocess.run(
        [tool, "verify", "--man=no", str(tmp_path / name)], capture_output=True, text=True, check=False
    )
    complaints = [line for line in said.stderr.splitlines() if "dpobot" in line]
    assert (said.returncode, complaints) == (0, [])


@pytest.mark.parametrize("name", UNITS)
def test_units_are_as_closed_as_the_documentation_says(name: str) -> None:
    """The number is systemd's own."""
    tool = _tool("systemd-analyze")
    command = [tool, "security", "--offline=true", "--no-pager", f"--threshold={MOST_EXPOSED}", str(DEPLOY / name)]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    measured = re.search(r"Overall exposure level for \S+: ([0-9.]+)", said.stdout)
    assert measured is not None, said.stderr
    assert said.returncode == 0, said.stdout
    documented = re.search(rf"`{re.escape(name)}` \| ([0-9.]+) \|", (ROOT / "docs" / "monitoring.md").read_text())
    assert documented is not None
    version = subprocess.run([tool, "--version"], capture_output=True, text=True, check=True).stdout.split()[1]
    assert (version, documented[1]) == (version, measured[1] if version == DOCUMENTED else documented[1])


def test_both_units_are_closed_alike() -> None:
    """Only what they run, and what they are handed, differs."""
    bot, worker = (_unit(name) for name in UNITS)
    differing = {key for key in bot | worker if bot.get(key) != worker.get(key)}
    own = {"Description", "ExecStart", "StateDirectory", "WorkingDirectory", "LoadCredential"}
    assert differing == own


def test_what_the_service_manager_does_fits_the_exit_statuses() -> None:
    """A wrong configuration is not tried again, all else is; it waits for READY=1."""
    unit = _unit("dpobot.service")
    wanted = {"Type": "notify", "Restart": "on-failure", "RestartPreventExitStatus": str(exits.UNUSABLE)}
    assert {key: unit[key][0] for key in wanted} == wanted
    assert unit["StartLimitIntervalSec"] == ["0"]


@pytest.mark.parametrize("name", UNITS)
def test_units_start_what_there_is(name: str) -> None:
    """With arguments that the command line takes."""
    program, *arguments = shlex.split(_unit(name)["ExecStart"][0])
    given = cli._parser().parse_args(arguments)
    assert (program, str(given.config.parent)) == ("/opt/dpobot/bin/dpobot", "/etc/dpobot")


def _instructions() -> list[tuple[str, str]]:
    """Return the instructions of the container file in their order, continued lines joined."""
    text = re.sub(r"\\\n\s*", "", (DEPLOY / "Containerfile").read_text())
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(line.split(" ", 1)[0], line.split(" ", 1)[1]) for line in lines]


def _last_stage() -> list[tuple[str, str]]:
    found = _instructions()
    last = max(number for number, (word, _) in enumerate(found) if word == "FROM")
    return found[last:]


def test_the_container_runs_as_nobody_of_the_host() -> None:
    """Its user is a number, so that an orchestrator can see that it is not root; nothing after it runs as root."""
    words = [word for word, _ in _last_stage()]
    users = [value for word, value in _last_stage() if word == "USER"]
    assert (users, "RUN" in words[words.index("USER") :]) == (["10001:10001"], False)


def test_the_container_holds_no_secret_and_fetches_nothing_unchecked() -> None:
    """No ADD, no build argument, every file by its hash; sources stay in the stage that builds."""
    found = _instructions()
    assert {word for word, _ in found} & {"ADD", "ARG"} == set()
    assert any("--require-hashes" in value for word, value in found if word == "RUN")
    assert [value for word, value in _last_stage() if word == "COPY"] == ["--from=build /opt/dpobot /opt/dpobot"]


def test_the_container_says_whether_it_is_well() -> None:
    """By a module of ours: the image has no curl."""
    (check,) = [value for word, value in _last_stage() if word == "HEALTHCHECK"]
    command = json.loads(check.partition("CMD ")[2])
    assert command[1:] == ["-m", "dpobot.monitoring.probe", "http://127.0.0.1:8018/healthz"]
    assert "curl" not in (DEPLOY / "Containerfile").read_text()


def test_the_container_starts_what_there_is() -> None:
    """By the exec form, so that SIGTERM reaches the bot; what is copied into the build exists."""
    stage = dict(_last_stage())
    assert json.loads(stage["ENTRYPOINT"]) == ["/opt/dpobot/bin/dpobot"]
    assert cli._parser().parse_args(json.loads(stage["CMD"])).config == Path("/etc/dpobot/bot.toml")
    assert stage["STOPSIGNAL"] == "SIGTERM"
    copied = [value.split()[:-1] for word, value in _instructions() if word == "COPY" and "--from" not in value]
    assert [path for paths in copied for path in paths if not (ROOT / path).exists()] == []


def test_the_container_has_all_that_the_wheel_is_made_of() -> None:
    """What pyproject.toml names beside the package is there when it is built."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = {*wheel["packages"], *wheel["force-include"], *wheel.get("shared-data", {}), project["project"]["readme"]}
    needed |= set(project["project"]["license-files"])
    copied = {path for word, value in _instructions() if word == "COPY" for path in value.split()[:-1]}
    assert needed - copied == set()


def _compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    return loaded


def test_the_composition_has_a_bot_two_workers_and_a_database() -> None:
    """Ours run on a read-only root without any right, and start when the database answers."""
    services = _compose()["services"]
    assert sorted(services) == ["bot", "database", "worker-1", "worker-2"]
    for name in ("bot", "worker-1", "worker-2"):
        service = services[name]
        assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["depends_on"] == {"database": {"condition": "service_healthy"}}
        assert not {"privileged", "cap_add", "pid", "network_mode", "user"} & service.keys()
    for name in ("worker-1", "worker-2"):
        assert cli._parser().parse_args(services[name]["command"]).config == Path("/etc/dpobot/worker.toml")


def test_only_the_bot_is_reached_from_outside_and_each_has_its_own_disk() -> None:
    """The database is in a network without a way out; a worker is not handed the bot's password."""
    composition = _compose()
    services = composition["services"]
    assert [name for name, service in services.items() if "ports" in service] == ["bot"]
    assert (services["database"]["networks"], composition["networks"]["inside"]) == (["inside"], {"internal": True})
    disks = [services[name]["volumes"][0].split(":")[0] for name in services]
    assert len(set(disks)) == len(disks)
    used = {secret for service in services.values() for secret in service["secrets"]}
    assert used == set(composition["secrets"])
    assert "bot-password" not in services["worker-1"]["secrets"]


def _rules() -> Iterator[dict[str, Any]]:
    for group in yaml.safe_load((DEPLOY / "prometheus-rules.yml").read_text())["groups"]:
        yield from group["rules"]


def _dashboard() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((DEPLOY / "grafana-dashboard.json").read_text())
    return loaded


def _expressions() -> list[str]:
    panels = [target["expr"] for panel in _dashboard()["panels"] for target in panel["targets"]]
    return [rule["expr"] for rule in _rules()] + panels


def _wrong(expression: str) -> list[str]:
    """Return what in an expression is neither a metric of ours with its labels nor a word of PromQL."""
    plain = re.sub(r"\{[^}]*\}|\[[^\]]*\]", "", expression)
    selected = re.findall(r"([a-z_]+)\{([^}]*)\}", expression)
    groups = re.findall(r"\b(?:by|on|without) \(([^)]*)\)", plain)
    outside = re.sub(r"\b(by|on|without) \([^)]*\)", r"\1", plain)
    names = set(re.findall(r"[a-z_]+", outside)) - _FUNCTIONS
    known = {name for metric in names for name in _labels(metric)} | _PROMETHEUS
    wrong = [name for name in names if not _known(name)]
    wrong += [label for group in groups for label in re.split(r",\s*", group) if label not in known]
    for metric, matchers in selected:
        for label, values in re.findall(r'([a-z_]+)(?:=|!=|=~|!~)"([^"]*)"', matchers):
            if label not in _labels(metric):
                wrong.append(f"{metric}.{label}")
            else:
                wrong += [value for value in values.split("|") if value not in _WORDS[label]]
    return wrong if plain.count("(") == plain.count(")") else [*wrong, "parentheses"]


def _labels(metric: str) -> tuple[str, ...]:
    described = NAMED.get(re.sub(r"_(bucket|sum|count)$", "", metric))
    return described.labels if described is not None else ()


def _known(metric: str) -> bool:
    return metric in _STANDARD or re.sub(r"_(bucket|sum|count)$", "", metric) in NAMED


def test_alerts_and_panels_ask_for_metrics_that_exist() -> None:
    """With labels that they have, and values that these can have."""
    assert {each: wrong for each in _expressions() if (wrong := _wrong(each))} == {}
    assert len(_expressions()) > 30


@pytest.mark.parametrize(
    ("expression", "wrong"),
    [
        ("max(dpobot_case_overdue) > 0", ["dpobot_case_overdue"]),
        ('max(dpobot_cases_due{day="3"})', ["dpobot_cases_due.day"]),
        ('sum(dpobot_jobs{state="broken"})', ["broken"]),
        ("sum by (person) (dpobot_cases)", ["person"]),
        ("max((dpobot_active)", ["parentheses"]),
    ],
)
def test_what_does_not_exist_would_be_found(expression: str, wrong: list[str]) -> None:
    """The check above can fail."""
    assert _wrong(expression) == wrong


def test_every_concern_has_an_alert() -> None:
    """Due and overdue cases, failed jobs, a silent homeserver, no bot, open matters, a stuck outbox."""
    used = {name for rule in _rules() for name in re.findall(r"dpobot_[a-z_]+", rule["expr"])}
    wanted = {
        "dpobot_cases_due", "dpobot_cases_overdue", "dpobot_job_runs_total", "dpobot_sync_age_seconds",
        "dpobot_active", "dpobot_alerts_open", "dpobot_outbox_oldest_age_seconds", "dpobot_database_up",
    }  # fmt: skip
    assert wanted - used == set()
    assert [rule["alert"] for rule in _rules() if not rule["annotations"]["description"]] == []


def test_every_metric_of_ours_is_looked_at() -> None:
    """What nobody looks at need not be counted; the age of what is open for staff is for the curious."""
    used = {name for each in _expressions() for name in re.findall(r"dpobot_[a-z_]+", each)}
    unused = set(NAMED) - {re.sub(r"_(bucket|sum|count)$", "", name) for name in used}
    assert unused == {"dpobot_alerts_oldest_age_seconds"}


def test_panels_are_complete() -> None:
    """Each has a number, a place and a title of its own, and the data source that is chosen above."""
    panels = _dashboard()["panels"]
    assert len({panel["id"] for panel in panels}) == len({panel["title"] for panel in panels}) == len(panels)
    places = {(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels}
    assert len(places) == len(panels)
    assert {panel["datasource"]["uid"] for panel in panels} == {"${datasource}"}


def test_prometheus_takes_the_rules(tmp_path: Path) -> None:
    """And the panels' expressions, which are given to it as rules."""
    tool = _tool("promtool")
    recorded = [{"record": f"panel:{number}", "expr": each} for number, each in enumerate(_expressions())]
    panels = tmp_path / "panels.yml"
    panels.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": recorded}]}))
    for path in (DEPLOY / "prometheus-rules.yml", panels):
        said = subprocess.run([tool, "check", "rules", str(path)], capture_output=True, text=True, check=False)
        assert said.returncode == 0, said.stderr
