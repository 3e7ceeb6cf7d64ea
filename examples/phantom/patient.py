"""Who is the patient that nobody exists as, and in which notations could the name leak?"""

from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random

_ONSETS = ("Bra", "Cal", "Dro", "Els", "Fen", "Gor", "Hal", "Ivo", "Jun", "Kel", "Lor", "Mun")
_MIDDLES = ("den", "gri", "lan", "mor", "nel", "pac", "quil", "ras", "sten", "tov", "vik", "zan")
_ENDS = ("bury", "dottir", "feld", "gaard", "ham", "inski", "lund", "mere", "ovic", "poole")
_GIVEN = ("Odalys", "Thaddeus", "Ingeborg", "Zephyrine", "Leocadia", "Bartolome", "Xiomara")
_ROOT = "2.999.40"  # the arc for examples (ITU-T X.660): belongs to nobody


@dataclass(frozen=True)
class Patient:
    """An invented patient, with everything a hospital's header says about one.

    Each value is chosen to be unlike any word of ours, so that a search for it has no false hits.
    `key` makes the study's UIDs and numbers differ between patients.
    """

    family: str = "Vanterpool"
    given: str = "Mariposa"
    middle: str = "Quetzal"
    mrn: str = "MRN-48151623"
    issuer: str = "STJUDE-NORTH-ADT"
    other_id: str = "SSN-078-05-1120"
    birth_date: date = date(1967, 3, 14)
    sex: str = "F"
    street: str = "1742 Wisteria Hollow Lane"
    city: str = "Pottersfield"
    postcode: str = "VT 05099"
    phone: str = "+1-802-555-0147"
    accession: str = "ACC7734219"
    accession_issuer: str = "STJUDE-NORTH-RIS"
    referring: str = "Abernethy"
    performing: str = "Szczepanski"
    operator: str = "Ndiaye"
    institution: str = "Saint Jude Northfield Hospital"
    station: str = "SJNH-DXROOM4"
    study_id: str = "STD-90417"
    study_date: date = date(2026, 10, 30)
    key: int = 1
    extra: tuple[str, ...] = field(default=())

    @property
    def name(self) -> str:
        """The name as DICOM writes it (PS3.5 6.2.1.1)."""
        return f"{self.family.upper()}^{self.given.upper()}^{self.middle.upper()}"

    @property
    def age(self) -> int:
        """Whole years on the study date."""
        years = self.study_date.year - self.birth_date.year
        day = (self.study_date.month, self.study_date.day)
        return years - (day < (self.birth_date.month, self.birth_date.day))

    @property
    def study_uid(self) -> str:
        return f"{_ROOT}.{self.key}.20261030.1"

    def series_uid(self, series: int = 1) -> str:
        return f"{self.study_uid}.{series}"

    def instance_uid(self, instance: int = 1, series: int = 1) -> str:
        return f"{self.study_uid}.{series}.{instance}"

    def identifiers(self) -> tuple[str, ...]:
        """Every string that must never leave the vault, in the notations in use.

        A search should ignore case. Single words shorter than five letters are left out.
        """
        born, given, family = self.birth_date, self.given, self.family
        digits = "".join(c for c in self.phone if c.isdigit())
        names = (self.name, f"{given} {family}", f"{family}, {given}", family, given, self.middle)
        births = (f"{born:%Y%m%d}", f"{born:%Y-%m-%d}", f"{born:%d.%m.%Y}", f"{born:%m/%d/%Y}")
        places = (self.street, self.city, self.postcode, self.phone, digits)
        numbers = (self.mrn, self.other_id, self.accession, self.study_id, self.study_uid)
        people = (self.referring, self.performing, self.operator)
        origin = (self.institution, self.station, self.issuer, self.accession_issuer)
        return names + births + places + numbers + people + origin + self.extra

    @classmethod
    def invented(cls, seed: int) -> "Patient":
        """One of as many patients as a storm or a benchmark needs, by seed."""
        dice = Random(seed)  # noqa: S311 - invented names need no secrecy
        family = dice.choice(_ONSETS) + dice.choice(_MIDDLES) + dice.choice(_ENDS)
        return cls(
            family=f"{family}{chr(97 + seed % 26)}",
            given=dice.choice(_GIVEN),
            mrn=f"MRN-{70_000_000 + seed}",
            other_id=f"SSN-{dice.randrange(100, 899)}-{dice.randrange(10, 99)}-{seed % 10_000:04d}",
            birth_date=date(1932, 1, 1) + timedelta(days=dice.randrange(27_000)),
            sex=dice.choice("FM"),
            phone=f"+1-802-555-{seed % 10_000:04d}",
            accession=f"ACC{30_000_000 + seed}",
            study_id=f"STD-{200_000 + seed}",
            key=1000 + seed,
        )


MARIPOSA = Patient()
BARTHOLOMEW = Patient(
    family="Oduyabright",
    given="Bartholomew",
    middle="Ignatius",
    mrn="MRN-90210337",
    other_id="SSN-219-09-9999",
    birth_date=date(1934, 8, 2),
    sex="M",
    street="88 Juniper Causeway",
    city="Larkspurton",
    postcode="VT 05877",
    phone="+1-802-555-0199",
    accession="ACC5561208",
    referring="Castellanos",
    performing="Wojciechowska",
    operator="Achterberg",
    station="SJNH-CTROOM2",
    study_id="STD-61133",
    key=2,
)
