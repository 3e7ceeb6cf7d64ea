-- Numbers the changes of cases. A number may become visible after a higher one.
CREATE SEQUENCE touches;

-- One row per case: its state, and what queries look at.
CREATE TABLE cases (
    case_id       uuid    PRIMARY KEY,
    partner       text,
    state         jsonb   NOT NULL,
    revision      bigint  NOT NULL DEFAULT 1,
    touched       bigint  NOT NULL DEFAULT nextval('touches'),
    assignment    text    NOT NULL,
    wants_reader  boolean NOT NULL,
    service_level text,
    stage         text,
    standing      text,
    at_risk       boolean NOT NULL,
    breached      boolean NOT NULL,
    due_at        timestamptz
);
-- The optimiser's: cases that wait for a reader.
CREATE INDEX cases_waiting ON cases (touched) INCLUDE (case_id, revision) WHERE wants_reader;
-- The board's: cases whose clock has not ended, the most urgent first.
CREATE INDEX cases_running ON cases (due_at, case_id)
    WHERE standing IN ('in_time', 'at_risk', 'breached', 'paused');

-- Everybody who was ever asked, so that a late answer hears what became of the offer.
CREATE TABLE assignments (
    assignment text        PRIMARY KEY,
    case_id    uuid        NOT NULL,
    reader     text        NOT NULL,
    standing   text        NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX assignments_held ON assignments (reader, case_id)
    WHERE standing IN ('offered', 'assigned');

-- The roster. `edited`: changed through the API since, so the seed file no longer speaks for it.
-- Nothing is deleted, and each change counts up `revision`, so their sum grows with each commit.
CREATE TABLE readers (
    id         text        PRIMARY KEY,
    reader     jsonb       NOT NULL,
    revision   bigint      NOT NULL DEFAULT 1,
    edited     boolean     NOT NULL,
    changed_at timestamptz NOT NULL
);

-- What was promised to each partner.
CREATE TABLE contracts (
    partner    text        PRIMARY KEY,
    contract   jsonb       NOT NULL,
    revision   bigint      NOT NULL DEFAULT 1,
    edited     boolean     NOT NULL,
    changed_at timestamptz NOT NULL
);

-- Who changed the roster or a contract, and into what.
CREATE TABLE changes (
    seq        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subject    text        NOT NULL,
    what       text        NOT NULL,
    after      jsonb       NOT NULL,
    changed_at timestamptz NOT NULL
);

-- What each reader's stream shows. Numbers of one reader are given under that reader's lock, so
-- they become visible in order and a stream that resumes misses none.
CREATE TABLE worklist_log (
    seq         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    reader      text        NOT NULL,
    event_type  text        NOT NULL,
    event       jsonb       NOT NULL,
    recorded_at timestamptz NOT NULL
);
CREATE INDEX worklist_log_reader ON worklist_log (reader, seq);
CREATE INDEX worklist_log_age ON worklist_log USING brin (recorded_at);
