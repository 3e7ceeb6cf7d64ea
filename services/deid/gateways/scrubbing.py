"""How is a text of this case scrubbed? With the process's lexicon, in a sandboxed child.

Texts are as untrusted as files: `scrub_all` is what a child runs.
"""

from collections.abc import Sequence

from services.deid.domain.text import technical
from services.deid.domain.text.kinds import Scrubbed
from services.deid.domain.text.known import Known
from services.deid.domain.text.scrubber import scrub as scrub_with
from services.deid.gateways.lexicon import devices, lexicon

_LONGEST_NAME = 60  # characters


def scrub(text: str, known: Known, shift_days: int) -> Scrubbed:
    """Replace what identifies somebody; what may leave has no doubts."""
    return scrub_with(text, known, shift_days, lexicon())


def scrub_all(texts: Sequence[str], known: Known, shift_days: int) -> tuple[Scrubbed, ...]:
    """Scrub the texts of one case: whom one of them names, the others may name as well."""
    once = tuple(scrub(text, known, shift_days) for text in texts)
    if not known.people:  # then nothing may leave, whatever the texts say of each other
        return once
    named = (
        text[one.start : one.end]
        for text, scrubbed in zip(texts, once, strict=True)
        for one in scrubbed.replacements
        if one.kind == "name" and one.end - one.start <= _LONGEST_NAME
    )
    learnt = known + Known(people=tuple(named))
    if len(texts) == 1 or learnt == known:
        return once
    return tuple(scrub(text, learnt, shift_days) for text in texts)


def descriptor(text: str, known: Known, shift_days: int) -> str:
    """One line of a header, such as a series description: "" when it is in doubt."""
    if not text.strip():
        return ""
    scrubbed = scrub_with(text, known, shift_days, lexicon(), line=True)
    doubted = [one for one in scrubbed.doubts if one.code != "identifier_unknown"]
    return "" if doubted else scrubbed.text


def names_somebody(text: str, vr: str, *, numbered: bool) -> bool:
    """Whether a value that describes the technique may be about a person."""
    if vr == "CS":
        return technical.is_name(text, devices())
    return technical.names_somebody(text, devices(), numbered=numbered)
