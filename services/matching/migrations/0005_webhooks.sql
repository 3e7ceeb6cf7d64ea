-- Readers' own systems. `secrets` are encrypted; `after` is the last entry of the reader's log that
-- was handed over, so a crash repeats an entry under the same id, and loses none. Whoever holds the
-- `lease` hands over; `stopped` says why nobody does any more.
CREATE TABLE webhooks (
    reader       text        PRIMARY KEY,
    url          text        NOT NULL,
    secrets      bytea       NOT NULL,
    after        bigint      NOT NULL,
    attempts     integer     NOT NULL DEFAULT 0,
    cause        text,
    stopped      text,
    next_at      timestamptz NOT NULL,
    lease        uuid,
    leased_until timestamptz,
    changed_at   timestamptz NOT NULL
);
