"""What must be mended before an opinion may stand? Every complaint names its field."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

from services.reporting.domain.claims import is_present, repeated_ids
from services.reporting.domain.state import Material, Reading
from shared.contracts.base import Laterality, Sex
from shared.contracts.intake import AgeBand
from shared.contracts.report import Claim, Opinion
from shared.decider import Refused

SECTIONS = ("technique", "comparison", "impression")
_MALE = """prostate prostatic testis testes testicle testicular scrotum scrotal penis penile
    epididymis epididymal"""
_FEMALE = """uterus uterine ovary ovaries ovarian endometrium endometrial myometrium myometrial
    adnexa adnexal vagina vaginal vulva placenta fetus gestational"""
ONLY_IN: Mapping[Sex, frozenset[str]] = {
    "M": frozenset(_MALE.split()),
    "F": frozenset(_FEMALE.split()),
}
# From the youngest to the oldest band in which the word makes sense: growth plates close by the
# mid-twenties (the bands can't say it finer), pregnancy ends with the menopause.
AGES: Mapping[str, tuple[AgeBand, AgeBand]] = {
    "growth plate": ("0-1", "18-29"),
    "salter-harris": ("0-1", "18-29"),
    "hyaline membrane disease": ("0-1", "0-1"),
    "necrotizing enterocolitis": ("0-1", "0-1"),
    "gestational": ("6-11", "50-59"),
    "fetus": ("6-11", "50-59"),
    "placenta": ("6-11", "50-59"),
    "postmenopausal": ("30-39", "90+"),
    "senile": ("50-59", "90+"),
}
# Matching splits a case into eight parts at most; together they fit into one opinion.
PART_CHARACTERS = 2_300
PART_CLAIMS = 25
PART_ID = 60
_BANDS: tuple[AgeBand, ...] = get_args(AgeBand)
_SIDE_WORDS: Mapping[Laterality, str] = {"L": "left", "R": "right"}
_BOTH = frozenset({"both", "bilateral", "bilaterally"})


@dataclass(frozen=True, slots=True)
class Complaint:
    """`field` is a JSON pointer into what the reader wrote, `detail` says how to mend it."""

    field: str
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Patient:
    """What of the patient the words must not contradict. `sides`: of the case and its studies."""

    sex: Sex
    age_band: AgeBand
    sides: frozenset[Laterality]


def patient_of(material: Material) -> Patient:
    facts, images = material.facts, material.images
    if facts is None:
        return Patient(sex="U", age_band="unknown", sides=frozenset())
    studies = images.studies if images else ()
    sides = frozenset({facts.laterality, *(study.laterality for study in studies)})
    return Patient(sex=facts.sex, age_band=facts.age_band, sides=sides)


def refused_by(complaints: Sequence[Complaint]) -> Refused:
    """Refuse with the first complaint, and say how many more there are."""
    first = complaints[0]
    more = f" ({len(complaints) - 1} more)" if len(complaints) > 1 else ""
    return Refused(first.code, first.detail + more, first.field)


def lint_draft(state: Reading) -> tuple[Complaint, ...]:
    """Give everything that keeps a draft from being locked."""
    found = lint_opinion(state.draft, patient_of(state.material))
    return (*found, *_of_a_part(state.draft)) if state.assignment.regions else found


def _of_a_part(opinion: Opinion) -> Iterator[Complaint]:
    """Keep the part of a split case short enough for all parts to be one report."""
    for section in (*SECTIONS, "narrative"):
        if len(getattr(opinion, section)) > PART_CHARACTERS:
            detail = f"A region's {section} has room for {PART_CHARACTERS} characters."
            yield Complaint(f"/{section}", "too_long_for_a_part", detail)
    if len(opinion.claims) > PART_CLAIMS:
        detail = f"A region has room for {PART_CLAIMS} claims."
        yield Complaint("/claims", "too_many_for_a_part", detail)
    for n, claim in enumerate(opinion.claims):
        if len(claim.id) > PART_ID:
            detail = f"In a split case an id has room for {PART_ID} characters."
            yield Complaint(f"/claims/{n}/id", "too_long_for_a_part", detail)


def lint_opinion(opinion: Opinion, patient: Patient) -> tuple[Complaint, ...]:
    """Give everything that keeps the opinion from being locked, in the order of its fields."""
    return (
        *_empty_sections(opinion),
        *_claims_or_none(opinion),
        *lint_claims(opinion.claims, patient),
        *_impression_side(opinion),
    )


def lint_claims(claims: Sequence[Claim], patient: Patient) -> tuple[Complaint, ...]:
    """Give the complaints about claims that stand at `/claims`."""
    repeated = (
        Complaint(f"/claims/{i}/id", "repeated_claim", "Another claim has this id; change one.")
        for i in repeated_ids(claims)
    )
    each = (
        complaint
        for position, claim in enumerate(claims)
        for complaint in _lint_claim(claim, f"/claims/{position}", patient)
    )
    return (*repeated, *each)


def _empty_sections(opinion: Opinion) -> Iterator[Complaint]:
    for section in SECTIONS:
        if not getattr(opinion, section).strip():
            yield Complaint(f"/{section}", "empty_section", f"Write the {section}.")


def _claims_or_none(opinion: Opinion) -> Iterator[Complaint]:
    if opinion.adequacy == "inadequate" and opinion.claims:
        detail = "Inadequate images carry no claims; use `limited` where some can be made."
        yield Complaint("/claims", "claims_on_inadequate_images", detail)
    if opinion.adequacy != "inadequate" and not opinion.claims:
        detail = "State at least one claim; that nothing was found is one (`excluded`)."
        yield Complaint("/claims", "no_claims", detail)


def _lint_claim(claim: Claim, at: str, patient: Patient) -> Iterator[Complaint]:
    yield from _missing_words(claim, at)
    yield from _significance(claim, at)
    yield from _side(claim, at, patient)
    yield from _sex_and_age(claim, at, patient)


def _missing_words(claim: Claim, at: str) -> Iterator[Complaint]:
    if not claim.finding.strip():
        yield Complaint(f"{at}/finding", "empty_finding", "Name the finding.")
    if not claim.anatomic_site.strip():
        yield Complaint(f"{at}/anatomic_site", "empty_site", "Name the anatomic site.")


def _significance(claim: Claim, at: str) -> Iterator[Complaint]:
    critical = claim.significance == "critical"
    if is_present(claim) and claim.significance is None:
        detail = "Say whether it is critical, actionable or incidental_no_action."
        yield Complaint(f"{at}/significance", "no_significance", detail)
    if not is_present(claim) and critical:
        detail = "A finding that is not there is not critical; leave the significance out."
        yield Complaint(f"{at}/significance", "critical_but_absent", detail)
    if critical and claim.critical_category is None:
        detail = "Give the category: 1 (60 minutes) or 2 (24 hours)."
        yield Complaint(f"{at}/critical_category", "no_critical_category", detail)
    if not critical and claim.critical_category is not None:
        detail = "Only a critical finding has a category; set the significance or drop it."
        yield Complaint(f"{at}/critical_category", "category_without_critical", detail)


def _side(claim: Claim, at: str, patient: Patient) -> Iterator[Complaint]:
    imaged = patient.sides - {"U"}
    if claim.laterality != "U" and imaged and "B" not in imaged:
        needed = {"L", "R"} if claim.laterality == "B" else {claim.laterality}
        if not needed <= imaged:
            detail = f"The case and its studies are of side {'/'.join(sorted(imaged))}."
            yield Complaint(f"{at}/laterality", "laterality_contradiction", detail)
    for field in ("finding", "anatomic_site", "text"):
        spoken = _sides_in(getattr(claim, field))
        if spoken and claim.laterality in _SIDE_WORDS and claim.laterality not in spoken:
            detail = f"The words name the other side; the claim's laterality is {claim.laterality}."
            yield Complaint(f"{at}/{field}", "laterality_contradiction", detail)


def _impression_side(opinion: Opinion) -> Iterator[Complaint]:
    claimed = {claim.laterality for claim in opinion.claims}
    spoken = _sides_in(opinion.impression)
    if claimed and claimed <= {"L", "R"} and spoken and not spoken & claimed:
        detail = "The impression names a side that no claim is about."
        yield Complaint("/impression", "laterality_contradiction", detail)


def _sides_in(text: str) -> set[str]:
    """Give the sides that English words in the text name."""
    words = set(_words(text))
    if words & _BOTH:
        return {"L", "R"}
    return {side for side, word in _SIDE_WORDS.items() if word in words}


def _sex_and_age(claim: Claim, at: str, patient: Patient) -> Iterator[Complaint]:
    for field in ("finding", "anatomic_site"):
        text = getattr(claim, field).casefold()
        words = set(_words(text))
        for sex, terms in ONLY_IN.items():
            if patient.sex in ONLY_IN and patient.sex != sex and terms & words:
                detail = f"The patient's sex is {patient.sex}."
                yield Complaint(f"{at}/{field}", "sex_contradiction", detail)
        for term in _out_of_age(text, patient.age_band):
            detail = f"The patient's age is {patient.age_band}, which does not go with {term!r}."
            yield Complaint(f"{at}/{field}", "age_contradiction", detail)


def _out_of_age(text: str, band: AgeBand) -> Iterable[str]:
    if band == "unknown":
        return []
    age = _BANDS.index(band)
    return [
        term
        for term, (youngest, oldest) in AGES.items()
        if re.search(rf"\b{re.escape(term)}\b", text)
        and not _BANDS.index(youngest) <= age <= _BANDS.index(oldest)
    ]


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())
