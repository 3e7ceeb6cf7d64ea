"""Who are the patients that nobody exists as? Drawn from a seed, each unlike any clinical word."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

_FIRST = ("Bra", "Cal", "Dro", "Els", "Fen", "Gor", "Hal", "Ivo", "Jun", "Kel", "Lor", "Mun")
_SECOND = ("gri", "lan", "mor", "nel", "quil", "ras", "tov", "vik", "zan", "xem", "wyb")
_LAST = ("bury", "dottir", "feld", "gaard", "inski", "lund", "mere", "ovic", "poole", "quist")
_GIVEN = ("Odalys", "Thaddeus", "Ingeborg", "Zephyrine", "Leocadia", "Bartolome", "Xiomara")
ROOT = "2.999.77"  # the arc for examples (ITU-T X.660): belongs to nobody


@dataclass(frozen=True, slots=True)
class Visit:
    """One study: its day, accession number and UIDs."""

    number: int
    day: date
    accession: str
    study_uid: str
    frame_uid: str

    def series_uid(self) -> str:
        return f"{self.study_uid}.1"

    def instance_uid(self, number: int) -> str:
        return f"{self.study_uid}.1.{number}"


@dataclass(frozen=True, slots=True)
class Person:
    """A patient, the people around and the visits."""

    number: int
    family: str
    given: str
    mrn: str
    born: date
    sex: str
    street: str
    phone: str
    other_id: str
    referring: str
    operator: str
    hospital: str
    station: str
    visits: tuple[Visit, ...]

    @property
    def name(self) -> str:
        return f"{self.family}^{self.given}"

    def age(self, day: date) -> int:
        return (day - self.born).days // 365


def people(count: int, seed: int) -> Iterator[Person]:
    """Draw patients; the same seed draws the same."""
    for number in range(count):
        yield _person(number, Random(f"{seed} {number}"))  # noqa: S311 - nobody's secret


def _person(number: int, random: Random) -> Person:
    def surname() -> str:
        return random.choice(_FIRST) + random.choice(_SECOND) + random.choice(_LAST)

    def digits(length: int) -> str:
        return "".join(random.choice("123456789") for _ in range(length))

    return Person(
        number=number,
        family=surname(),
        given=random.choice(_GIVEN),
        mrn=f"M{number:04d}{digits(6)}",
        born=date(1925, 1, 1) + timedelta(days=random.randrange(22_000)),
        sex=random.choice("FMO"),
        street=f"{digits(4)} {surname()} Lane",
        phone=f"+1-{digits(3)}-555-{digits(4)}",
        other_id=f"{digits(3)}-{digits(2)}-{digits(5)}",
        referring=f"{surname()}^{random.choice(_GIVEN)}",
        operator=f"{surname()}^{random.choice(_GIVEN)}",
        hospital=f"Saint {surname()} Hospital",
        station=f"{surname()[:7]}{digits(4)}".upper(),
        visits=tuple(_visits(number, random)),
    )


def _visits(number: int, random: Random) -> Iterator[Visit]:
    """Two studies, some on a leap day, some a day and some years apart."""
    day = random.choice((date(2016, 2, 29), date(2015, 12, 31), date(2017, 6, 15)))
    for n in range(2):
        study_uid = f"{ROOT}.{number + 1}.{n + 1}.{random.randrange(1, 10**12)}"
        accession = f"A{random.randrange(10**9, 10**10)}"
        yield Visit(n, day, accession, study_uid, f"{study_uid}.9")
        day += timedelta(days=random.choice((1, 28, 59, 366, 1461)))
