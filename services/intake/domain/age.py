"""In which band is the patient's age? The birth date itself goes no further than the edge."""

from datetime import date
from typing import Final

from shared.contracts.intake import AgeBand

# Upper bounds, inclusive, in completed years. 90+ is one band: 45 CFR 164.514(b)(2)(i)(C).
_BANDS: Final[tuple[tuple[int, AgeBand], ...]] = (
    (1, "0-1"),
    (5, "2-5"),
    (11, "6-11"),
    (17, "12-17"),
    (29, "18-29"),
    (39, "30-39"),
    (49, "40-49"),
    (59, "50-59"),
    (69, "60-69"),
    (79, "70-79"),
    (89, "80-89"),
)


def age_band(born: date | None, today: date) -> AgeBand:
    """Give the band of the age in completed years; unknown without a birth date."""
    if born is None:
        return "unknown"
    years = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    return next((band for upper, band in _BANDS if years <= upper), "90+")
