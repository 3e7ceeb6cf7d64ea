-- Why a reader who asked for the next case had none: one row for as long as the reason stays.
CREATE TABLE held_back (
    seq     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    reader  text        NOT NULL,
    reason  text        NOT NULL,
    since   timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    times   bigint      NOT NULL DEFAULT 1,
    nothing jsonb       NOT NULL
);
CREATE INDEX held_back_reader ON held_back (reader, seq);
