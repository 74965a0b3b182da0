"""What we ship to run it with keeps its word: the compose file, the proxy, the alerts, the dashboard."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from app.domain.states import AGENT_STATES, WAITING_REASONS
from app.settings import PREFIX, Settings

ROOT = Path(__file__).resolve().parent.parent

# The metric families that dashboards outside the project rely on, with their labels.
METRICS = {
    "leadring_leads_received_total": {"site", "source", "result"},
    "leadring_deliveries_total": {"source", "verdict"},
    "leadring_lead_to_request_seconds": set(),
    "leadring_lead_to_agent_answer_seconds": {"site"},
    "leadring_lead_to_connected_seconds": {"site"},
    "leadring_attempts_total": {"outcome"},
    "leadring_provider_requests_total": {"operation", "result"},
    "leadring_provider_request_seconds": {"operation", "result"},
    "leadring_provider_refusals_total": {"code"},
    "leadring_agents": {"state"},
    "leadring_leads_waiting": {"reason"},
    "leadring_oldest_waiting_seconds": {"reason"},
    "leadring_deadlines_missed_total": {"site"},
    "leadring_leads_unaccounted": set(),
    "leadring_attempts_unknown": set(),
    "leadring_guard_hits_total": {"guard", "mode"},
    "leadring_open": {"site"},
    "leadring_rate_limited_total": set(),
    "leadring_breaker_open": set(),
    "leadring_switch": {"switch"},
    "leadring_presence_timestamp_seconds": set(),
    "leadring_presence_doubts_total": {"reason"},
    "leadring_build_info": {"version"},
    "leadring_config_loaded_timestamp_seconds": set(),
    "http_request_duration_seconds": {"method", "route", "status"},
}


def read(*parts: str) -> str:
    return ROOT.joinpath(*parts).read_text(encoding="utf-8")


# --- compose ------------------------------------------------------------------------------------------------------


def compose() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(read("docker-compose.yml"))
    return document


SERVICES: dict[str, dict[str, Any]] = compose()["services"]


def test_the_profiles_hold_what_they_promise() -> None:
    by_profile: dict[str, set[str]] = {}
    for name, service in SERVICES.items():
        for profile in service.get("profiles", ["(always)"]):
            by_profile.setdefault(profile, set()).add(name)
    assert by_profile == {
        "(always)": {"leadring"},
        "scale": {"migrate", "leadring-replica", "proxy", "postgres", "redis"},
        "observability": {"prometheus", "grafana"},
    }
    assert SERVICES["leadring-replica"]["deploy"]["replicas"] == 3


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_has_no_more_rights_and_room_than_it_needs(name: str) -> None:
    service = SERVICES[name]
    assert service["init"] is True
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "/tmp" in service["tmpfs"]  # noqa: S108
    assert int(service["user"].split(":")[0]) > 0
    assert service["mem_limit"]
    assert service["pids_limit"]
    assert service["logging"]["options"]["max-size"]
    image = service["image"].split(":")
    assert len(image) == 2, "an image without a tag is a different one every day"
    assert image[1] != "latest"


def test_ports_are_published_on_this_machine_only_and_none_twice() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []
    outside = [re.sub(r"\$\{\w+:-(\d+)\}", r"\1", port).split(":")[1] for port in ports]
    assert len(set(outside)) == len(outside) == 4
    assert "ports" not in SERVICES["leadring-replica"], "three replicas cannot share one port"


def test_files_and_volumes_that_compose_mounts_exist() -> None:
    declared = compose()["volumes"]
    for name, service in SERVICES.items():
        for mount in service.get("volumes", []):
            if isinstance(mount, dict):
                assert mount["read_only"], name
                assert mount["bind"] == {"create_host_path": False}, "a mistyped name must not become a folder"
                continue
            source = mount.split(":")[0]
            assert (ROOT / source).exists() if source.startswith(".") else source in declared, f"{name}: {mount}"


def test_a_drain_has_the_time_that_a_request_to_the_provider_may_take() -> None:
    grace = SERVICES["leadring"]["stop_grace_period"]
    assert grace == SERVICES["leadring-replica"]["stop_grace_period"]
    assert int(grace.removesuffix("s")) > Settings().voicenter_timeout


def test_replicas_believe_the_proxy_alone_about_who_the_client_is() -> None:
    proxy = SERVICES["proxy"]["networks"]["edge"]["ipv4_address"]
    gateway = compose()["networks"]["edge"]["ipam"]["config"][0]["gateway"]
    assert SERVICES["leadring-replica"]["environment"]["LEADRING_TRUSTED_PROXIES"] == f"{proxy}/32"
    assert SERVICES["leadring"]["environment"]["LEADRING_TRUSTED_PROXIES"] == f"{gateway}/32"
    conf = read("deploy", "proxy", "nginx.conf")
    assert f"set_real_ip_from {gateway}/32;" in conf
    assert "proxy_set_header X-Forwarded-For $remote_addr;" in conf, "what the client claimed must not be kept"


def test_compose_sets_only_settings_that_exist() -> None:
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    used = set(re.findall(r"\bLEADRING_[A-Z_]+", read("docker-compose.yml") + read("Dockerfile")))
    assert used
    assert used - known == set()


def test_the_proxy_cuts_off_slow_and_oversized_senders_and_hides_the_metrics() -> None:
    conf = read("deploy", "proxy", "nginx.conf")
    for directive in ("client_header_timeout", "client_body_timeout", "client_max_body_size"):
        assert re.search(rf"^ +{directive} \d+[sk];$", conf, re.MULTILINE), directive
    assert re.search(r"location = /metrics \{\s+return 404;", conf)
    # The paths that end in a secret, which every router below them has: no line of any log of the proxy's.
    assert "  access_log off;" in conf
    secret = re.search(r"location ~ (\S+) \{\s+error_log /dev/null crit;\s+proxy_pass http://leadring;\s+\}", conf)
    assert secret is not None
    for path in ("/v1/hooks/shop/token", "/v1/voicenter/cdr/token"):
        assert re.match(secret[1], path)
    assert not re.match(secret[1], "/v1/leads")
    # A location with a header of its own would lose all those that are set for the server.
    assert not re.search(r"location [^{]+\{[^}]*proxy_set_header", conf)
    assert conf.count("{") == conf.count("}")


# --- alerts and dashboard -----------------------------------------------------------------------------------------


def alerts() -> list[dict[str, Any]]:
    groups = yaml.safe_load(read("deploy", "prometheus", "alerts.yml"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def dashboard() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(read("deploy", "grafana", "dashboards", "leadring.json"))
    return document


def expressions() -> Iterator[tuple[str, str]]:
    """Where and what: every PromQL expression that the project ships."""
    for rule in alerts():
        yield rule["alert"], rule["expr"]
    for panel in dashboard()["panels"]:
        for target in panel.get("targets", []):
            yield f"{panel['title']} {target['refId']}", target["expr"]


EXPRESSIONS = list(expressions())


@pytest.mark.parametrize(("where", "expression"), EXPRESSIONS, ids=[where for where, _ in EXPRESSIONS])
def test_an_expression_asks_only_for_metrics_and_labels_that_exist(where: str, expression: str) -> None:
    selectors = re.findall(r"\b((?:leadring|http)_\w+)(?:\{([^}]*)\})?", expression)
    assert selectors or "up{" in expression, where
    operations = ROOT / "docs" / "operations.md"
    documented = operations.read_text(encoding="utf-8") if operations.exists() else None
    for name, matchers in selectors:
        family = name if name in METRICS else re.sub(r"_(bucket|sum|count)$", "", name)
        assert family in METRICS, f"{where}: {name}"
        assert documented is None or family in documented, f"{family} is not in docs/operations.md"
        asked = dict(re.findall(r"(\w+)=~?\"([^\"]*)\"", matchers))
        assert set(asked) <= METRICS[family], f"{where}: {name} has no such label"
        if family == "leadring_agents":
            assert set(asked.values()) <= set(AGENT_STATES), where
        if "reason" in asked:
            assert asked["reason"] in WAITING_REASONS, where
    if len({name for name, _ in selectors}) == 1:
        labels = {label for group in re.findall(r"by \(([^)]*)\)", expression) for label in group.split(", ")}
        assert labels - {"le"} <= METRICS[family], f"{where}: grouped by a label that is not there"
    assert expression.count("(") == expression.count(")")


def test_every_metric_family_is_on_the_dashboard_or_in_an_alert() -> None:
    everything = "\n".join(expression for _, expression in EXPRESSIONS)
    assert [name for name in METRICS if name not in everything] == []


def test_every_alert_says_what_to_do() -> None:
    headings = {line[3:] for line in read("deploy", "runbook.md").splitlines() if line.startswith("## ")}
    names = [rule["alert"] for rule in alerts()]
    assert sorted(headings) == sorted(names), "one heading per alert"
    for rule in alerts():
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert rule["annotations"]["summary"]
        assert rule["annotations"]["runbook"] == f"deploy/runbook.md#{rule['alert'].lower()}"


def test_what_is_asked_of_a_provider_metric_by_operation_is_an_operation_that_there_is() -> None:
    provider = read("app", "provider.py")
    asked = {name for _, expression in EXPRESSIONS for name in re.findall(r'operation="(\w+)"', expression)}
    assert asked == {"call"}, "questions about the line, several a minute, would drown the calls"
    assert 'counting(metrics, "call")' in provider


def test_every_reason_not_to_believe_the_provider_is_in_the_runbook() -> None:
    entry = read("deploy", "runbook.md").split("## LeadringPresenceBlind\n")[1].split("\n## ")[0]
    rooms = read("app", "service", "line_watch.py") + read("app", "service", "belief.py")
    reasons = set(re.findall(r'\.doubt\("(\w+)"\)', rooms))
    assert len(reasons) >= 5
    assert reasons <= set(re.findall(r"^- `(\w+)`:", entry, re.MULTILINE))


def test_no_panel_of_the_dashboard_lies_over_another() -> None:
    cells = [
        (x, y)
        for panel in dashboard()["panels"]
        for place in [panel["gridPos"]]
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(cells) == len(set(cells))


def test_the_dashboard_can_be_put_into_any_grafana() -> None:
    board = dashboard()
    assert board["uid"] == "leadring"
    assert "id" not in board, "a number from one Grafana clashes in another"
    assert board["templating"]["list"][0]["name"] == "datasource"
    assert "://" not in json.dumps(board)
    panels = board["panels"]
    assert {p["datasource"]["uid"] for p in panels if p["type"] != "row"} == {"${datasource}"}
    assert len({panel["id"] for panel in panels}) == len(panels)
    for panel in panels:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24, panel["title"]


@pytest.mark.parametrize("path", sorted((ROOT / "deploy").rglob("*.yml")), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_yaml_file_parses(path: Path) -> None:
    assert isinstance(yaml.safe_load(path.read_text(encoding="utf-8")), dict)
