-- One row per case: what notify knows, and what its queries need.
CREATE TABLE cases (
    case_id      uuid PRIMARY KEY,
    partner      text,
    kind         text        NOT NULL,
    overdue_from timestamptz,
    state        jsonb       NOT NULL
);
CREATE INDEX cases_held ON cases (overdue_from) WHERE overdue_from IS NOT NULL;

-- Each delivery as it stands, so that operations can list what failed. Causes are codes.
CREATE TABLE deliveries (
    delivery   text PRIMARY KEY,
    case_id    uuid        NOT NULL,
    partner    text        NOT NULL,
    channel    text        NOT NULL,
    audience   text        NOT NULL,
    progress   text        NOT NULL,
    attempts   integer     NOT NULL,
    cause      text,
    retry_at   timestamptz,
    changed_at timestamptz NOT NULL
);
CREATE INDEX deliveries_progress ON deliveries (progress, changed_at, delivery);

-- The partner's timeline. `tx` is the writing transaction: a reader goes only as far as the oldest
-- one still running, so that no line can appear behind its back.
CREATE TABLE timeline (
    tx      xid8        NOT NULL DEFAULT pg_current_xact_id(),
    seq     bigint      GENERATED ALWAYS AS IDENTITY,
    id      uuid        PRIMARY KEY,
    partner text        NOT NULL,
    case_id uuid        NOT NULL,
    type    text        NOT NULL,
    at      timestamptz NOT NULL,
    facts   jsonb       NOT NULL
);
CREATE INDEX timeline_partner ON timeline (partner, tx, seq);
CREATE INDEX timeline_case ON timeline (case_id, tx, seq);

-- Where a partner wants its results. `secrets` is encrypted with NOTIFY_STORE_KEY.
CREATE TABLE partners (
    partner     text PRIMARY KEY,
    webhook     text,
    mail        boolean     NOT NULL,
    secrets     bytea,
    disabled_at timestamptz,
    changed_at  timestamptz NOT NULL,
    changed_by  text        NOT NULL
);

-- Who opened which patient's identity, when and why. Written before it is opened, never changed.
CREATE TABLE openings (
    seq     bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    case_id uuid        NOT NULL,
    who     text        NOT NULL,
    why     text        NOT NULL,
    at      timestamptz NOT NULL
);
CREATE INDEX openings_case ON openings (case_id, seq);
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit trail is append-only';
END $$;
CREATE TRIGGER openings_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON openings
    EXECUTE FUNCTION refuse_change();
