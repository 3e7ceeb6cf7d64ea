-- What the runner keeps in every service's schema.

-- Inputs already handled. A row commits with the state that its input led to.
CREATE TABLE inbox (
    input_id   uuid PRIMARY KEY,
    handled_at timestamptz NOT NULL
);
CREATE INDEX inbox_handled_at ON inbox (handled_at);

-- Decided events on their way to Kafka. Column names are those of Debezium's outbox event router.
CREATE TABLE outbox (
    seq           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id            uuid        NOT NULL,
    aggregatetype text        NOT NULL,
    aggregateid   uuid        NOT NULL,
    type          text        NOT NULL,
    payload       text        NOT NULL,
    occurred_at   timestamptz NOT NULL,
    causation_id  uuid,
    traceparent   text        NOT NULL DEFAULT ''
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);

-- Messages that could not be handled, and those of the same case that wait behind them.
CREATE TABLE parked (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    case_id     uuid,
    event_id    uuid,
    type        text        NOT NULL,
    topic       text        NOT NULL,
    partition   integer     NOT NULL,
    "offset"    bigint      NOT NULL,
    key         bytea,
    value       bytea,
    headers     jsonb       NOT NULL,
    cause       text        NOT NULL,
    behind      boolean     NOT NULL,
    attempts    integer     NOT NULL DEFAULT 1,
    parked_at   timestamptz NOT NULL,
    resolution  text CHECK (resolution IN ('replayed', 'discarded')),
    resolved_at timestamptz,
    resolved_by text,
    reason      text,
    UNIQUE (topic, partition, "offset")
);
CREATE INDEX parked_open ON parked (case_id, id) WHERE resolution IS NULL;

-- Moments at which a case wants to be asked again; written with the state.
CREATE TABLE timers (
    case_id  uuid        NOT NULL,
    kind     text        NOT NULL,
    due_at   timestamptz NOT NULL,
    retry_at timestamptz NOT NULL,
    attempts integer     NOT NULL DEFAULT 0,
    cause    text,
    PRIMARY KEY (case_id, kind)
) WITH (autovacuum_vacuum_scale_factor = 0.01);
CREATE INDEX timers_retry_at ON timers (retry_at);

-- Heavy work. Whoever holds the lease performs; only the lease's holder may record the result.
CREATE TABLE jobs (
    seq          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id           uuid        NOT NULL UNIQUE,
    case_id      uuid        NOT NULL,
    kind         text        NOT NULL,
    payload      jsonb       NOT NULL,
    traceparent  text        NOT NULL DEFAULT '',
    run_at       timestamptz NOT NULL,
    attempts     integer     NOT NULL DEFAULT 0,
    waits        integer     NOT NULL DEFAULT 0,
    stuck        boolean     NOT NULL DEFAULT false,
    cause        text,
    lease        uuid,
    leased_until timestamptz
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
CREATE INDEX jobs_run_at ON jobs (run_at, seq) WHERE NOT stuck;
CREATE INDEX jobs_case ON jobs (case_id);
