"""The second style: dictated letters of European hospitals, in prose, few labels, other notations.

It shares no template, no list of names and no notation on purpose with the first; it was written
before it was measured, and the rules were not.
"""

from collections.abc import Callable
from datetime import date, timedelta
from random import Random

from benchmarks.texts.planting import Report, Sheet, digits, slipped
from services.deid.domain.text.known import Known

GIVEN = (
    "Aoife Siobhan Niamh Ciara Eilidh Isla Gwenllian Carys Anwen Rhiannon Oluwaseun Adaeze Ngozi Chidi "
    "Amara Kwame Abena Yaw Fatoumata Moussa Ousmane Agnieszka Katarzyna Zbigniew Wojciech Malgorzata "
    "Jadwiga Ioana Gheorghe Mihai Bogdan Anneliese Friedhelm Dietmar Waltraud Hannelore Ulrike Jurgen "
    "Giuseppina Calogero Concetta Ludovica Begona Iker Ainhoa Xavier Montserrat Joao Catarina Thiago "
    "Saoirse Padraig Ciaran Sanne Joost Marijke Femke Lieke Astrid Torbjorn Sigrid Oyvind Aino Pekka "
    "Ilse Harpreet Gurdeep Sukhwinder Aisha Zainab Yusuf Mehmet Aysegul Emre Nguyet Thanh Huong Minh"
).split()
FAMILY = (
    "O'Shaughnessy Ni-Bhriain Llewellyn-Price Cadwaladr Featherstonehaugh Ravenscroft Bickerstaffe "
    "Adeyemi Okonkwo Nwachukwu Mensah-Boateng Diallo Sow Coulibaly Kowalczyk Wisniewska Szczepaniak "
    "Dabrowski Popescu Ionescu Dumitrescu Schaefer Bruckner Obermeier Zimmermann Hoffmeister Lutz "
    "Esposito Mastroianni Bianchi Etxeberria Goikoetxea Ferreira Goncalves Vanderhoeven Dijkstra "
    "Hoogenboom Lindqvist Rasmussen Haugland Virtanen Koskinen Dhaliwal Bhattacharya Rehman Iqbal "
    "Yildirim Ozturk Nguyen Tran Pham Papadopoulos Georgiou Kovacs Nemeth Horvathova Petrovic Markovic "
    "Winter Marsh Fields Day Church Bishop Fox Summers Head Cross"
).split()
TOWNS = (
    "Abergavenny Ballymena Clitheroe Dungarvan Enniskillen Fraserburgh Godalming Heckmondwike Ilkeston "
    "Kirkcaldy Llandudno Mablethorpe Nuneaton Oswestry Penrith Rawtenstall Skibbereen Todmorden "
    "Uttoxeter Whitstable Oberammergau Castrop-Rauxel Alkmaar Roskilde Jyvaskyla Salamanca Guimaraes"
).split()
STREETS = ("Ropewalk Lane", "Tanners Court", "Quarry Hill Road", "Sheepfold Close", "Mill Brow", "Priory Gardens", "Kiln Street", "Weavers Row")  # fmt: skip
HOSPITALS = ("Royal {0} Infirmary", "{0} General Hospital", "St Brannock's Hospital, {0}", "{0} Cottage Hospital", "Klinikum {0}", "Universitair Ziekenhuis {0}")  # fmt: skip
SENTENCES = (
    "The heart is not enlarged and the hila are of normal appearance.",
    "A small hiatus hernia is noted incidentally.",
    "There is thickening of the bronchial walls, in keeping with chronic airways disease.",
    "No pathological lymph nodes by size criteria in the mediastinum or axillae.",
    "The liver, spleen, pancreas and adrenals are unremarkable.",
    "A Colles fracture of the left wrist, in satisfactory position in plaster.",
    "There is a Weber B fracture of the lateral malleolus without talar shift.",
    "Degenerative changes of the hip joint with loss of joint space and subchondral sclerosis.",
    "Appearances raise the possibility of Paget disease of the pelvis.",
    "The ventricles are prominent, in proportion to the sulci.",
    "A Rathke cleft cyst of 4 mm, unchanged.",
    "Lesser sac collection of 45 x 30 mm with an enhancing wall.",
    "There is sacroiliitis on both sides, worse on the right.",
    "Osgood-Schlatter disease with fragmentation of the tibial tuberosity.",
    "Multiple gallstones within a thin walled gallbladder; the common duct measures 5 mm.",
    "The rotator cuff shows a full thickness tear of supraspinatus with retraction.",
    "A Meckel diverticulum can't be excluded.",
    "No free fluid and no free gas.",
    "Uterine fibroids, the largest intramural, of 38 mm.",
    "The neck shows a multinodular goitre with retrosternal extension. Hashimoto thyroiditis is known.",
    "Appearances favour sarcoidosis stage II with perilymphatic nodularity.",
    "Lumbar lordosis is preserved; there is mild retrolisthesis of L5.",
    "The kidneys are normal in size, without scarring or calculi.",
    "Perthes disease of the left femoral head in the fragmentation stage.",
    "There is a haemangioma of segment VII, hyperechoic, 14 mm.",
    "Doppler shows triphasic flow to the ankle.",
    "An anterior cruciate ligament reconstruction is intact.",
    "No suspicious microcalcification. M2 right, M1 left.",
    "The paranasal sinuses are clear. Deviation of the nasal septum.",
    "Findings typical of Alzheimer disease with hippocampal volume loss, MTA 3.",
)
OPENINGS = (
    "Thank you for referring this pleasant lady.", "Many thanks for asking us to image this gentleman.",
    "We saw this patient in the department today.", "Further to your request we performed an examination.",
)  # fmt: skip
REASONS = (
    "The complaint is of persistent cough.", "There has been weight loss over the summer.",
    "The knee gives way on stairs.", "Palpable lump in the left groin.",
    "Recurrent infections of the urinary tract.",
)  # fmt: skip
CLOSINGS = (
    "I would suggest an interval study.", "No follow up is required.",
    "Discussion at the multidisciplinary meeting is advised.",
    "Clinical review would seem appropriate.",
)  # fmt: skip
MONTHS = (
    "January February March April May June July August September October November December".split()
)


class European:
    """Writes letters from one seed."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)  # noqa: S311 - made-up people

    def person(self) -> tuple[str, str]:
        return self.random.choice(GIVEN), self.random.choice(FAMILY)

    def when(self, day: date) -> str:
        month = MONTHS[day.month - 1]
        return self.random.choice((
            f"{day.day:02d}/{day.month:02d}/{day.year}", f"{day.day}.{day.month}.{day.year}",
            f"{day.day} {month} {day.year}", f"{day.day}th of {month} {day.year}",
            f"{day.day}/{day.month}/{day.year % 100:02d}", f"{day.day:02d}-{day.month:02d}-{day.year}",
            f"{day.day} {month[:3]} {day.year}", f"{month} the {day.day}th, {day.year}",
            f"{day.day:02d}.{day.month:02d}.{day.year % 100:02d}",
        ))  # fmt: skip

    def report(self) -> Report:
        r, sheet = self.random, Sheet(self.random)
        (given, family), doctor = self.person(), self.person()
        number, request = digits(r, "@@######"), digits(r, "####-@-####")
        born = date(1928, 6, 1) + timedelta(days=r.randrange(28_000))
        day = date(2022, 1, 1) + timedelta(days=r.randrange(1200))
        sheet.write(f"Dear Dr {{name}},\n\n{r.choice(OPENINGS)} ", name=doctor[1])
        self._who(sheet, given, family, born, day, number)
        sheet.write(f"{r.choice(REASONS)} Our request is {{number}}.\n", number=request)
        extras = r.sample(EXTRAS, 5)
        for extra in extras[:3]:
            extra(self, sheet)
        self._findings(sheet, given, family, day)
        for extra in extras[3:]:
            extra(self, sheet)
        self._farewell(sheet, day)
        return sheet.report(
            Known(
                people=(f"{family}^{given}", f"{doctor[1]}^{doctor[0]}"),
                numbers=(number, request),
                births=(f"{born:%Y%m%d}",),
                days=(f"{day:%Y%m%d}",),
            )
        )

    def _who(  # noqa: PLR0913, PLR0917 - what says who it is
        self, sheet: Sheet, given: str, family: str, born: date, day: date, number: str
    ) -> None:
        age = day.year - born.year
        name = self.random.choice((
            f"{given} {family}", f"{family} {given}", f"{given[0]} {family}", f"{family}, {given}",
            f"{given} {family}".lower(), f"{given.upper()} {family.upper()}",
        ))  # fmt: skip
        old = "{date__age}" if age > 89 else f"{age}"
        sheet.write(
            f"{{name}} (born {{date}}, hosp no {{mrn}}) is {old} years of age. ",
            name=name,
            date=self.when(born),
            mrn=number,
            date__age=f"{age}",
        )

    def _findings(self, sheet: Sheet, given: str, family: str, day: date) -> None:
        r = self.random
        earlier = day - timedelta(days=r.randrange(20, 2000))
        sheet.write("Comparison is made with the films from {date}. ", date=self.when(earlier))
        for sentence in r.sample(SENTENCES, 6):
            sheet.write(sentence + " ")
        torn = f"{family[:3]}-\n{family[3:]}" if len(family) > 6 and family.isalpha() else family
        again = r.choice((family, slipped(r, family), torn, f"{given} {family}"))
        sheet.write("I spoke to {name} afterwards. ", name=again)
        sheet.write(f"{r.choice(CLOSINGS)}\n")

    def _farewell(self, sheet: Sheet, day: date) -> None:
        given, family = self.person()
        title = self.random.choice(("Dr ", "", ""))  # it identifies nobody
        name = f"{given} {family}" if title else self.random.choice((f"{given[0]}. {family}", f"{given} {family}"))  # fmt: skip
        sheet.write(
            f"\nYours sincerely,\n{title}{{name}}\nConsultant Radiologist\nTyped {{date}}\n",
            name=name,
            date=self.when(day),
        )

    # One passage for each class of identifiers.

    def kin(self, sheet: Sheet) -> None:
        given, family = self.person()
        sheet.write(
            "He was brought in by a neighbour, {name}, who translated. ", name=f"{given} {family}"
        )

    def home(self, sheet: Sheet) -> None:
        r = self.random
        place = (
            f"{r.randrange(1, 200)} {r.choice(STREETS)}, {r.choice(TOWNS)}, {digits(r, '@@# #@@')}"
        )
        sheet.write("The family has moved to {place}. ", place=place)

    def town(self, sheet: Sheet) -> None:
        sheet.write("The injury happened on holiday in {place}. ", place=self.random.choice(TOWNS))

    def hospital(self, sheet: Sheet) -> None:
        name = self.random.choice(HOSPITALS).format(self.random.choice(TOWNS))
        sheet.write("Previous imaging was done at {place}. ", place=name)

    def phone(self, sheet: Sheet) -> None:
        shape = self.random.choice(
            ("0#### ######", "+44 #### ######", "07### ### ###", "0049 ## #######")
        )
        sheet.write("My secretary can be reached on {phone}. ", phone=digits(self.random, shape))

    def fax(self, sheet: Sheet) -> None:
        sheet.write("A copy goes by telefax, {fax}. ", fax=digits(self.random, "0### ### ####"))

    def email(self, sheet: Sheet) -> None:
        given, family = self.person()
        host = self.random.choice(("nhs.example.net", "klinik-example.de", "ziekenhuis.example.nl"))
        sheet.write("Please write to {email}. ", email=f"{given[0]}.{family}@{host}".lower())

    def ssn(self, sheet: Sheet) -> None:
        sheet.write("National Insurance {ssn}. ", ssn=digits(self.random, "@@ ## ## ## @"))

    def plan(self, sheet: Sheet) -> None:
        sheet.write(
            "Covered by policy {health_plan} with the insurer. ",
            health_plan=digits(self.random, "@@@/####/###"),
        )

    def account(self, sheet: Sheet) -> None:
        sheet.write(
            "Invoice to IBAN {account}. ", account=digits(self.random, "@@## #### #### #### ##")
        )

    def licence(self, sheet: Sheet) -> None:
        sheet.write("GMC registration {licence}. ", licence=digits(self.random, "#######"))

    def vehicle(self, sheet: Sheet) -> None:
        sheet.write(
            "She was in the car with the plate {vehicle}. ", vehicle=digits(self.random, "@@## @@@")
        )

    def device(self, sheet: Sheet) -> None:
        sheet.write(
            "The hip prosthesis bears lot {device}. ", device=digits(self.random, "####@@##")
        )

    def url(self, sheet: Sheet) -> None:
        sheet.write(
            "The pictures are under {url} in our archive. ",
            url=digits(self.random, "bildarchiv.example.de/p/####"),
        )

    def ip(self, sheet: Sheet) -> None:
        r = self.random
        address = f"2001:db8:{r.randrange(16, 9999):x}::{r.randrange(16, 9999):x}"
        sheet.write("Uploaded by the host {ip}. ", ip=address)

    def biometric(self, sheet: Sheet) -> None:
        sheet.write(
            "Iris scan template {biometric} was matched. ",
            biometric=digits(self.random, "#@#@##@@"),
        )

    def photo(self, sheet: Sheet) -> None:
        sheet.write(
            "See the full-face picture {photo}. ", photo=digits(self.random, "DSC0####.png")
        )

    def other(self, sheet: Sheet) -> None:
        sheet.write("Trial participant {number}. ", number=digits(self.random, "@@@-###-###"))


EXTRAS: tuple[Callable[[European, Sheet], None], ...] = (
    European.kin, European.home, European.town, European.hospital, European.phone, European.fax,
    European.email, European.ssn, European.plan, European.account, European.licence,
    European.vehicle, European.device, European.url, European.ip, European.biometric,
    European.photo, European.other,
)  # fmt: skip
