"""How does one peer clean a folder? Run by the peer's own Python: `one.py PEER`.

Each line of its input is a JSON list of two folders, from where and to where; it answers with the
seconds of processor time and the names of the files on which the peer gave up.
"""

import importlib
import json
import logging
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

Clean = Callable[[Path, Path], object]


def dicognito() -> Clean:
    dcmread = importlib.import_module("pydicom").dcmread
    anonymizer = importlib.import_module("dicognito.anonymizer").Anonymizer(seed="overread")

    def clean(source: Path, target: Path) -> None:
        dataset = dcmread(source)
        anonymizer.anonymize(dataset)
        dataset.save_as(target)

    return clean


def deid() -> Clean:
    """With the recipe it brings, as its documentation begins."""
    dicom = importlib.import_module("deid.dicom")
    recipe = importlib.import_module("deid.config").DeidRecipe()
    importlib.import_module("deid.logger").bot.level = 0

    def clean(source: Path, target: Path) -> None:
        dicom.replace_identifiers(
            dicom_files=[str(source)], deid=recipe, save=True, overwrite=True,
            output_folder=str(target.parent), remove_private=True,
        )  # fmt: skip

    return clean


def dicom_anonymizer() -> Clean:
    module = importlib.import_module("dicomanonymizer")

    def clean(source: Path, target: Path) -> None:
        module.anonymize_dicom_file(str(source), str(target))

    return clean


def dcmanon() -> Clean:
    """Written in Rust."""
    anonymizer = importlib.import_module("dcmanon").Anonymizer()

    def clean(source: Path, target: Path) -> None:
        target.write_bytes(anonymizer.anonymize(str(source)))

    return clean


def same_rules() -> Clean:
    """Pydicom by our own rules, run by our own Python."""
    sys.path.insert(0, str(Path(__file__).parents[2]))
    rules = importlib.import_module("benchmarks.peers.same_rules").SameRules()
    clean: Clean = rules.clean
    return clean


def pydicom() -> Clean:
    """The loop that everybody writes first: read, change what one thinks of, write."""
    library = importlib.import_module("pydicom")

    def change(_dataset: object, element: object) -> None:
        if element.VR in {"PN", "DA", "UI"} and element.tag.group != 0x0002:  # type: ignore[attr-defined]
            element.value = {"PN": "A", "DA": "19000101", "UI": "2.25.1"}[element.VR]  # type: ignore[attr-defined]

    def clean(source: Path, target: Path) -> None:
        dataset = library.dcmread(source)
        dataset.remove_private_tags()
        dataset.walk(change)
        dataset.PatientID = dataset.AccessionNumber = "A"
        dataset.save_as(target)

    return clean


PEERS: dict[str, Callable[[], Clean]] = {
    "dicognito": dicognito,
    "deid": deid,
    "dicom-anonymizer": dicom_anonymizer,
    "dcmanon": dcmanon,
    "pydicom": pydicom,
    "pydicom, same rules": same_rules,
}


def main() -> None:
    warnings.simplefilter("ignore")
    logging.disable()
    answers, sys.stdout = sys.stdout, sys.stderr  # what a peer prints is no answer
    clean = PEERS[sys.argv[1]]()
    for line in sys.stdin:
        source, out = map(Path, json.loads(line))
        files = sorted(source.iterdir())
        began = time.process_time()
        faults = _all(clean, files, out)
        seconds = time.process_time() - began
        print(json.dumps({"seconds": seconds, "faults": faults}), file=answers, flush=True)


def _all(clean: Clean, files: list[Path], out: Path) -> list[str]:
    """Clean each file; gives the names of those on which the peer gave up."""
    faults = []
    for file in files:
        try:
            clean(file, out / file.name)
        except Exception:  # noqa: BLE001 - a peer may raise whatever it likes
            (out / file.name).unlink(missing_ok=True)
        if not (out / file.name).exists():
            faults.append(file.name)
    return faults


if __name__ == "__main__":
    main()
