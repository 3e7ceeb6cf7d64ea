"""The first style: structured reports of American hospitals, with headings and typed labels."""

from collections.abc import Callable
from datetime import date, timedelta
from random import Random

from faker import Faker

from benchmarks.texts.planting import Report, Sheet, digits, slipped
from services.deid.domain.text.known import Known

FINDINGS = (
    "The lungs are clear without focal consolidation, pleural effusion or pneumothorax.",
    "Mild cardiomegaly, unchanged. Tortuous thoracic aorta with atherosclerotic calcification.",
    "There is a 6 mm solid nodule in the right upper lobe (series 4, image 87).",
    "Baker cyst measuring 3.2 x 1.4 x 4.1 cm in the popliteal fossa.",
    "No evidence of acute intracranial hemorrhage, mass effect or midline shift.",
    "Periventricular white matter hypodensities, likely chronic microvascular ischemic change.",
    "The circle of Willis is patent. No aneurysm greater than 2 mm.",
    "Hill-Sachs lesion with an anteroinferior labral tear, consistent with a Bankart lesion.",
    "Salter-Harris II fracture of the distal radius with 3 mm of dorsal displacement.",
    "Diverticulosis of the sigmoid colon without diverticulitis. Normal appendix.",
    "The gallbladder contains several stones; no wall thickening. Negative Murphy sign.",
    "Simple renal cyst, Bosniak I, in the left lower pole, 2.1 cm.",
    "Moderate degenerative disc disease at L4-L5 and L5-S1 with foraminal narrowing.",
    "Schmorl node at the superior endplate of T11. No spondylolisthesis.",
    "Heterogeneously dense breasts. A spiculated mass at 10 o'clock, 1.3 cm, BI-RADS 5.",
    "Thyroid nodule, TI-RADS 4, 1.8 cm in the left lobe. Findings of Graves disease persist.",
    "Medial meniscus: horizontal tear of the posterior horn. The ACL and PCL are intact.",
    "Findings suggest Crohn disease of the terminal ileum with fat stranding.",
    "Dopamine transporter imaging supports Parkinson disease rather than essential tremor.",
    "Scattered hepatic hypoattenuating lesions, too small to characterize.",
    "Endotracheal tube tip 4 cm above the carina. Foley catheter in place.",
    "Interval decrease of the right paratracheal lymphadenopathy, SUVmax 3.4, previously 7.9.",
    "No hydronephrosis. Nonobstructing 4 mm calculus in the right kidney.",
    "Comminuted intertrochanteric fracture; varus angulation. Osteopenia.",
    "Normal flow voids. Chiari I malformation with 7 mm of tonsillar descent.",
    "Right ovarian dermoid. The endometrium measures 5 mm.",
    "Degree of stenosis of the left internal carotid artery: 50 to 69 percent.",
    "Cholecystectomy clips. Mild intrahepatic biliary dilatation, stable.",
)
TECHNIQUES = (
    "Axial images were obtained after 100 mL of Omnipaque 350 at 3 mL/s.",
    "Sagittal T1, T2 and STIR, axial T2. No contrast.",
    "PA and lateral views of the chest.",
    "Gray-scale and color Doppler ultrasound of the abdomen.",
    "CT without contrast. DLP 812 mGycm, CTDIvol 14.2 mGy.",
    "18F-FDG PET/CT from skull base to mid thigh, 10.2 mCi.",
)
IMPRESSIONS = (
    "No acute cardiopulmonary process.",
    "Follow-up CT in 6 to 12 months by Fleischner Society 2017.",
    "Recommend biopsy of the left breast mass.",
    "Findings consistent with acute uncomplicated appendicitis.",
    "Stable examination. Clinical correlation is recommended.",
    "Progression of disease by RECIST 1.1.",
)
HISTORIES = (
    "Shortness of breath and cough for two weeks.",
    "Fall from a ladder, right wrist pain.",
    "Abnormal liver function tests. History of colon cancer.",
    "Headache, rule out bleed.",
    "Abdominal pain, nausea and vomiting.",
)
WORDY = ("Long", "Young", "White", "Baker", "Graves", "Hill", "Brown", "Park", "Foley", "Rose")


class American:
    """Writes reports from one seed; the same seed writes the same ones."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)  # noqa: S311 - made-up people
        self.fake = Faker("en_US")
        self.fake.seed_instance(seed)

    def report(self) -> Report:
        r, sheet = self.random, Sheet(self.random)
        first, last = self.fake.first_name(), self.fake.last_name()
        if r.random() < 0.05:
            last = r.choice(WORDY)
        doctor_first, doctor = self.fake.first_name(), self.fake.last_name()
        mrn, accession = digits(r, "#######"), digits(r, "@#######")
        born = date(1930, 1, 1) + timedelta(days=r.randrange(27_000))
        day = date(2023, 1, 1) + timedelta(days=r.randrange(900))
        self._head(sheet, (first, last), (doctor_first, doctor), mrn, accession, born, day)
        self._body(sheet, first, last, born, day)
        for extra in r.sample(EXTRAS, 5):
            extra(self, sheet)
        sheet.write(f"\nIMPRESSION:\n1. {r.choice(IMPRESSIONS)}\n2. {r.choice(IMPRESSIONS)}\n")
        self._foot(sheet, doctor_first, doctor, day)
        return sheet.report(
            Known(
                people=(f"{last}^{first}", f"{doctor}^{doctor_first}^^DR"),
                numbers=(mrn, accession),
                births=(f"{born:%Y%m%d}",),
                days=(f"{day:%Y%m%d}",),
            )
        )

    def _head(  # noqa: PLR0913, PLR0917 - what a report begins with
        self,
        sheet: Sheet,
        patient: tuple[str, str],
        doctor: tuple[str, str],
        mrn: str,
        accession: str,
        born: date,
        day: date,
    ) -> None:
        first, last = patient
        name = self.random.choice((
            f"{last}, {first}", f"{first} {last}", f"{last.upper()}, {first.upper()}",
            f"{last}^{first}", f"{first} {self.random.choice('ABCDEFJKLM')}. {last}",
        ))  # fmt: skip
        dob = self.random.choice(("%m/%d/%Y", "%m/%d/%y", "%Y-%m-%d", "%B %d, %Y", "%d-%b-%Y"))
        sheet.write(
            "PATIENT: {name}   MRN: {mrn}   DOB: {date}\n", name=name, mrn=mrn, date=f"{born:{dob}}"
        )
        sheet.write(
            "EXAM DATE: {date}   ACCESSION: {number}\n", date=f"{day:%m/%d/%Y}", number=accession
        )
        sheet.write("REFERRING PHYSICIAN: {name}, MD\n\n", name=" ".join(doctor))

    def _body(self, sheet: Sheet, first: str, last: str, born: date, day: date) -> None:
        r = self.random
        age = day.year - born.year
        years = f"{age}" if age < 90 else "{date}"
        sex = r.choice(("Mr.", "Ms."))
        sheet.write(f"HISTORY: {years}-year-old. {r.choice(HISTORIES)}\n", date=f"{age}")
        prior = day - timedelta(days=r.randrange(30, 1500))
        sheet.write("COMPARISON: CT dated {date}.\n", date=f"{prior:%B %-d, %Y}")
        sheet.write(f"TECHNIQUE: {r.choice(TECHNIQUES)}\n\nFINDINGS:\n")
        for finding in r.sample(FINDINGS, 5):
            sheet.write(finding + "\n")
        written = r.choice((last, slipped(r, last), last.upper(), f"{first} {last}"))
        sheet.write(f"{sex} {{name}} tolerated the examination well.\n", name=written)

    def _foot(self, sheet: Sheet, first: str, last: str, day: date) -> None:
        radiologist = f"{self.fake.first_name()} {self.fake.last_name()}"
        sheet.write("\nDiscussed with Dr. {name} by telephone.\n", name=last)
        sheet.write(
            "Electronically signed by: {name}, MD on {date}\n",
            name=radiologist,
            date=f"{day:%m/%d/%Y}",
        )
        sheet.write("cc: {name}\n", name=f"{first} {last}")

    # One line for each class of identifiers.

    def relative(self, sheet: Sheet) -> None:
        who = self.random.choice(("wife", "husband", "mother", "son", "daughter"))
        sheet.write(f"History obtained from her {who} {{name}}.\n", name=self.fake.first_name())

    def address(self, sheet: Sheet) -> None:
        place = self.fake.street_address().replace("\n", " ")
        town = f"{self.fake.city()}, {self.fake.state_abbr()} {self.fake.postcode()}"
        sheet.write("Home address: {place}\n", place=f"{place}, {town}")

    def transfer(self, sheet: Sheet) -> None:
        kind = self.random.choice(("Medical Center", "Community Hospital", "Regional Hospital"))
        name = f"{self.fake.last_name()} {kind}"
        sheet.write("Transferred from {place} for further care.\n", place=name)

    def phone(self, sheet: Sheet) -> None:
        shape = self.random.choice(("(###) ###-####", "###-###-####", "###.###.####", "+1 ### ### ####"))  # fmt: skip
        sheet.write("Callback number: {phone}.\n", phone=digits(self.random, shape))

    def fax(self, sheet: Sheet) -> None:
        sheet.write("Report faxed to {fax}.\n", fax=digits(self.random, "###-###-####"))

    def email(self, sheet: Sheet) -> None:
        sheet.write("Results also sent to {email}.\n", email=self.fake.email())

    def ssn(self, sheet: Sheet) -> None:
        sheet.write("SSN: {ssn}\n", ssn=digits(self.random, "###-##-####"))

    def plan(self, sheet: Sheet) -> None:
        sheet.write(
            "Insurance: Medicare ID {health_plan}\n",
            health_plan=digits(self.random, "#@##-@##-@@##"),
        )

    def account(self, sheet: Sheet) -> None:
        sheet.write("Account number: {account}\n", account=digits(self.random, "########"))

    def licence(self, sheet: Sheet) -> None:
        sheet.write(
            "Driver's license {licence} shown at registration.\n",
            licence=digits(self.random, "@###-####-####"),
        )

    def vehicle(self, sheet: Sheet) -> None:
        sheet.write(
            "Motor vehicle collision, VIN {vehicle}.\n",
            vehicle=digits(self.random, "#@@@@#####@######"),
        )

    def device(self, sheet: Sheet) -> None:
        sheet.write(
            "Pacemaker, serial number {device}, leads in place.\n",
            device=digits(self.random, "@@@######@"),
        )

    def url(self, sheet: Sheet) -> None:
        sheet.write("Images at {url} for review.\n", url=self.fake.url() + "study/" + digits(self.random, "####"))  # fmt: skip

    def ip(self, sheet: Sheet) -> None:
        sheet.write("Sent from workstation {ip}.\n", ip=self.fake.ipv4())

    def biometric(self, sheet: Sheet) -> None:
        sheet.write(
            "Identity confirmed by fingerprint ID {biometric}.\n",
            biometric=digits(self.random, "@@####@#"),
        )

    def photo(self, sheet: Sheet) -> None:
        sheet.write("Wound photograph {photo} attached.\n", photo=digits(self.random, "IMG_####.jpg"))  # fmt: skip

    def other(self, sheet: Sheet) -> None:
        sheet.write("Research subject number {number}.\n", number=digits(self.random, "@@-####-##"))


EXTRAS: tuple[Callable[[American, Sheet], None], ...] = (
    American.relative, American.address, American.transfer, American.phone, American.fax,
    American.email, American.ssn, American.plan, American.account, American.licence,
    American.vehicle, American.device, American.url, American.ip, American.biometric,
    American.photo, American.other,
)  # fmt: skip
