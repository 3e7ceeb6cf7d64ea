"""Who is named, going by what stands around? Titles, labels, degrees, initials before a surname."""

import re
from collections.abc import Iterator

RANK = 26
PARTICLES = frozenset(
    "van von der den de del della di da dos das du la le el al bin ibn abu ter ten zu zur y e st "
    "san santa mac mc o".split()
)
_SUFFIX = frozenset("jr sr ii iii iv v".split())
_CAP = r"[^\W\d_a-z][\w'-]{0,24}"
_INITIAL = r"[A-Z]\.?"
_PARTICLE = (
    r"(?:van|von|der|den|de|del|della|di|da|dos|das|du|la|le|el|al|bin|ibn|abu|ter|ten|zu|zur|y|e)"
)
_SEP = r"[ \t]{1,2}"
# "Vanterpool", "M. J. Vanterpool", "Mary Ann van der Berg Jr", "Vanterpool, Mariposa J."
_FULL = (
    rf"(?:{_INITIAL}{_SEP}?){{0,3}}(?:{_PARTICLE}{_SEP}){{0,3}}{_CAP}"
    rf"(?:(?:{_SEP}|-)(?:{_PARTICLE}{_SEP}){{0,2}}(?:{_INITIAL}(?!\w){_SEP}?)?{_CAP}){{0,3}}(?:{_SEP}{_INITIAL}(?!\w))?"
)
_TITLE = (
    r"(?:[Dd]rs?|DRS?|[Mm]rs?|MRS?|[Mm]s|MS|[Mm]iss|[Mm]x|[Pp]rof(?:essor)?|PROF|[Dd]octors?|DOCTOR|[Ss]ir|[Dd]ame|[Ll]ord|[Ll]ady|[Rr]ev(?:erend)?|[Ff]ather|"
    r"[Ss]ister|[Nn]urse|[Ss]gt|[Cc]apt(?:ain)?|[Cc]ol(?:onel)?|[Ll]t|[Mm]aj(?:or)?|[Oo]fficer|[Jj]udge|[Hh]err|[Ff]rau|[Ss]enora?|[Ss]ra?|[Ss]ignora?|[Mm]me|[Mm]lle|[Mm]onsieur|"
    r"[Mm]adame|[Dd]ott|[Dd]hr|[Mm]evr|[Pp]an[i]?|[Rr]abbi|[Ii]mam|[Ss]heikh|[Uu]ncle|[Aa]unt)"
)  # fmt: skip
TITLED = re.compile(
    rf"(?<!\w){_TITLE}\b\.?[ \t]{{1,2}}(?:{_TITLE}\.?[ \t])?(?:[Mm]ed\.[ \t])?(?P<name>{_FULL})"
)
DEGREES = re.compile(
    rf"(?<!\w)(?P<name>{_FULL}(?:,{_SEP}?{_FULL})?),?[ \t]{{1,2}}(?:M\.?D\b|D\.?O\b|MBBS|MBChB|FRC\w{{1,4}}|FACR|FACS|Ph\.?D|R\.?N\b|R\.?T\b|RT\(R\)|RDMS|PA-?C\b|N\.?P\b|ARNP|CRNA|DPM|DDS|DMD|DC\b|LPN|MRCP|Esq)"
)
LABELLED = re.compile(
    r"(?im:(?P<label>\b(?:patient(?:'?s)?(?: name)?|pt(?: name)?|name|full name|surname|last name|first name|given name|maiden name|middle name|alias|aka|a\.k\.a\.|also known as|formerly|nee|"
    r"nickname|(?:referring|ordering|attending|primary care|requesting|consulting|family|admitting|reading|performing|interpreting|responsible|supervising|treating)"
    r"(?: (?:physician|provider|doctor|clinician|md|surgeon|practitioner|radiologist|dr))?|referrer|radiologist|technologist|technician|sonographer|radiographer|tech|resident|fellow|physician|"
    r"provider|doctor|clinician|surgeon|consultant|oncologist|cardiologist|neurologist|gp|pcp|"
    r"dictated(?: by)?|dictator|transcribed(?: by)?|transcriptionist|typed(?: by)?|signed(?: by)?|electronically signed(?: by)?|e-signed(?: by)?|signature|verified(?: by)?|approved(?: by)?|reviewed(?: by)?|interpreted(?: by)?|"
    r"read by|reported by|reporter|author|examiner|prepared by|finali[sz]ed by|released by|performed by|requested by|ordered by|referred by|witness(?:ed by)?|authenticated by|"
    r"cc|c\.c\.|attn|attention|attention to|copy to|copies to|to|from|re|regarding|dear|contact|emergency contact|next of kin|nok|guardian|guarantor|caregiver|carer|mother|father|parents?|spouse|wife|husband|partner|son|"
    r"daughter|brother|sister|sibling|aunt|uncle|cousin|neighbou?r|friend|interpreter|informant|employer|coach|teacher|patientin|nachname|vorname|nombre|apellidos?|nom|prenom|cognome|paciente|nome|arzt|medico|medecin))"
    r"[ \t]*(?::|=|[ \t]-[ \t])[ \t]*(?P<rest>[^\n;|]{2,100}))"
)  # fmt: skip
# Words after which a capitalised word is a person's.
CUED = re.compile(
    r"(?i:\b(?:discussed with|spoke (?:with|to)|spoken to|called(?: to)?|reported to|communicated (?:to|with)|conveyed to|relayed to|given to|notified|informed|paged|telephoned|phoned|"
    r"(?:dictated|signed|transcribed|typed|reviewed|verified|approved|interpreted|read|performed|ordered|requested|referred|reported|seen|examined|confirmed|supervised|"
    r"accompanied|witnessed|prepared|cared for|treated|operated on|relayed|brought in|escorted|driven|known) by|(?:per|via|courtesy of|care of|c/o|thank(?:s| you)(?:,| to| for referring)?|dear|attn|on behalf of|discussion with|conversation with|consultation with|"
    r"(?:his|her|their|the patient's|patient's|pt's|my) (?:wife|husband|mother|father|son|daughter|brother|sister|spouse|partner|aunt|uncle|cousin|friend|neighbou?r|guardian|carer|caregiver|girlfriend|boyfriend|"
    r"grandson|granddaughter|grandmother|grandfather|fiance|fiancee|colleague|coach|roommate|niece|nephew|twin|dog|boss|teacher|gp|pcp|surgeon|oncologist|physician|doctor)|"
    r"(?:named|name is|known as|called|nicknamed|goes by|nee|nee:|alias|aka|a\.k\.a\.|signed|patient|pt|wife|husband|mother|father|son|daughter|brother|sister|guardian|spouse|surgeon|oncologist|radiologist|technologist|nurse|physician|colleague|neighbou?r|friend|interpreter|carer|caregiver|cousin|aunt|uncle|niece|nephew|partner|boyfriend|girlfriend))),?)"
    rf"(?:[ \t]{{1,2}}|\n)(?:{_TITLE}\.?[ \t]{{1,2}})?(?P<name>{_FULL})"
)  # fmt: skip
# "J. Vanterpool", "Vanterpool J", "VANTERPOOL, MARIPOSA", "Vanterpool^Mariposa"
INITIALLED = re.compile(
    rf"(?<![\w.])(?P<name>(?:[A-Z]\.[ \t]?){{1,3}}(?:{_PARTICLE}[ \t]){{0,2}}[A-Z][a-z'][\w'-]{{1,24}})"
)
INVERTED = re.compile(
    r"(?<!\w)(?P<name>[A-Z][A-Za-z'-]{1,24}(?:[ -][A-Z][A-Za-z'-]{1,24})?(?:\^|,[ \t]?)[A-Z][A-Za-z'-]{1,24}(?:[ \t^][A-Z]\.?(?!\w))?)(?!\w)"
)
_OFFICE = r"(?i:consultant|attending|staff|chief|senior|radiologist|registrar|specialist|resident|fellow|physician|secretary|professor|head of|department|oberarzt|facharzt|chefarzt|radioloog)"
# At the end of a letter, and over an office: "Yours sincerely,", "Consultant Radiologist".
SIGNED = re.compile(
    rf"(?i:\b(?:sincerely|faithfully|regards|wishes|truly|greetings|gru(?:ss|ess)en?|signed|signature)\b)[,.:]?[ \t]{{0,4}}\n{{1,4}}[ \t]{{0,8}}(?:{_TITLE}\.?[ \t]{{1,2}})?(?P<name>{_FULL})"
)
ABOVE = re.compile(
    rf"(?m:^)[ \t]{{0,8}}(?:{_TITLE}\.?[ \t]{{1,2}})?(?P<name>{_FULL})[,.]?[ \t]{{0,4}}\n[ \t]{{0,8}}(?={_OFFICE})"
)
INITIALS = re.compile(
    r"(?:\b(?i:initials|inits?|pt|patient|tech|by|transcribed|dictated|typed)\b\W{0,4})(?P<name>[A-Z](?:\.?[ ]?[A-Z]){1,2}\b\.?)(?!\w)"
)
TRANSCRIBED = re.compile(
    r"(?m)^[ \t]*(?P<name>[A-Z]{2,3}[/:][a-zA-Z]{2,3})(?=[ \t]*(?:$|\d|[A-Z]:))"
)


def labelled(text: str) -> Iterator[tuple[int, int]]:
    """What stands behind "Referring physician:", up to two spaces, a bracket or another label."""
    for match in LABELLED.finditer(text):
        rest = match["rest"]
        cut = re.search(r"\s{3,}|\t|[(\[\d]|[ \t][A-Za-z .#]{2,24}:|\.\s", rest)
        length = cut.start() if cut else len(rest)
        start = match.start("rest")
        yield start, start + len(rest[:length].rstrip(" ,.-"))
