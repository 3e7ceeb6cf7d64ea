"""How may a date be written? Numbers, words, several languages, and what only looks like one."""

import re

MONTHS = {
    name: n
    for n, names in enumerate((
        "jan january januar janvier enero gennaio janeiro januari ene",
        "feb february februar fevrier febrero febbraio fevereiro februari",
        "mar march marz mars marzo marco maart mrz maerz",
        "apr april avril abril aprile abr",
        "may mai mayo maggio maio mei",
        "jun june juni juin junio giugno junho",
        "jul july juli juillet julio luglio julho",
        "aug august aout agosto augustus",
        "sep sept september septembre septiembre settembre setembro",
        "oct october oktober octobre octubre ottobre outubro okt",
        "nov november novembre noviembre novembro",
        "dec december dezember decembre diciembre dicembre dezembro dez dic",
    ), start=1)
    for name in names.split()
}  # fmt: skip
ORDINALS = {
    name: n
    for n, name in enumerate(
        (
            "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth "
            "thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth "
            "twenty-first twenty-second twenty-third twenty-fourth twenty-fifth twenty-sixth "
            "twenty-seventh twenty-eighth twenty-ninth thirtieth thirty-first"
        ).split(),
        start=1,
    )
}
_MONTH = "(?P<month>" + "|".join(sorted(MONTHS, key=len, reverse=True)) + r")\b\.?"
_DAY = (
    r"(?P<day>\d{1,2}(?!\d)(?:st|nd|rd|th|\.|er|o)?|"
    + "|".join(sorted(ORDINALS, key=len, reverse=True)) + ")"
)  # fmt: skip
_SPOKEN_YEAR = r"(?:nineteen|twenty|two thousand)(?:[ -](?:and )?[a-z]{2,9}){0,2}"
_YEAR = rf"(?P<year>(?:18|19|20)\d{{2}}|'?\d{{2}}(?![\d.,:/]\d|\d)|{_SPOKEN_YEAR}\b)"
_WEEKDAY = r"(?:\b(?:mon|tues?|wed(?:nes)?|thur?s?|fri|sat(?:ur)?|sun)(?:day)?\b[.,]?\s{1,2})?"
_CLOCK = r"(?:T\d{2}:?\d{2}(?::?\d{2}(?:\.\d{1,6})?)?(?:Z|[+-]\d{2}:?\d{2})?)?"
_OF = r"(?:\s{0,2}(?:of|de|del|di|do)\b)?"
_SEP = r"[\s,./-]{0,3}"
_EDGE, _END = r"(?<![\w./-])", r"(?![\w/]|[.-]\d)"
PATTERNS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"{_EDGE}{_WEEKDAY}(?P<year>(?:18|19|20)\d{{2}})\s?[-/.]\s?(?P<month>\d{{1,2}})\s?[-/.]\s?(?P<day>\d{{1,2}})(?!\d)(?:[ ]?{_CLOCK})(?![\w/])",
        rf"{_EDGE}(?P<year>(?:19|20)\d{{2}})(?P<month>0[1-9]|1[0-2])(?P<day>0[1-9]|[12]\d|3[01]){_CLOCK}(?!\w)",
        rf"{_EDGE}{_WEEKDAY}(?P<a>\d{{1,2}})\s?(?P<s>[-/.])\s?(?P<b>\d{{1,2}})\s?(?P=s)\s?(?P<year>(?:18|19|20)\d{{2}}|'?\d{{2}}){_END}",
        rf"(?<!\w){_WEEKDAY}(?:the\s)?{_DAY}{_OF}{_SEP}\b{_MONTH}{_OF}{_SEP}{_YEAR}(?!\w)",
        rf"\b{_WEEKDAY}{_MONTH}{_OF}{_SEP}(?:the\s)?{_DAY}(?:{_SEP}\s?|\s?,?\sof\s){_YEAR}(?!\w)",
        rf"\b(?P<year>(?:19|20)\d{{2}}){_SEP}{_MONTH}{_SEP}{_DAY}(?!\w)",
        r"(?<!\w)(?P<day>\d{1,2})(?P<month>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)(?P<year>(?:19|20)?\d{2})(?!\w)",
        rf"\b{_MONTH}{_OF}{_SEP}(?P<year>(?:19|20)\d{{2}}|'\d{{2}})(?!\w)",
        r"(?<!\w)(?P<month>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)-(?P<year>\d{2})(?!\w)",
        r"(?<![\w./-])(?P<month>0?[1-9]|1[0-2])[/.-](?P<year>(?:19|20)\d{2})(?![\w/]|[.-]\d)",
        rf"(?<!\w){_WEEKDAY}(?:the\s)?{_DAY}{_OF}\s{{0,2}}\b{_MONTH}(?!\w)(?!\s?\d)",
        rf"\b{_WEEKDAY}{_MONTH}\s{{1,2}}(?:the\s)?{_DAY}(?!\w)(?!\s?(?:mm|cm|ml|%))",
    )
)
# A day and month in digits are a date only where the words before say so.
CUED = re.compile(
    r"\b(?:on|dated?|since|until|till|through|thru|from|study|exam|scan|film|ct|mri?|cxr|seen|"
    r"comparison|compared (?:to|with)|prior)[ :]{1,2}(?:the )?"
    r"(?P<a>0?[1-9]|[12]\d|3[01])(?P<s>/)(?P<b>0?[1-9]|[12]\d|3[01])(?![\w/]|[.:-]\d|\s?(?:mm|cm|ml|%|lobes?))",
    re.IGNORECASE,
)
BARE_YEAR = re.compile(
    r"(?<![\w./:+-])(?P<year>(?:19|20)\d{2})(?![\w/:+%]|[.,-]\d|\s?(?:mm|cm|ml|cc|mg|mcg|hu|ms|msec|"
    r"gy|mgy|kg|lb|g|iu|units?|ng|cells?|x|b-value|hours?|hrs?)\b)",
    re.IGNORECASE,
)
CITED = re.compile(
    r"(?:rads|acr|fleischner|who|tnm|ajcc|bosniak|recist|edition|criteria|guidelines?|version|"
    r"classification|society|update|v|ref|statement|consensus)\W{0,3}(?:\w{1,12}\W{1,2}){0,1}$|b\s?=\s?$",
    re.IGNORECASE,
)
BIRTH = re.compile(
    r"(?:\bd\.?o\.?b\b\.?|\bborn|\bbirth(?:[ -]?dat?e|day)?|\bdate of birth|\bgeb(?:oren)?\b\.?|"
    r"\bnee?e? le|\bnacid[oa]|\bnat[oa]|\bb\.)[\w\s:=,.()-]{0,12}$",
    re.IGNORECASE,
)  # fmt: skip
