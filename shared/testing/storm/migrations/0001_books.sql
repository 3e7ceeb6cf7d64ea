-- What the bookkeeper has noted about each case, in the order in which it was told.
CREATE TABLE books (
    case_id uuid PRIMARY KEY,
    book    jsonb NOT NULL
);
