-- What intake knows. No column holds an identity: digests are keyed, texts and images lie in the
-- vault, and the identity stands sealed inside the state.

-- Who may submit, and how their patients are numbered.
CREATE TABLE partners (
    partner        text PRIMARY KEY,
    name           text        NOT NULL,
    patient_issuer text        NOT NULL,
    service_levels text[]      NOT NULL,
    changed_by     text        NOT NULL,
    changed_at     timestamptz NOT NULL
);

-- One row per case: the folded state, and what lists ask for.
CREATE TABLE cases (
    case_id      uuid PRIMARY KEY,
    partner      text        NOT NULL,
    submitted_at timestamptz NOT NULL,
    state        jsonb       NOT NULL
);
CREATE INDEX cases_partner ON cases (partner, submitted_at DESC, case_id DESC);

-- Studies that open cases announced: by digest of the Study Instance UID, or of the accession
-- number with issuer where no UID was given.
CREATE TABLE announced (
    case_id   uuid        NOT NULL,
    position  integer     NOT NULL,
    partner   text        NOT NULL,
    study     text,
    accession text,
    patient   text        NOT NULL,
    since     timestamptz NOT NULL,
    PRIMARY KEY (case_id, position)
);
CREATE INDEX announced_study ON announced (partner, study);
CREATE INDEX announced_accession ON announced (partner, accession) WHERE study IS NULL;
CREATE INDEX announced_since ON announced (since);

-- Transmissions: instances of one study that came together. They wait here for their case.
CREATE TABLE arrivals (
    arrival     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    partner     text        NOT NULL,
    study       text        NOT NULL,
    patient     text        NOT NULL,
    accession   text,
    modality    text        NOT NULL,
    body_region text        NOT NULL,
    laterality  text        NOT NULL,
    images      boolean     NOT NULL,
    misfiled    boolean     NOT NULL DEFAULT false,
    received_at timestamptz NOT NULL
);
CREATE INDEX arrivals_study ON arrivals (partner, study);
CREATE INDEX arrivals_accession ON arrivals (partner, accession);
CREATE INDEX arrivals_received_at ON arrivals (received_at);

-- Instances in the vault, each once per partner. Content and name are digests.
CREATE TABLE instances (
    partner text   NOT NULL,
    sop     text   NOT NULL,
    arrival bigint NOT NULL REFERENCES arrivals,
    address text   NOT NULL,
    sha256  text   NOT NULL,
    size    bigint NOT NULL,
    PRIMARY KEY (partner, sop)
);
CREATE INDEX instances_arrival ON instances (arrival);

-- Which transmission was handed to which case's decider.
CREATE TABLE handed (
    arrival bigint NOT NULL REFERENCES arrivals,
    case_id uuid   NOT NULL,
    PRIMARY KEY (arrival, case_id)
);

-- Requests already answered: the same key gives the same answer. Key and body are keyed digests.
CREATE TABLE requests (
    partner text        NOT NULL,
    key     text        NOT NULL,
    body    text        NOT NULL,
    answer  jsonb,
    made_at timestamptz NOT NULL,
    PRIMARY KEY (partner, key)
);

-- What partners can follow: the published events of their cases, in the order they were decided.
CREATE TABLE log (
    seq      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    partner  text        NOT NULL,
    case_id  uuid        NOT NULL,
    event_id uuid        NOT NULL,
    type     text        NOT NULL,
    at       timestamptz NOT NULL,
    data     jsonb       NOT NULL
);
CREATE INDEX log_partner ON log (partner, seq);
