"""Is this a word, a name, or a term that is somebody's name as well?"""

import re
from dataclasses import dataclass, field

_ENDINGS = (
    ("s", ""), ("es", ""), ("ies", "y"), ("d", ""), ("ed", ""), ("ed", "e"), ("ied", "y"),
    ("ing", ""), ("ing", "e"), ("ly", ""), ("ally", ""), ("er", ""), ("er", "e"), ("ae", "a"),
    ("i", "us"), ("al", ""), ("ic", ""), ("ness", ""), ("ity", ""), ("able", ""), ("ation", "e"),
    ("ization", "ize"), ("isation", "ize"), ("ised", "ize"), ("ising", "ize"), ("ise", "ize"),
    ("our", "or"), ("oured", "ored"), ("aemia", "emia"), ("tre", "ter"), ("tres", "ter"),
)  # fmt: skip
# Word formation of medicine: what begins or ends like this and is nobody's name is a term.
PREFIXES = (
    "ab ad adeno an ante antero anti arthro auto bi bio broncho cardio cavo cerebro cervico "
    "chole chondro chrono contra costo cranio cysto de dis dys echo ecto endo entero epi "
    "esophago ex extra femoro fibro gastro gluteo haemo hemi hemo hepato hetero histo homo "
    "hydro hyper hypo ilio im in infero infra inter intra ischio iso juxta kypho laparo "
    "latero lipo lumbo lympho macro mal medio mega meso meta micro mid mini mis mono muco "
    "multi musculo myelo myo naso nephro neuro non oculo oesophago oligo oro ortho osteo oto "
    "out over pan para patello peno per peri pleuro pneumo poly post postero pre pro pseudo "
    "psycho pulmo pyelo pyo radio re recto reno retro sacro semi sero spondylo sub super "
    "supero supra syn tele tempo thoraco thrombo thyro tibio trans tri ulno ultra un under "
    "uni uretero urethro utero vaso veno ventriculo ventro vesico viscero"
).split()
_TERMINATIONS = re.compile(
    r".{3}(?:itis|itides|osis|oses|otic|oma|omas|omata|ectomy|ectomies|otomy|ostomy|plasty|graphy|"
    r"graphic|gram|grams|scopy|scopic|pathy|pathic|emia|aemia|uria|algia|genic|genesis|lysis|"
    r"lytic|trophy|trophic|plasia|plastic|penia|megaly|cele|ectasis|ectasia|ectatic|stenosis|"
    r"stenotic|centesis|pexy|desis|oid|oidal|aneous|ular|itic|iasis|cytic|cytosis|blastic|phagia|"
    r"pnea|ptysis|rrhea|rrhage|rrhagic|densities|density|intensity|intensities|vascular|nodular|"
    r"mab|tinib|cillin|mycin|floxacin|statin|sartan|prazole|azole|dipine|olol|parin|xaban|caine)s?"
)


@dataclass(frozen=True)
class Lexicon:
    """Words as data, all in lower case.

    words: of the language, of medicine and of the technique; abbreviations too.
    surnames, given: names of people. eponyms: names that stand for a disease, a sign, a place in
    the body, a device. heads: what an eponym stands before ("cyst", "disease"). familiar: the most
    frequent names, also those that are words ("Long", "Young"). certain: eponyms that need no head beside them. called:
    the familiar names, and those that are words of grammar as well ("Day", "Cross"). technique:
    what series and agents are called, which counts in lines of a header alone. homonyms: states and countries that are given names
    as well ("Georgia", "Jordan").
    """

    words: frozenset[str]
    surnames: frozenset[str]
    given: frozenset[str]
    eponyms: frozenset[str]
    heads: frozenset[str]
    familiar: frozenset[str]
    certain: frozenset[str]
    called: frozenset[str]
    technique: frozenset[str]
    homonyms: frozenset[str]
    _known: dict[str, bool] = field(default_factory=dict, repr=False, compare=False)

    def is_word(self, word: str) -> bool:
        """Whether a lower-case word is one of the language or formed like a medical term."""
        known = self._known.get(word)
        if known is None:
            if len(self._known) > 200_000:  # a service lives long, and texts are untrusted
                self._known.clear()
            known = self._known[word] = self._is_word(word)
        return known

    def is_name(self, word: str) -> bool:
        return word in self.surnames or word in self.given

    def is_eponym(self, word: str) -> bool:
        return word in self.eponyms or (word.endswith("s") and word[:-1] in self.eponyms)

    def is_meant(self, word: str) -> bool:
        """Whether a word is an eponym that is hardly ever a person in a report: "Foley"."""
        return word in self.certain or (word.endswith("s") and word[:-1] in self.certain)

    def _is_word(self, word: str) -> bool:
        if self._is_listed(word):
            return True
        if self.is_name(word):
            return False
        rests = (word[len(prefix) :] for prefix in PREFIXES if word.startswith(prefix))
        if any(len(rest) > 3 and self._is_listed(rest) for rest in rests):
            return True
        return _TERMINATIONS.fullmatch(word) is not None

    def _is_listed(self, word: str) -> bool:
        if word in self.words or _undoubled(word) in self.words:
            return True
        return any(
            word.endswith(ending)
            and len(word) - len(ending) >= 3
            and word[: len(word) - len(ending)] + stem in self.words
            for ending, stem in _ENDINGS
        )


def _undoubled(word: str) -> str:
    """The verb of a form with a doubled consonant: "referring", "stopped"."""
    stem = word.removesuffix("ing") if word.endswith("ing") else word.removesuffix("ed")
    doubled = stem != word and len(stem) > 3 and stem[-1] == stem[-2]
    return stem[:-1] if doubled else word
