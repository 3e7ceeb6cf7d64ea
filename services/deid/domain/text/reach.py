"""How could somebody be reached? Mail addresses, links, network addresses, phones, photographs."""

import re
from collections.abc import Iterator

import phonenumbers

from services.deid.domain.text.kinds import Hit, Kind

RANK_LINK, RANK_PHONE = 0, 30
_SHAPES: tuple[tuple[Kind, str], ...] = (
    ("photo", r"(?<!\w)[\w-]{1,60}(?:[ ]?\(\d{1,3}\))?\.(?:jpe?g|png|heic|gif|bmp|tiff?|webp|mp4|mov|avi)\b"),
    ("photo", r"(?:\bfull[- ]face\b|\bfacial\b|\bpatient\b|\bid(?:entification)?\b)\s(?:photo(?:graph)?s?|portrait|mugshot)\W{0,3}(?:(?:is|no|number|file|ref|image|id)\W{1,3}){0,2}(?=[\w-]{0,12}\d)[\w-]{3,40}"),
    ("email", r"(?<![\w.+'-])[\w.+'-]{1,64}\s?(?:@|\(at\)|\[at\]|\s(?:at|AT)\s(?=[\w-]{1,40}(?:\s(?:dot|DOT)\s|\.[a-z]{2,3}\b)))\s?[\w-]{1,60}(?:(?:\.|\s(?:dot|DOT)\s|\s?\((?:dot)\)\s?)[\w-]{1,40}){1,4}"),
    ("url", r"(?:\b(?:https?|ftp|sftp|file|ldap|dicom|wss?)://|\bwww\.)[^\s<>\"')\]]{2,500}"),
    ("url", r"(?<![\w@.-])(?:[a-z0-9-]{1,40}\.){1,4}(?:com|org|net|edu|gov|int|mil|info|health|care|clinic|hospital|io|co|me|app|uk|de|fr|es|it|nl|pl|ch|at|eu|us|ca|au|in|br|jp)(?:/[^\s<>\"')\]]{0,300})?(?![\w.-]\w)"),
    ("url", r"(?<!\w)(?:[a-z]:\\|\\\\)[^\s<>\"]{3,200}"),
    ("url", r"(?<![\w@.])@[a-z_][\w.]{2,30}\b"),
    ("ip", r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?::\d{1,5})?(?![\w.]\d|\w)"),
    ("ip", r"(?<![\w:])(?:[0-9a-f]{1,4}:){2,7}(?::?[0-9a-f]{1,4}){1,6}(?![\w:])"),
    ("phone", r"(?<![\w+])\+[1-9]\d{0,2}(?:[\s().-]{0,3}\d){7,13}(?!\w)"),
    ("device", r"(?<![\w:])(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}(?![\w:])"),
)  # fmt: skip
_LINKS = tuple((kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in _SHAPES)
_CUED_PHONE = re.compile(
    r"(?:\b(?:tele?phones?|phone|tel|telefon|telefono|mobile|mob|cell(?:ular)?|handy|fax|telefax|pager|"
    r"beeper|bleep|call(?:ed)?[ -]?(?:(?:back|me|us))?(?: (?:at|on))?|extension|ext|hotline|voicemail|whatsapp|text me at|ph|contact no)\b)"
    r"[\s.:#=()no-]{0,8}(?:(?:is|number|at|on)\W{1,2}){0,2}"
    r"(?P<value>[+(]{0,2}\d(?:[\s().x/-]{0,3}\d){2,16}(?:\s?(?:x|ext)\W{0,2}\d{1,6})?)",
    re.IGNORECASE,
)
# The shape of North America, whether or not the exchange exists.
_SHAPED = re.compile(r"(?<![\w.])(?:\+?1[-. ])?(?:\(\d{3}\)[-. ]?|\d{3}[-.])\d{3}[-. ]\d{4}(?!\w)")
_EXTENSION = re.compile(r"(?<![\w.])x\d{3,6}(?!\w|\.\d)", re.IGNORECASE)
_DIGITS = re.compile(r"(?<![\w.])[+(]{0,2}\d(?:[\s().\u00b7/-]{0,3}\d){6,16}(?!\w|[.-]?\d)")
_REGIONS = ("US", "GB", "DE", "FR", "ES", "IT", "NL", "CH", "AT", "IN", "PL", "AU", "BR", "MX")


def reaches(text: str) -> Iterator[Hit]:
    for kind, pattern in _LINKS:
        for match in pattern.finditer(text):
            end = match.end() - len(match[0]) + len(match[0].rstrip(".,;:"))
            if kind != "ip" or _is_address(match[0]):
                yield Hit(match.start(), end, kind, RANK_LINK)


def phones(text: str) -> Iterator[Hit]:
    for match in _CUED_PHONE.finditer(text):
        yield Hit(*match.span("value"), "phone", RANK_PHONE)
    for pattern in (_SHAPED, _EXTENSION):
        for match in pattern.finditer(text):
            yield Hit(*match.span(), "phone", RANK_PHONE)
    for match in _DIGITS.finditer(text):
        if _is_phone(match[0]):
            yield Hit(*match.span(), "phone", RANK_PHONE)


def _is_address(text: str) -> bool:
    """Not a version or a list of numbers: a time such as 10:30:15 is none, 4 parts up to 255 are."""
    if ":" in text and "." not in text:
        letters = any(char in "abcdefABCDEF" for char in text)
        return letters or text.count(":") > 2
    return all(int(part) < 256 for part in text.partition(":")[0].split("."))


def _is_phone(text: str) -> bool:
    """Whether it is a number of some country's plan, by the library that phones use."""
    digits = sum(char.isdigit() for char in text)
    if text.lstrip("(").startswith("+"):
        return digits > 6
    for region in _REGIONS:
        try:
            number = phonenumbers.parse(text, region)
        except phonenumbers.NumberParseException:
            return False
        if phonenumbers.is_valid_number_for_region(number, region):
            return True
    return False
