-- One row per case: what reporting knows of it.
CREATE TABLE cases (
    case_id uuid  PRIMARY KEY,
    partner text,
    state   jsonb NOT NULL
);
