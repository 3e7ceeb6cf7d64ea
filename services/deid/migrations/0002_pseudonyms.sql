-- After a new key: which of a patient's possible pseudonyms has a case of the partner used already?
CREATE INDEX cases_pseudonym ON cases (partner, (state #>> '{dossier,pseudonym}'));
