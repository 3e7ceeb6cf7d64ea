-- Who asked for the next case, and when. Whoever got one waits for none, and is not in it.
CREATE TABLE asking (
    reader   text        PRIMARY KEY,
    asked_at timestamptz NOT NULL
);
