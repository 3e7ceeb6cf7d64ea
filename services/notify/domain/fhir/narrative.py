"""How does a signed report read to a person, as plain text? It names no patient."""

from collections.abc import Iterable

from services.notify.domain.fhir.findings import in_words
from shared.contracts.report import (
    AddendumDocument,
    ComparedPair,
    RegionalOpinion,
    ReportDocument,
)


def narrative(report: ReportDocument, addenda: Iterable[AddendumDocument] = ()) -> str:
    opinion = report.opinion
    sections = [
        ("SECOND OPINION", f"Verdict on the first report: {report.verdict.replace('_', ' ')}"),
        ("TECHNIQUE", opinion.technique),
        ("COMPARISON", opinion.comparison),
        ("FINDINGS", opinion.narrative),
        ("CLAIM BY CLAIM", "\n".join(map(_line, report.pairs))),
        ("IMPRESSION", opinion.impression),
        ("READ BY", "\n".join(map(_regional, report.regional))),
        ("SIGNED", f"{report.signer}, {report.signed_at.isoformat()}"),
        *((f"ADDENDUM {one.addendum}", _addendum(one)) for one in addenda),
    ]
    return "\n\n".join(f"{title}\n{words}" for title, words in sections if words)


def _regional(one: RegionalOpinion) -> str:
    return f"{', '.join(one.regions)}: {one.reader}, {one.locked_at.isoformat()}"


def _line(pair: ComparedPair) -> str:
    first = in_words(pair.first) if pair.first else "nothing"
    second = in_words(pair.second) if pair.second else "nothing"
    weight = ", clinically important" if pair.clinically_important else ""
    return f"- {pair.verdict}{weight}: first read: {first}; second read: {second}"


def _addendum(one: AddendumDocument) -> str:
    claims = (f"- {in_words(claim)}" for claim in one.claims)
    signed = f"Signed {one.signer}, {one.signed_at.isoformat()}"
    return "\n".join((one.text, *claims, signed))
