"""What does a rule mean inside content that people wrote? (PS3.15 E.3.3 and E.3.4)

The trees of structured reports, acquisition contexts, specimens and annotations hold names of
concepts, values and free text. Under the Basic Profile their texts become dummies. The options
clean them: text and what a code means are descriptions, the value of a code stays when its scheme
is public, and everybody who is named is a dummy all the same.
"""

from dataclasses import replace

from services.deid.domain.actions import Action, Rule

CODE_VALUE, CODE_SCHEME, CODE_MEANING = 0x00080100, 0x00080102, 0x00080104
_ANNOTATION = 0x00700006  # Unformatted Text Value: a row of its own, and what E.3.3 speaks of
# PS3.16 table 8-1: schemes whose codes anybody can look up, so that none of them is a person.
PUBLIC_SCHEMES = frozenset((
    b"DCM", b"SCT", b"SRT", b"SNM3", b"LN", b"UCUM", b"RADLEX", b"FMA", b"NCIt", b"ACR", b"BI",
    b"I9C", b"I10", b"MDC", b"RADELEMENT", b"UMLS", b"NEU", b"ICDO3", b"ISO639_1", b"ISO3166_1",
))  # fmt: skip
_FREE_TEXT = frozenset(("LO", "LT", "PN", "SH", "ST", "UC", "UT"))
_TYPE_2 = frozenset((0x00700081,))  # Content Description, PS3.3 table 10-12
_CONTENT = frozenset((Action.DUMMY_ITEMS, Action.CLEAN_ITEMS))


def inner(rule: Rule, within: Action | None) -> Action | None:
    """What the items of a sequence are within; the Basic Profile's dummies hold at any depth."""
    return rule.action if rule.action in _CONTENT and within is not Action.DUMMY_ITEMS else within


def rule_within(rule: Rule, tag: int, within: Action | None, *, public: bool) -> Rule:
    """The rule that holds here. `public`: the code beside it is of a public scheme.

    No module loses an attribute of Type 1 or 2 for its kind of value.
    """
    if tag in _TYPE_2 and rule.action is Action.REMOVE and rule.why == "kind of value":
        return replace(rule, action=Action.EMPTY)
    if within is None or rule.vr not in _FREE_TEXT:
        return rule
    if within is Action.DUMMY_ITEMS:
        return _dummy(rule)
    return _clean(rule, tag, public=public)


def _dummy(rule: Rule) -> Rule:
    action = rule.otherwise if rule.action is Action.DESCRIPTOR else rule.action
    gone = action is Action.EMPTY or (action is Action.REMOVE and rule.why != "kind of value")
    return replace(rule, action=action if gone else Action.DUMMY)


def _clean(rule: Rule, tag: int, *, public: bool) -> Rule:
    kind = rule.action is Action.REMOVE and rule.why == "kind of value"
    if kind and rule.vr == "PN":
        return replace(rule, action=Action.DUMMY)
    told = tag == CODE_MEANING or (tag == CODE_VALUE and not public)
    if kind or tag == _ANNOTATION or (told and rule.action is Action.SCREEN):
        return replace(rule, action=Action.DESCRIPTOR, otherwise=Action.DUMMY)
    return rule
