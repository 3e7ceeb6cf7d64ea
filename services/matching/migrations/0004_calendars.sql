-- Readers' calendars as they were imported, to be unfolded further ahead day by day.
CREATE TABLE calendars (
    reader  text        NOT NULL,
    source  text        NOT NULL,
    kind    text        NOT NULL,
    content text        NOT NULL,
    reaches timestamptz NOT NULL,
    PRIMARY KEY (reader, source)
);
CREATE INDEX calendars_reach ON calendars (reaches);
