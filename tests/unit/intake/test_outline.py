"""What a partner sees of an event."""

from services.intake.domain.outline import FIELDS, outline
from shared.contracts.intake import CaseAccepted
from shared.contracts.topics import PUBLISHED
from tests.unit.intake.story import QUESTION, REPORT, case, study, submit

HIDDEN = {"sealed_identity", "studies", "documents", "document", "study", "first_read", "by"}


def test_every_event_of_ours_has_its_outline() -> None:
    assert set(FIELDS) == {event for event in PUBLISHED if event.publisher() == "intake"}


def test_no_outline_shows_an_address_a_digest_or_the_seal() -> None:
    assert set().union(*FIELDS.values()).isdisjoint(HIDDEN)


def test_an_outline_holds_fields_that_exist_and_is_json() -> None:
    for event, fields in FIELDS.items():
        assert fields <= set(event.model_fields)
    accepted = case(submit(QUESTION, REPORT), study()).when(study(part="b")).events[-1]

    assert isinstance(accepted, CaseAccepted)
    assert outline(accepted) == {
        "accepted_at": "2026-11-02T12:00:00Z",
        "service_level": "urgent",
        "reason_for_review": "not_read_by_subspecialist",
        "procedure_at": None,
    }
