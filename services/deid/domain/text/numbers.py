"""Which numbers and codes name one person or thing? By the word before them, or by their shape.

45 CFR 164.514(b)(2)(i)(G) to (M), (P) and (R): a number after "MRN", a long number after nothing.
"""

import re
from collections.abc import Iterator

from services.deid.domain.text.kinds import Hit, Kind

RANK_CUED, RANK_SHAPE = 10, 40
# What stands before a number of each class. The most telling first.
_CUES: tuple[tuple[Kind, str], ...] = (
    ("ssn", r"social security|soc\.? ?sec\.?|ssn|ss#|sin|ni(?:no)?|national insurance|sozialversicherungs\w*|nif|cpf|dni|bsn|pesel|aadhaar|tax id|tin|itin"),
    ("biometric", r"finger ?prints?|biometrics?|biometric id|voice ?prints?|retinal? scan|iris (?:scan|code|template|hash)|face ?(?:id|print|template)|palm ?prints?|hand geometry|dna profile|gait signature"),
    ("vehicle", r"vin|vehicle(?: id(?:entification)?)?|licen[cs]e plates?|number plates?|plates?|registration plates?|reg(?:istration)? (?:mark|plate)|kennzeichen|car reg(?:istration)?|tag number"),
    ("licence", r"driver'?s? ?licen[cs]e|driving licen[cs]e|licen[cs]e|dl|dea|npi|upin|certificate|cert|passport|gmc|nmc|medical council|board cert(?:ification)?|permit|state lic|lic"),
    ("device", r"serial|s/n|sn|device(?: id(?:entifier)?)?|udi|lot|implant|pacemaker|icd device|generator|lead|stent|prosthesis|pump|model and serial|asset|catalog|ref no|unit serial|station serial"),
    ("health_plan", r"health ?plan|member(?:ship)?|beneficiary|subscriber|insurance|insured|insurer|policy|medicare|medicaid|mbi|hicn?|group|payer|payor|hmo|ppo|aetna|cigna|blue cross|kvnr|versichertennummer|plan|tricare"),
    ("account", r"accounts?|acct|encounter|visit|invoice|bill(?:ing)?|fin|csn|har|guarantor|iban|bank|credit card|card|kontonummer|statement|receipt"),
    ("mrn", r"mrn|mr#|mr no|medical record|med rec|record|patient(?:'s)? (?:id|no|number|identifier)|patient|pat[.-]?id|pid|hospital|unit|chart|nhs|chi|ehr|emr|emrn|hn|upi|case file|patienten-?(?:nr|nummer|id)|historia|nhc|fallnummer|ipp"),
    ("number", r"accession|acc|exam|order|requisition|req|study|case|specimen|reference|ref|ticket|claim|trial|subject|protocol|enrol?lment|research|participant|badge|employee|staff|student|inmate|prisoner|docket|file|job|dictation|transcription|confirmation|booking|appointment|barcode|wristband|bracelet|label|tracking|identifier|id|uid|room|bed|locker|user(?:name)?|login|code"),
)  # fmt: skip
_SIGN = r"(?:\s?(?:numbers?|no|nos|nr|num|id|ids|identifiers?|hash|template|tag|key|ref)\b\.?|\s?[#:=\u2116]|\s-\s|\s\()"
_MARK = rf"{_SIGN}(?:{_SIGN}|\s(?:is|was|of|reads?|as|code)\b){{0,4}}"
_PART = r"[A-Za-z0-9]{1,24}"
_VALUE = (
    rf"(?P<value>(?=[A-Za-z/.:_*-]{{0,14}}\d|(?-i:[A-Z]{{1,6}})[ -]\d)"
    rf"{_PART}(?:[/.:_*+-]{{1,2}}{_PART}){{0,8}}(?:[ ](?=[A-Z]{{0,4}}\d)[A-Z0-9]{{1,12}}(?!\w|\.\d|\s?(?:mm|cm)))"
    rf"{{0,5}})(?!\w)"
)  # fmt: skip
_CUED = tuple(
    (kind, re.compile(rf"(?<!\w)(?:{cue})(?<!\s)\.?(?!\w){_MARK}\s{{0,4}}{_VALUE}", re.IGNORECASE))
    for kind, cue in _CUES
)
# The same without any sign between: "MRN 4471920", but not "case 3", "lead 4", "study 2019".
_BARE = re.compile(
    r"(?<!\w)(?:(?P<mrn>mrn|mr#|nhs|chi|medical record|pid)|(?P<ssn>ssn|ss#|pesel|cpf|national insurance|nino|ni)|(?P<vehicle>vin|plates?|kennzeichen)"
    r"|(?P<licence>dea|npi|gmc|passport|licen[cs]e)|(?P<device>serial|s/n|sn|udi)"
    r"|(?P<health_plan>medicare|medicaid|mbi|hicn|policy|member)|(?P<account>acct|account|csn|iban|encounter)"
    r"|(?P<number>accession|acc|requisition|badge|ticket|barcode))"
    rf"(?:\s(?:is|was))?\s{{1,4}}(?P<value>(?=(?-i:[A-Z]{{1,3}}[ ])?[A-Za-z-]{{0,8}}\d)(?-i:[A-Z]{{1,3}}[ ])?{_PART}(?:[/.-]{_PART}){{0,6}}(?:[ ](?=[A-Z]{{0,4}}\d)[A-Z0-9]{{1,8}}(?!\w)){{0,8}}(?-i:[ ][A-Z]{{1,3}}(?!\w))?)(?!\w)",
    re.IGNORECASE,
)
_SSN = re.compile(r"(?<![\w-])\d{3}[- .]\d{2}[- .]\d{4}(?![\w-])")
_LONG = re.compile(r"(?<![\w.])\d(?:[ ,./-]?\d){4,30}(?!\w)")
_MIXED = re.compile(
    r"(?<![\w.])(?=[A-Za-z0-9_/.:-]{0,20}\d)[A-Za-z0-9](?:[_/.:-]?[A-Za-z0-9]){4,80}(?!\w)"
)
_UID = re.compile(r"(?<![\w.])[012](?:\.(?:0|[1-9]\d{0,38})){4,30}(?![\w.])")
_UNIT = re.compile(
    r"\s?(?:mm|cm|m|ml|l|cc|mg|mcg|g|gy|mgy|mgycm|mgy\*cm|cgy|hu|msv|mbq|mci|kbq|bq|hz|khz|mhz|kvp?|ma|mas|ms|msec|s|"
    r"cells?|copies|iu|units?|u|ng|pg|steps|x10|/ul|k/ul|per|%)(?![a-z])",
    re.IGNORECASE,
)  # fmt: skip
_CODED = re.compile(r"(?:\bcpt|\bicd(?:-?\d{1,2})?(?:-cm)?|\bhcpcs|\bsnomed(?: ct)?|\bloinc|\bradlex|\brid)\W{0,3}(?:codes?\W{0,3})?$", re.IGNORECASE)  # fmt: skip
_SHORT_DIGITS = 5
# Sizes, a number with its unit, a decade, a blood pressure, pregnancies and births, a b-value.
_HARMLESS = re.compile(
    r"\d{1,4}x\d{1,4}(?:x\d{1,4})?(?:mm|cm)?|\d{0,4}\.?\d{1,4}-?[a-z]{1,6}|(?:19|20)\d0s|"
    r"[a-z]{1,4}\d{2,3}/\d{2,3}|(?:g\d|p|para)-?\d(?:-?\d){0,4}|[ctls]\d{1,2}(?:[-/][ctls]?\d{1,2}){1,3}|"
    r"[a-z]{0,3}t\d?[a-z]{0,2}n\d?[a-z]?m\d?[a-z]?|v(?:19|20)\d\d|b[1-9]\d{1,2}0{1,2}",
    re.IGNORECASE,
)

# ISO 13616: a country, two check digits, up to 30 characters, mostly in groups of four.
_IBAN = re.compile(
    r"(?<!\w)[A-Z]{2}\d{2}(?:(?:[ ][A-Z0-9]{4}){3,7}(?:[ ][A-Z0-9]{1,3})?|[A-Z0-9]{11,30})(?!\w)"
)
_FEWEST_DIGITS = 10


def ibans(text: str) -> Iterator[Hit]:
    """Bank accounts, whose groups of four look like years: they are taken before any date."""
    for match in _IBAN.finditer(text):
        if sum(char.isdigit() for char in match[0]) >= _FEWEST_DIGITS:
            yield Hit(*match.span(), "account", 0)


def numbers(text: str) -> Iterator[Hit]:
    for kind, pattern in _CUED:
        for match in pattern.finditer(text):
            if _is_telling(match["value"]):
                yield Hit(*match.span("value"), kind, RANK_CUED)
    for match in _BARE.finditer(text):
        if _is_telling(match["value"]):
            yield Hit(*match.span("value"), _bare_kind(match), RANK_CUED + 1)
    yield from _shapes(text)


def _shapes(text: str) -> Iterator[Hit]:
    for match in _SSN.finditer(text):
        yield Hit(*match.span(), "ssn", RANK_CUED + 2)
    for match in _UID.finditer(text):
        yield Hit(*match.span(), "number", RANK_CUED + 2)
    for match in _LONG.finditer(text):
        if _is_long(match[0]) and not _is_measure(text, match):
            yield Hit(*match.span(), "number", RANK_SHAPE)
    for match in _MIXED.finditer(text):
        if _is_code(match[0]) and not _is_measure(text, match):
            yield Hit(*match.span(), "number", RANK_SHAPE + 1)


def _bare_kind(match: re.Match[str]) -> Kind:
    found = match.groupdict()
    kinds: tuple[Kind, ...] = (
        "mrn", "ssn", "vehicle", "licence", "device", "health_plan", "account", "number",
    )  # fmt: skip
    return next(kind for kind in kinds if found[kind])


def _is_telling(value: str) -> bool:
    """Two digits or more, or mixed with letters: "case 3" is the third case."""
    return sum(char.isdigit() for char in value) > 1 and not re.fullmatch(
        r"\d{1,3}[.,]\d{1,2}|\d{1,2}", value
    )


def _is_long(value: str) -> bool:
    """Five digits in one piece, or nine in several: a list of measures has short pieces."""
    pieces = re.split(r"[ ,./-]", value)
    longest = max(len(piece) for piece in pieces)
    if re.fullmatch(r"\d{1,3}(?:,\d{3})+", value) or re.fullmatch(r"\d{1,4}\.\d+", value):
        return False  # a thousand, a decimal
    if longest >= _SHORT_DIGITS:
        return True
    return sum(map(len, pieces)) >= 9 and min(map(len, pieces)) > 1 and longest > 2


def _is_code(value: str) -> bool:
    """Letters among at least four digits, or changing places often: no vertebra, no isotope."""
    digits = sum(char.isdigit() for char in value)
    letters = sum(char.isalpha() for char in value)
    changes = len(re.findall(r"\d[A-Za-z]|[A-Za-z]\d", value))
    if not letters or _HARMLESS.fullmatch(value):
        return False
    return digits >= 4 or (changes >= 3 and len(value) >= 6 and digits >= 3)


def _is_measure(text: str, match: re.Match[str]) -> bool:
    """A number with a unit behind it, or a code of a public list before it."""
    if _CODED.search(text[max(match.start() - 24, 0) : match.start()]):
        return True
    return match[0][-1].isdigit() and _UNIT.match(text, match.end()) is not None
