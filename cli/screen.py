"""How does the demo show what happened? Tables in a terminal, pictures as files."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from pydicom import Dataset
from rich.console import Console
from rich.panel import Panel
from rich.table import Table

from cli.proof import Searched
from examples.phantom import render
from shared.contracts.report import Claim, ReportDocument

CONSOLE = Console(highlight=False)
VERDICT_STYLE = {"confirmed": "green", "revised": "yellow", "refuted": "red", "added": "cyan"}
# What a person looks for first in a header; all others are counted.
SHOWN = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "PatientAge",
    "PatientAddress",
    "AccessionNumber",
    "StudyInstanceUID",
    "StudyDate",
    "InstitutionName",
    "ReferringPhysicianName",
    "OperatorsName",
    "StudyDescription",
    "BodyPartExamined",
    "Modality",
    "Manufacturer",
    "PatientIdentityRemoved",
)


def heading(text: str) -> None:
    CONSOLE.print()
    CONSOLE.rule(f"[bold]{text}", align="left")


def said(who: str, what: str) -> None:
    CONSOLE.print(f"  [bold cyan]{who:<9}[/] {what}")


def event(case: str, time: str, kind: str) -> None:
    CONSOLE.print(f"    [dim]{time[11:23]}[/]  {case:<9} [magenta]{kind}[/]")


def picture(dataset: Dataset, path: Path) -> Path:
    """Write the image as a PNG that anybody can open."""
    path.parent.mkdir(parents=True, exist_ok=True)
    render(dataset).save(path)
    return path


def saved(content: bytes, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def headers(before: Dataset, after: Dataset) -> None:
    """Show a header as it came and as it left; the rest in numbers."""
    table = Table("attribute", "as it came", "as it left", title="DICOM header, before and after")
    for keyword in SHOWN:
        table.add_row(keyword, _value(before, keyword), _value(after, keyword))
    CONSOLE.print(table)
    count = f"{_elements(before)} elements came, {_elements(after)} left"
    private = sum(1 for one in before.iterall() if one.tag.is_private)
    CONSOLE.print(f"  {count}; {private} private ones were among those that came")


def comparison(report: ReportDocument) -> None:
    """Show both reads claim by claim, and the verdict computed from them."""
    table = Table("first read", "second read", "verdict", title="Claim by claim", show_lines=True)
    for pair in report.pairs:
        style = VERDICT_STYLE[pair.verdict]
        verdict = f"[{style}]{pair.verdict}[/]"
        if pair.clinically_important:
            verdict += "\nclinically important"
        table.add_row(_claim(pair.first), _claim(pair.second), verdict)
    CONSOLE.print(table)
    score = report.discrepancy
    scales = f"  five-point {score.five_point}, RADPEER {score.radpeer}" if score else ""
    CONSOLE.print(f"  case verdict: [bold]{report.verdict}[/]{scales}  blind: {report.blind}")


def fhir(bundle: dict[str, Any]) -> None:
    """Show what the hospital's own system received."""
    found = {one["resource"]["resourceType"]: one["resource"] for one in bundle["entry"][::-1]}
    report, patient = found["DiagnosticReport"], found["Patient"]
    name = patient["name"][0]
    lines = [
        f"DiagnosticReport  status {report['status']}, issued {report.get('issued', '')}",
        f"Patient           {name['family']}, {' '.join(name['given'])}",
        f"                  born {patient.get('birthDate')}, {patient['identifier'][0]['value']}",
        f"Conclusion        {report.get('conclusion', '')}",
        f"Entries           {_counted(one['resource']['resourceType'] for one in bundle['entry'])}",
    ]
    CONSOLE.print(
        Panel("\n".join(lines), title="FHIR R4 Bundle received by webhook, signature valid")
    )


def proof(outside: Sequence[Searched], vault: Sequence[Searched], identifiers: int) -> None:
    """Show where the patients' identifiers were looked for, and how many were found."""
    title = f"{identifiers} identifiers of both patients, looked for everywhere"
    table = Table("place", "pieces", "bytes", "found", title=title)
    for one in outside:
        table.add_row(one.heading, f"{one.pieces:,}", f"{one.size:,}", _found(one))
    for one in vault:
        found = f"[yellow]{len(one.hits)}[/] (they belong there)"
        table.add_row(one.heading, f"{one.pieces:,}", f"{one.size:,}", found)
    CONSOLE.print(table)


def _found(one: Searched) -> str:
    if not one.hits:
        return "[green]0[/]"
    return f"[red]{len(one.hits)}[/] in {', '.join(sorted({hit.place for hit in one.hits})[:3])}"


def _value(dataset: Dataset, keyword: str) -> str:
    if keyword not in dataset:
        return "[dim](removed)[/]"
    text = str(dataset[keyword].value)
    return text or "[dim](empty)[/]"


def _elements(dataset: Dataset) -> int:
    return sum(1 for _ in dataset.iterall())


def _claim(claim: Claim | None) -> str:
    if claim is None:
        return "[dim](nothing said)[/]"
    side = f", {claim.laterality}" if claim.laterality != "U" else ""
    return f"{claim.finding}\n{claim.anatomic_site}{side}\n[dim]{claim.certainty}[/]"


def _counted(names: Iterable[str]) -> str:
    counts: dict[str, int] = {}
    for name in names:
        counts[name] = counts.get(name, 0) + 1
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))
