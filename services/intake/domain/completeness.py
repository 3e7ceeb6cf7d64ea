"""What is still missing? One function per rule; RULES is the whole list.

A first report that is missing or unreadable is a state of the world and no missing item; one that
was promised and has not come is.
"""

from collections.abc import Callable, Iterator
from typing import Final

from services.intake.domain.inputs import ExpectedStudy
from services.intake.domain.state import ArrivedStudy, File, arrived, matches
from shared.contracts.intake import MissingItem, ReasonForReview

# Reasons that ask for a comparison with an earlier study (1-product).
COMPARISONS: Final[frozenset[ReasonForReview]] = frozenset(
    {"persistent_symptoms", "treatment_monitoring", "post_surgical_follow_up"}
)
Rule = Callable[[File], Iterator[MissingItem]]


def missing(file: File) -> tuple[MissingItem, ...]:
    """List what the partner still owes, in the order of RULES."""
    return tuple(item for rule in RULES for item in rule(file))


def studies_are_here(file: File) -> Iterator[MissingItem]:
    for number, expected in enumerate(file.request.studies, start=1):
        came = arrived(file, expected)
        if not is_complete(expected, came):
            yield _study_item(f"Study {number}", expected, came)


def no_study_is_misfiled(file: File) -> Iterator[MissingItem]:
    for number, expected in enumerate(file.request.studies, start=1):
        strays = [s for s in file.misfiled if matches(expected, s.study, s.accession)]
        if strays and not is_complete(expected, arrived(file, expected)):
            yield MissingItem(
                code="wrong_patient",
                detail=f"Study {number} came with another patient's id or issuer than the case's "
                "and was not attached; send it with the right one, or cancel and submit again.",
            )


def there_are_images(file: File) -> Iterator[MissingItem]:
    for number, expected in enumerate(file.request.studies, start=1):
        came = arrived(file, expected)
        if is_complete(expected, came) and not any(one.images for one in came):
            yield MissingItem(
                code="no_images",
                detail=f"Study {number} holds no image, only other objects; send its images.",
            )


def a_comparison_has_a_prior(file: File) -> Iterator[MissingItem]:
    reason = file.request.reason_for_review
    if reason in COMPARISONS and not any(study.prior for study in file.request.studies):
        yield MissingItem(
            code="prior_study",
            detail=f"{reason} is a comparison: announce the earlier study (case.amend, prior: "
            "true) and send it, or amend the reason for review.",
        )


def the_question_is_asked(file: File) -> Iterator[MissingItem]:
    if not any(document.kind == "clinical_question" for document in file.documents):
        yield MissingItem(
            code="clinical_question",
            detail="Say what the reader shall answer (document.attach, kind clinical_question).",
        )


def symptoms_are_told(file: File) -> Iterator[MissingItem]:
    told = any(document.kind == "history" for document in file.documents)
    if file.request.reason_for_review == "symptom_discrepancy" and not told:
        yield MissingItem(
            code="history",
            detail="symptom_discrepancy needs the history and symptoms (document.attach, kind "
            "history).",
        )


def a_promised_report_is_here(file: File) -> Iterator[MissingItem]:
    here = any(document.kind == "first_report" for document in file.documents)
    if file.request.first_read.status == "present" and not here:
        yield MissingItem(
            code="first_report",
            detail="The first report was promised and has not come: attach it (document.attach, "
            "kind first_report), or say that it is missing or unreadable.",
        )


def the_date_is_known(file: File) -> Iterator[MissingItem]:
    request = file.request
    for why in (request.reason_for_review, request.service_level):
        if why in ("before_major_procedure", "tumour_board") and request.procedure_at is None:
            yield MissingItem(
                code="procedure_date",
                detail=f"{why} needs the date of the procedure or meeting (case.amend, "
                "procedure_date).",
            )


RULES: Final[tuple[Rule, ...]] = (
    studies_are_here,
    no_study_is_misfiled,
    there_are_images,
    a_comparison_has_a_prior,
    the_question_is_asked,
    symptoms_are_told,
    a_promised_report_is_here,
    the_date_is_known,
)


def is_complete(expected: ExpectedStudy, came: tuple[ArrivedStudy, ...]) -> bool:
    """Tell whether an announced study is here: all its instances, or some and then quiet."""
    if expected.instances is None:
        return bool(came) and all(one.quiet for one in came)
    return sum(one.instances for one in came) >= expected.instances


def _study_item(study: str, expected: ExpectedStudy, came: tuple[ArrivedStudy, ...]) -> MissingItem:
    have = sum(one.instances for one in came)
    if not have:
        return MissingItem(code="study", detail=f"{study} has not come.")
    detail = f"{study}: {have} instances have come, more may follow."
    if expected.instances is not None:
        detail = f"{study}: {have} of {expected.instances} instances have come."
    return MissingItem(code="study_incomplete", detail=detail)
