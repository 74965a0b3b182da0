"""The metric families of the service, one registry per application; names and labels are a contract.

No phone, lead, agent name or raw path is ever a label. Gauges that only the tables know are set at scrape.
"""

from __future__ import annotations

from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

REQUEST_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
PERSON_BUCKETS: Final = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)
disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for each counter, which no dashboard of ours reads
CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """Every family the service exposes."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry(auto_describe=True)
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        GCCollector(registry=registry)
        self.leads_received = Counter(
            "leadring_leads_received_total",
            "Leads that came in, by what became of them at the door.",
            ["site", "source", "result"],
            registry=registry,
        )
        self.deliveries = Counter(
            "leadring_deliveries_total",
            "What form builders' webhooks brought, by what became of it.",
            ["source", "verdict"],
            registry=registry,
        )
        self.lead_to_request = Histogram(
            "leadring_lead_to_request_seconds",
            "From the lead received to the provider request leaving.",
            buckets=REQUEST_BUCKETS,
            registry=registry,
        )
        self.lead_to_agent_answer = Histogram(
            "leadring_lead_to_agent_answer_seconds",
            "From the lead received to the agent having answered, as far as the provider told.",
            ["site"],
            buckets=PERSON_BUCKETS,
            registry=registry,
        )
        self.lead_to_connected = Histogram(
            "leadring_lead_to_connected_seconds",
            "From the lead received to both parties talking, as far as the provider told.",
            ["site"],
            buckets=PERSON_BUCKETS,
            registry=registry,
        )
        self.attempts = Counter(
            "leadring_attempts_total", "Attempts that are over, by outcome.", ["outcome"], registry=registry
        )
        self.provider_requests = Counter(
            "leadring_provider_requests_total",
            "Requests to the provider, by what came of them.",
            ["operation", "result"],
            registry=registry,
        )
        self.provider_seconds = Histogram(
            "leadring_provider_request_seconds",
            "How long requests to the provider took.",
            ["operation", "result"],
            buckets=REQUEST_BUCKETS,
            registry=registry,
        )
        self.refusals = Counter(
            "leadring_provider_refusals_total",
            "Readable refusals by the provider, by its error code (http when the HTTP status refused).",
            ["code"],
            registry=registry,
        )
        self.agents = Gauge("leadring_agents", "Agents by state.", ["state"], registry=registry)
        self.waiting = Gauge("leadring_leads_waiting", "Waiting leads by reason.", ["reason"], registry=registry)
        self.oldest = Gauge(
            "leadring_oldest_waiting_seconds",
            "Age of the oldest waiting lead by reason.",
            ["reason"],
            registry=registry,
        )
        self.deadlines_missed = Counter(
            "leadring_deadlines_missed_total",
            "Leads that nobody could take by their deadline; they were told another time.",
            ["site"],
            registry=registry,
        )
        self.unaccounted = Gauge(
            "leadring_leads_unaccounted", "Leads that nothing will ever move again; always 0.", registry=registry
        )
        self.unknown = Gauge(
            "leadring_attempts_unknown", "Attempts of which nobody knows whether they rang.", registry=registry
        )
        self.guard_hits = Counter(
            "leadring_guard_hits_total", "Leads that a guard spoke about.", ["guard", "mode"], registry=registry
        )
        self.open = Gauge("leadring_open", "1 while the site's hours are open.", ["site"], registry=registry)
        self.rate_limited = Counter(
            "leadring_rate_limited_total", "Requests refused by the rate limit.", registry=registry
        )
        self.breaker = Gauge(
            "leadring_breaker_open", "1 while calls are held back because the provider fails.", registry=registry
        )
        self.switch = Gauge(
            "leadring_switch", "1 while it is on: taking leads, dialling.", ["switch"], registry=registry
        )
        self.presence_believed = Gauge(
            "leadring_presence_timestamp_seconds",
            "When the provider's account of agents and calls was last believed; 0 in a process that does not ask.",
            registry=registry,
        )
        self.presence_doubts = Counter(
            "leadring_presence_doubts_total",
            "Answers about agents and calls that were not believed, by reason.",
            ["reason"],
            registry=registry,
        )
        self.build_info = Gauge("leadring_build_info", "Always 1.", ["version"], registry=registry)
        self.config_loaded = Gauge(
            "leadring_config_loaded_timestamp_seconds", "When leadring.toml was last loaded.", registry=registry
        )
        self.http = Histogram(
            "http_request_duration_seconds",
            "HTTP requests by route template.",
            ["method", "route", "status"],
            buckets=REQUEST_BUCKETS,
            registry=registry,
        )

    def render(self) -> bytes:
        """The text exposition of everything."""
        return generate_latest(self.registry)
