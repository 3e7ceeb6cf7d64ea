"""What would pydicom take for the same rules? Each element at any depth by our own rulebook.

A loop as its documentation teaches it, and without any proof: nothing is hashed, nothing is read
again, no description is scrubbed (the Basic Profile's action holds) and no known identifier is
looked for. What remains is to read, to change and to write.
"""

from pathlib import Path

from pydicom import DataElement, Dataset, dcmread

from services.deid.domain import dates, values
from services.deid.domain.actions import Action, Rule, Rulebook
from services.deid.domain.identity import Identity, Key, Subject
from services.deid.gateways.instance import table
from services.deid.gateways.policies import SHIPPED, load_policy

_META = frozenset((0x00020001, 0x00020002, 0x00020003, 0x00020010, 0x00020012, 0x00020013))
_STAYS = frozenset((Action.KEEP, Action.SCREEN, Action.SEX, Action.PIXELS))
_NUMBERS = frozenset(("AT", "FD", "FL", "SL", "SS", "SV", "UL", "US", "UV"))


class SameRules:
    """Cleans one file after the other, as one partner's under one key."""

    def __init__(self) -> None:
        self.rulebook = Rulebook(table(), load_policy(SHIPPED))
        self.identity = Identity(Key("bench", b"k" * 32), "bench")

    def clean(self, source: Path, target: Path) -> None:
        dataset = dcmread(source)
        patient = str(dataset.get("PatientID", ""))
        subject = self.identity.subject(patient, f"study:{dataset.StudyInstanceUID}")
        self._change(dataset, subject)
        dataset.PatientName = dataset.PatientID = subject.pseudonym
        dataset.PatientIdentityRemoved = "YES"
        dataset.preamble = b"\0" * 128
        for element in list(dataset.file_meta):
            if element.tag not in _META:
                del dataset.file_meta[element.tag]
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
        dataset.save_as(target, enforce_file_format=True)

    def _change(self, dataset: Dataset, subject: Subject) -> None:
        for element in list(dataset):
            rule = self.rulebook.rule(element.tag, element.VR)
            action = rule.otherwise if rule.action is Action.DESCRIPTOR else rule.action
            if element.tag.is_private or action is Action.REMOVE:
                del dataset[element.tag]
            elif element.VR == "SQ":
                for item in element.value:
                    self._change(item, subject)
            elif action not in _STAYS and element.VM:
                element.value = self._value(element, Rule(action, rule.vr, ""), subject)

    def _value(self, element: DataElement, rule: Rule, subject: Subject) -> object:
        if rule.action is Action.EMPTY:
            return None if element.VR in _NUMBERS else ""
        if rule.action is Action.DUMMY and element.VR != "UI":
            return 0 if element.VR in _NUMBERS else values.dummy(element.VR).decode().strip()
        several = element.value if element.VM > 1 else [element.value]
        changed = [self._changed(str(one), rule, subject) for one in several]
        return changed if element.VM > 1 else changed[0]

    def _changed(self, value: str, rule: Rule, subject: Subject) -> str:
        match rule.action:
            case Action.SHIFT:
                shift = dates.shift_date if rule.vr == "DA" else dates.shift_datetime
                return shift(value, subject.shift_days) or ""
            case Action.AGE:
                return dates.band_age(value) or ""
            case Action.ACCESSION:
                return self.identity.accession(value)
            case Action.NAME | Action.PATIENT_ID:
                return subject.pseudonym
            case _:
                return self.identity.uid(value)
