-- The trace that a case began with: what happens to it later belongs to the same one.
CREATE TABLE traces (
    case_id     uuid PRIMARY KEY,
    traceparent text NOT NULL
);
