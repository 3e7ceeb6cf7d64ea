-- Whose case it is, as de-identification calls them: who read the patient before knows them.
ALTER TABLE cases ADD COLUMN patient text;
CREATE INDEX cases_patient ON cases (partner, patient) WHERE patient IS NOT NULL;
CREATE INDEX assignments_done ON assignments (case_id) INCLUDE (reader) WHERE standing = 'done';
-- What readers did lately.
CREATE INDEX assignments_lately ON assignments (accepted_at) WHERE accepted_at IS NOT NULL;
CREATE INDEX assignments_ended ON assignments (ended_at) WHERE ended_at IS NOT NULL;

-- What happened to each reader, counted: `read:CT`, `reason:cancer`, `asked`, `accepted`; and by the
-- name under which a first report knows them, `radpeer:2a`.
CREATE TABLE tallies (
    name  text   NOT NULL,
    what  text   NOT NULL,
    count bigint NOT NULL,
    PRIMARY KEY (name, what)
);
