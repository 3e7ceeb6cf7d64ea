"""Does the text benchmark plant what it says, and do the rules find it? A little of both sets."""

import pytest

from benchmarks.report_text import KEPT, STYLES, measured
from benchmarks.texts.planting import CLASSES, Planted, Report, missed
from services.deid.domain.text.known import Known

REPORTS = 60


@pytest.mark.parametrize("style", STYLES)
def test_identifiers_of_all_classes_are_found_or_hold_the_report(style: str) -> None:
    tally = measured(style, REPORTS, seed=7)
    figures = tally.figures()

    assert set(tally.planted) == set(CLASSES)
    assert figures["found or held"] >= 99  # a short run; the promise is measured on 5,000
    assert figures["clinical words kept"] >= KEPT
    assert figures["reports held"] < 15


@pytest.mark.parametrize("style", STYLES)
def test_the_same_seed_writes_the_same_reports(style: str) -> None:
    one, other = STYLES[style](3), STYLES[style](3)

    assert [one.report() for _ in range(5)] == [other.report() for _ in range(5)]


def test_what_is_half_replaced_is_missed() -> None:
    report = Report("Mrs Vanterpool fell.", (Planted(4, 14, "name"),), Known())

    half, whole = bytearray(20), bytearray(20)
    half[4:10] = b"\1" * 6
    whole[4:14] = b"\1" * 10

    assert missed(report, half) == [Planted(4, 14, "name")]
    assert missed(report, whole) == []
    assert [report.text[a:b] for a, b in report.clinical()] == ["Mrs", "fell"]
