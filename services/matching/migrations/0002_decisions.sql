-- What an accepted case adds to its reader's work in the shift.
ALTER TABLE assignments ADD COLUMN accepted_at timestamptz, ADD COLUMN rvu double precision;
CREATE INDEX assignments_accepted ON assignments (reader, accepted_at) WHERE accepted_at IS NOT NULL;

-- Who is there. A reader without a row is where their shift says.
CREATE TABLE presence (
    reader     text        PRIMARY KEY,
    available  boolean     NOT NULL,
    seen_at    timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);

-- Every version of a reader's record, so that a decision can be asked again as it was.
CREATE TABLE reader_versions (
    id       text   NOT NULL,
    revision bigint NOT NULL,
    reader   jsonb  NOT NULL,
    PRIMARY KEY (id, revision)
);
INSERT INTO reader_versions SELECT id, revision, reader FROM readers;
CREATE FUNCTION keep_reader() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO reader_versions VALUES (NEW.id, NEW.revision, NEW.reader);
    RETURN NEW;
END $$;
CREATE TRIGGER keep_reader AFTER INSERT OR UPDATE ON readers
    FOR EACH ROW EXECUTE FUNCTION keep_reader();

-- The rosters that decisions were made over: the revision of each reader, by its digest.
CREATE TABLE rosters (
    digest  text  PRIMARY KEY,
    members jsonb NOT NULL
);

-- Why a case was offered to a reader, or to nobody.
CREATE TABLE decisions (
    seq        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    case_id    uuid        NOT NULL,
    decided_at timestamptz NOT NULL,
    decision   jsonb       NOT NULL
);
CREATE INDEX decisions_case ON decisions (case_id, seq);
