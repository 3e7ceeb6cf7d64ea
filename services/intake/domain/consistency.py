"""What contradicts itself and is refused at once, naming the field?

Fields are JSON pointers into the partner's data, as in docs/partner-guide.md.
"""

from collections.abc import Callable
from typing import Final

from services.intake.domain.inputs import ExpectedStudy, Request
from services.intake.domain.regions import MINORS
from shared.decider import Refused

Check = Callable[[Request], Refused | None]


def contradiction(request: Request) -> Refused | None:
    """Give the first contradiction, in the order of CHECKS."""
    return next((found for check in CHECKS if (found := check(request))), None)


def a_child_is_a_child(request: Request) -> Refused | None:
    adult = request.age_band not in (*MINORS, "unknown")
    if request.reason_for_review != "pediatric" or not adult:
        return None
    return Refused(
        "contradiction",
        "The reason is pediatric, but the birth date makes the patient 18 or older: mend either.",
        "/reason_for_review",
    )


def a_pregnancy_is_possible(request: Request) -> Refused | None:
    if request.reason_for_review != "pregnancy_fetal" or request.sex != "M":
        return None
    return Refused(
        "contradiction",
        "The reason is pregnancy_fetal, but the patient's sex is M: mend either.",
        "/reason_for_review",
    )


def something_is_to_be_read(request: Request) -> Refused | None:
    if any(not study.prior for study in request.studies):
        return None
    return Refused(
        "nothing_to_read",
        "Every study is a prior: name at least one study to be read, with prior: false.",
        "/studies",
    )


def studies_differ(request: Request) -> Refused | None:
    """Refuse a study named twice, also once by its UID and once by its accession number alone."""
    for place, one in enumerate(request.studies):
        if any(_same(one, other) for other in request.studies[:place]):
            return Refused(
                "study_twice", "The same study is named twice: name it once.", f"/studies/{place}"
            )
    return None


def _same(one: ExpectedStudy, other: ExpectedStudy) -> bool:
    if one.study and other.study:
        return one.study == other.study
    return one.accession is not None and one.accession == other.accession


CHECKS: Final[tuple[Check, ...]] = (
    a_child_is_a_child,
    a_pregnancy_is_possible,
    something_is_to_be_read,
    studies_differ,
)
