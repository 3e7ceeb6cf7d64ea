"""The patient's age, in bands."""

from datetime import date

import pytest

from services.intake.domain.age import age_band

TODAY = date(2026, 11, 2)


@pytest.mark.parametrize(
    ("born", "band"),
    [
        (date(2026, 11, 2), "0-1"),
        (date(2024, 11, 3), "0-1"),
        (date(2024, 11, 2), "2-5"),
        (date(2015, 5, 5), "6-11"),
        (date(2008, 11, 3), "12-17"),
        (date(2008, 11, 2), "18-29"),
        (date(1990, 1, 1), "30-39"),
        (date(1980, 2, 29), "40-49"),
        (date(1970, 1, 1), "50-59"),
        (date(1960, 1, 1), "60-69"),
        (date(1950, 1, 1), "70-79"),
        (date(1936, 11, 3), "80-89"),
        (date(1936, 11, 2), "90+"),
        (date(1900, 1, 1), "90+"),
        (None, "unknown"),
    ],
)
def test_the_band_is_that_of_the_completed_years(born: date | None, band: str) -> None:
    assert age_band(born, TODAY) == band
