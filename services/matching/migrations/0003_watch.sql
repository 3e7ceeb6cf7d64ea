-- What reconciliation and the live board look at.
ALTER TABLE cases ADD COLUMN intake text, ADD COLUMN owner text, ADD COLUMN started_at timestamptz,
    ADD COLUMN field text, ADD COLUMN rvu double precision, ADD COLUMN holder text,
    ADD COLUMN delivery interval,
    ADD COLUMN seen_at timestamptz NOT NULL DEFAULT now();

-- How long readers take: when a case was begun, and when its report was signed.
ALTER TABLE assignments ADD COLUMN begun_at timestamptz, ADD COLUMN ended_at timestamptz;

-- When the reports of running cases are expected, by the queue ahead and the readers' speed.
CREATE TABLE forecasts (
    case_id     uuid        PRIMARY KEY,
    expected_at timestamptz NOT NULL
);

-- What operators ordered, and what came of it: kept for good.
CREATE TABLE orders (
    seq        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    case_id    uuid        NOT NULL,
    subject    text        NOT NULL,
    what       text        NOT NULL,
    terms      jsonb       NOT NULL,
    ordered_at timestamptz NOT NULL
);
CREATE INDEX orders_case ON orders (case_id, seq);

-- Where every case stands that has not simply ended. `running` has a clock that will speak again or
-- has breached, `waiting` an owner, `ended` was rejected or withdrawn before it was accepted; what
-- is none of these, or two, is named by what is wrong with it.
CREATE INDEX cases_open ON cases (case_id)
    WHERE standing IS NULL OR standing NOT IN ('met', 'late', 'cancelled');
CREATE VIEW accounts AS
    SELECT case_id, seen_at, CASE
        WHEN EXISTS (SELECT FROM parked p WHERE p.case_id = c.case_id AND resolution IS NULL)
            THEN 'events_parked'
        WHEN standing IN ('in_time', 'at_risk') AND NOT EXISTS (
                SELECT FROM timers t WHERE t.case_id = c.case_id AND kind LIKE 'sla:%')
            THEN 'clock_without_deadline'
        WHEN standing IN ('in_time', 'at_risk', 'breached') THEN 'running'
        WHEN standing = 'paused' AND owner IS NULL THEN 'pause_without_owner'
        WHEN standing = 'paused' THEN 'waiting'
        WHEN intake IN ('rejected', 'cancelled') THEN 'ended'
        WHEN owner IS NOT NULL THEN 'waiting'
        ELSE 'never_accepted' END AS account
    FROM cases c WHERE standing IS NULL OR standing NOT IN ('met', 'late', 'cancelled')
    UNION ALL
    SELECT case_id, seen_at, 'ended_but_held' FROM (
        SELECT case_id FROM timers WHERE kind LIKE 'sla:%'
        UNION SELECT case_id FROM assignments WHERE standing IN ('offered', 'assigned')
    ) AS held JOIN cases USING (case_id) WHERE standing IN ('met', 'late', 'cancelled');
