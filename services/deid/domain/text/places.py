"""Which places smaller than a state does a text name? Addresses, towns by their cues, institutions.

45 CFR 164.514(b)(2)(i)(B). A hospital's name is a place here: it narrows the patient down to a town.
"""

import re
from collections.abc import Iterator

from services.deid.domain.text.kinds import Hit
from services.deid.domain.text.lexicon import Lexicon

RANK = 25
_CAP = r"(?:[A-Z][\w'.&-]{0,24}|St\.|Ste\.)"
_LINK = r"(?:[ ](?:of|the|and|for|at|de|del|der|la|le|du|des|di|von|am|an|in|y|&)){0,2}"
_NAME = rf"{_CAP}(?:{_LINK}[ -]{_CAP}){{0,5}}"
_STREET = (
    r"(?:street|st|avenue|ave|av|road|rd|lane|ln|drive|dr|court|ct|boulevard|blvd|way|place|pl|terrace|ter|"
    r"circle|cir|highway|hwy|parkway|pkwy|square|sq|close|crescent|cres|alley|row|walk|trail|trl|pike|turnpike|route|rte|"
    r"loop|grove|gardens?|mews|hill|park|plaza|crossing|heights|ridge|brow|wharf|quay|rise|vale|croft|wynd|strand)"
)  # fmt: skip
_UNIT = r"(?:,?\s{0,2}(?:apt|apartment|unit|suite|ste|flat|floor|fl|bldg|building|#)\.?\s?#?[\w-]{1,6})?"
_ZIP = r"(?:,?\s{1,2}[A-Z]{2}\b\.?)?(?:,?\s{1,2}(?:\d{5}(?:-\d{4})?|[A-Z]{1,2}\d[A-Z\d]?\s?\d[A-Z]{2}))?"
_TOWN = r"(?:,\s{1,3}[A-Z][a-z'-]{1,20}(?:[ -][A-Z][a-z'-]{1,20}){0,2})?"
_INSTITUTION = (
    r"(?:[Hh]ospitals?|HOSPITAL|[Cc]linics?|CLINIC|[Ii]nfirmary|[Mm]edical (?:[Cc]ent(?:er|re)|[Gg]roup|[Ss]chool|[Ii]maging)|MEDICAL CENTER|"
    r"[Hh]ealth(?:care)?(?: (?:[Ss]ystem|[Cc]ent(?:er|re)|[Nn]etwork|[Tt]rust|[Bb]oard))?|[Cc]ancer [Cc]ent(?:er|re)|[Ii]nstitute|[Uu]niversity|"
    r"[Cc]ollege|[Ii]maging(?: [Cc]ent(?:er|re)| [Aa]ssociates)?|[Rr]adiology(?: (?:[Aa]ssociates|[Gg]roup|[Pp]artners|[Cc]onsultants|[Ss]pecialists))?|"
    r"[Ss]urgery [Cc]ent(?:er|re)|[Hh]ospice|[Nn]ursing [Hh]ome|[Rr]ehabilitation(?: [Cc]ent(?:er|re))?|[Pp]harmacy|[Pp]rison|"
    r"[Ss]anatorium|[Ss]chool|[Cc]hurch|[Mm]onastery|[Cc]onvent|[Aa]rmy [Bb]ase|[Kk]linik(?:um)?|[Kk]rankenhaus|[Pp]raxis|[Pp]oliclinico|[Oo]spedale|"
    r"NHS(?: [Ff]oundation)? [Tt]rust|[Oo]rthopa?edics|[Aa]ssociates|[Pp]ractice|[Ss]urgery [Pp]ractice|[Ll]aborator(?:y|ies))"
)  # fmt: skip
_ADDRESSES = tuple(
    re.compile(pattern)
    for pattern in (
        rf"(?<![\w.])\d{{1,6}}[A-Za-z]?(?:[ -]\d/\d)?,?\s(?:[NSEW]{{1,2}}\.?\s|North\s|South\s|East\s|West\s)?(?:[A-Z0-9][\w'.-]{{0,20}}\s){{1,4}}(?i:{_STREET})\b\.?(?:\s(?:[NSEW]{{1,2}}|North|South|East|West)\b)?{_UNIT}{_TOWN}{_ZIP}",
        r"(?<!\w)(?:[A-Z][\w'.-]{1,24}[ -]){0,3}[A-Z]?[a-z]{0,20}(?:stra(?:ss|sz)e|str\.|weg|platz|allee|gasse|laan|straat)\s\d{1,4}[a-z]?\b(?:,?\s{1,2}(?:[A-Z]-)?\d{4,5}(?:\s[A-Z]{2})?\s[A-Z][\w-]{1,24})?",
        r"(?<!\w)(?:\d{1,4},?\s)?(?:[Rr]ue|[Cc]hemin|[Cc]alle|[Aa]venida|Via|Viale|Piazza|Rua|Paseo|Ulica|ul\.|(?:\d{1,4},?\s)(?:avenue|boulevard|place))\s(?:(?:de|du|des|del|della|la|le|el|los|las|San|Santa)\s){0,3}[A-Z][\w'-]{1,24}(?:[ -][A-Z][\w'-]{1,24}){0,3}(?:,?\s\d{1,4}[a-z]?\b)?(?:,?\s\d{4,5}\s[A-Z][\w-]{1,24})?",
        r"\b(?i:p\.?\s?o\.?\s?box|postfach|rural route)\s#?\d{1,6}\b" + _TOWN + _ZIP,
        r"(?<!\w)[A-Z][a-z'-]{1,20}(?:[ -][A-Z][a-z'-]{1,20}){0,2},\s{1,2}[A-Z]{2}\.?,?\s{1,2}\d{5}(?:-\d{4})?(?!\w)",
        r"(?<=,\s)[A-Z]{1,2}\d[A-Z\d]?\s\d[A-Z]{2}(?!\w)",
        r"(?<![\w.])(?:GIR 0AA|[A-Z]{1,2}\d[A-Z\d]?\s\d[ABD-HJLNP-UW-Z]{2})(?!\w)",
        r"\b(?i:zip(?: code)?|postcode|postal code|plz)\W{0,3}[A-Z0-9]{3,5}(?:[ -][A-Z0-9]{3,4})?(?!\w)",
    )
)
# A place when a name is in it that is no word of the language.
_NAMED = tuple(
    re.compile(pattern)
    for pattern in (
        r"(?<!\w)[A-Z][a-z'-]{2,20}(?:[ -][A-Z][a-z'-]{2,20}){0,2},\s{1,2}(?:A[LKZR]|C[AOT]|D[EC]|FL|GA|HI|I[DLNA]|K[SY]|LA|M[EAINSOT]|N[EVHJMYCD]|O[HKR]|RI|S[CD]|T[NX]|UT|V[TA]|W[AVIY])\b",
        rf"\b{_NAME}\s(?:County|Township|Parish|Borough|Shire|Village|Precinct|District|Island|Reservation|Ranch|Farm)\b",
        rf"\b(?:County|Township|Parish|Borough|Village|Town|City|Municipality|Port|Bishopric) of\s{_NAME}",
        rf"(?<!\w){_NAME}(?:'s)?{_LINK}[ ]{_INSTITUTION}(?:[ ](?:of|at|in)[ ]{_NAME})?(?!\w)",
        rf"\b(?:University|Universidad|Universite|Universitat|Hopital|Clinica|Klinikum|Ospedale|Institute|College|Church|School)\s(?:of|de|del|di|in|at|St|San|Santa|Saint|Sankt)\.?\s(?:the\s|la\s)?{_NAME}",
        r"(?<!\w)(?:St|Saint|Ste|San|Santa|Mount|Mt|Fort|Ft|Lake|Port|Cape|El|Los|Las|North|South|East|West|New)\.?\s(?!(?:St|Dr|Mr|Mrs)\b)[A-Z][a-z]{2,20}(?:'s)?(?!\w)",
    )
)
# A hospital's name may be made of plain words: "Mercy Hospital", "Children's Medical Center".
_HOSPITAL = re.compile(
    rf"(?<!\w)(?P<own>{_NAME}(?:'s)?{_LINK})[ ](?:Hospitals?|HOSPITAL|Clinics?|Infirmary|Medical Cent(?:er|re)|MEDICAL CENTER|University|Hospice|Nursing Home)(?:[ ](?:of|at|in)[ ]{_NAME})?(?!\w)"
)  # fmt: skip
_GENERIC = frozenset(
    "the this that our your outside other another prior previous local emergency general hospital clinic medical "
    "pain fracture outpatient inpatient day community referring private public same a at in of from to "
    "no urgent care acute spine breast stroke heart wound cancer oncology orthopedic surgery pediatric urology cardiology brief course suite operative "
    "gynecology obstetrics neurology pulmonary dialysis diabetes foot eye hand women's children surgical and".split()
)
_CUED = re.compile(
    r"(?i:\b(?:lives?|lived|living|resides?|residing|resident|home|born|transferred|referred|visiting|visited|vacation(?:ing)?|trip|travel(?:l?ed|ling)?|"
    r"moved|returned|raised|grew up|works?|worked|working|employed|admitted|seen|evaluated|treated|performed|obtained|done|imaging|scan|study|"
    r"outside|native|immigrated|flew|drove|came|comes|located|residence|stationed|deployed|mayor|sheriff|attends?|attended|teaches|studies|imprisoned|buried))"
    r"(?:\s(?i:to|back|here|over|today|yesterday|alone|with|his|her|wife|husband|family|mother|father|out|study|studies|films?|ct|mri|imaging|scan|exam)){0,2}"
    rf"\s(?i:in|at|from|of|to|near|outside|around|into|for)\s(?:(?i:the\s)?(?i:town|city|village|borough|county|state|suburb)\s(?i:of)\s|the\s)?(?P<place>{_NAME}(?:,\s[A-Z][A-Za-z]{{1,20}})?)"
)  # fmt: skip
_LABELLED = re.compile(
    r"(?im:^[ \t]*(?:home |mailing |patient |street )?(?P<sure>address|adresse|direccion|indirizzo|residence)|facility|institution|hospital|"
    r"clinic|employer|town|city|hometown|place of birth|birthplace|school|performing (?:site|facility|location)|"
    r"referring (?:site|facility|hospital|institution)|practice|organi[sz]ation)[ \t]*[:=][ \t]*(?P<place>[^\n]{2,120})"
)  # fmt: skip


def places(text: str, lexicon: Lexicon) -> Iterator[Hit]:
    """Addresses by shape, institutions and towns by the name in them, and what a label says."""
    for start, end in (*_shaped(text), *_with_names(text, lexicon), *_labels(text, lexicon)):
        yield Hit(start, end, "place", RANK)


def _shaped(text: str) -> Iterator[tuple[int, int]]:
    for pattern in _ADDRESSES:
        yield from (match.span() for match in pattern.finditer(text))


def _with_names(text: str, lexicon: Lexicon) -> Iterator[tuple[int, int]]:
    for pattern in _NAMED:
        for match in pattern.finditer(text):
            if _holds_name(match[0], lexicon):
                yield match.span()
    for match in _HOSPITAL.finditer(text):
        if any(word.lower() not in _GENERIC for word in re.findall(r"[A-Za-z]+", match["own"])):
            yield match.span()


def _labels(text: str, lexicon: Lexicon) -> Iterator[tuple[int, int]]:
    for match in _LABELLED.finditer(text):
        if match["sure"] or _holds_name(match["place"], lexicon):
            yield match.span("place")


def cued(text: str) -> Iterator[tuple[int, int]]:
    """Capitalised words after "lives in", "transferred from": a place unless they are terms."""
    for match in _CUED.finditer(text):
        yield match.span("place")


def _holds_name(text: str, lexicon: Lexicon) -> bool:
    words = [word.lower() for word in re.findall(r"[A-Za-z]{3,}", text)]
    return any(not lexicon.is_word(word) and not lexicon.is_eponym(word) for word in words)
