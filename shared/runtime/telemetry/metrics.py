"""Which figures does a service publish? One table, scraped at /metrics. No id is ever a label."""

from prometheus_client import Counter, Gauge, Histogram

from shared.runtime import clock

_FAST = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60)
_LONG = (0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600)
_SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)

# The runner: one input of any kind, from any side. outcome: decided | nothing | duplicate |
# refused | parked
EVENTS_HANDLED = Counter(
    "overread_events_handled_total", "Inputs that went through the decider", ["type", "outcome"]
)
BATCH_SIZE = Histogram("overread_batch_events", "Inputs in one transaction", buckets=_SIZES)
BATCH_SECONDS = Histogram("overread_batch_seconds", "Time of one transaction", buckets=_FAST)
HOP_SECONDS = Histogram(
    "overread_hop_seconds", "From an event's time to the commit of what it led to", buckets=_FAST
)
WEATHER = Counter("overread_weather_total", "Attempts that bad weather undid", ["where"])

# Kafka.
PUBLISHED = Counter("overread_published_total", "Events that the relay published", ["topic"])
OUTBOX_DEPTH = Gauge("overread_outbox_events", "Events that wait to be published")
OUTBOX_OLDEST = Gauge("overread_outbox_oldest_seconds", "Age of the oldest of them")
PROGRESS = Gauge(
    "overread_progress_seconds", "Since a partition was last moved on", ["topic", "partition"]
)
LAG = Gauge("overread_lag_events", "Events behind the end", ["topic", "partition"])

# What waits for a person, for its time, for a worker.
PARKED = Counter("overread_parked_total", "Events that were parked", ["cause"])
PARKED_NOW = Gauge("overread_parked_events", "Events that are parked")
TIMERS_LAG = Gauge("overread_timers_lag_seconds", "Since the oldest overdue deadline was due")
TIMERS = Gauge("overread_timers_deadlines", "Deadlines that stand")
JOBS = Counter("overread_jobs_total", "Jobs that ended", ["kind", "outcome"])
JOBS_WAITING = Gauge("overread_jobs_waiting", "Jobs not yet done")
JOBS_STUCK = Gauge("overread_jobs_stuck", "Jobs that wait for a person")
JOB_SECONDS = Histogram("overread_job_seconds", "Time of one job", ["kind"], buckets=_LONG)

# HTTP. route: the template, never the address.
HTTP_REQUESTS = Counter(
    "overread_http_requests_total", "Requests answered", ["method", "route", "status"]
)
HTTP_SECONDS = Histogram(
    "overread_http_request_seconds", "Time of one request", ["method", "route"], buckets=_FAST
)


def progressed(topic: str, partition: int) -> None:
    """Note that a partition moved on; the gauge then counts up by itself until the next time."""
    since = clock.ticks()
    PROGRESS.labels(topic, str(partition)).set_function(lambda: clock.ticks() - since)


def forget(topic: str, partition: int) -> None:
    """Drop a partition that went to another replica, so that nobody alarms for it here."""
    for gauge in (PROGRESS, LAG):
        gauge.remove(topic, str(partition))
