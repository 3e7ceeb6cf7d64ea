-- One row per case: what deid knows of it. `waiting` counts items that no operator has decided.
CREATE TABLE cases (
    case_id uuid  PRIMARY KEY,
    partner text,
    state   jsonb NOT NULL,
    kind    text  NOT NULL,
    waiting int   NOT NULL,
    seq     bigint GENERATED ALWAYS AS IDENTITY
);
CREATE INDEX cases_waiting ON cases (seq) WHERE waiting > 0;

-- Who looked at what before it was clean: each look at a patient's image or text.
CREATE TABLE looks (
    seq     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    case_id uuid        NOT NULL,
    item    text        NOT NULL,
    frame   int,
    by      text        NOT NULL,
    at      timestamptz NOT NULL
);
CREATE INDEX looks_case ON looks (case_id);
