"""The way back: every name that changed is on a page, and each page fits a seal."""

from hypothesis import given
from hypothesis import strategies as st

from services.deid.domain.identity import Identity
from services.deid.domain.way_back import LONGEST, PAGE, WayBack, pages
from services.deid.gateways.originals import originals_of
from shared.runtime.dicom import read_part10
from shared.runtime.sealing import MAX_CONTENT, new_key_pair, open_sealed, seal
from tests.unit.deid.files import EXPLICIT, IMPLICIT, KEY, PARTNER, Writer

IDENTITY = Identity(KEY, PARTNER)
FIRST = WayBack(
    partner="p" * 63,
    study="s" * 64,
    pseudonym="o" * 64,
    key_version="v" * 32,
    patient_id="\N{GRINNING FACE}" * LONGEST,
    shift_days=-3650,
)


@given(st.dictionaries(st.text(max_size=64), st.text(max_size=64), max_size=50), st.integers(0, 3))
def test_no_name_is_lost_between_pages(names: dict[str, str], more: int) -> None:
    names |= {f"n{number}": "o" for number in range(more * PAGE)}

    spread = list(pages(FIRST, names))

    assert {new: old for page in spread for new, old in page.names.items()} == names
    assert len(spread) == max(1, -(-len(names) // PAGE))


def test_the_fullest_page_fits_a_seal_and_only_its_holder_opens_it() -> None:
    private, public = new_key_pair()
    names = {f"2.25.{10**38 + n}": "\N{GRINNING FACE}" * LONGEST for n in range(PAGE)}
    (page,) = pages(FIRST, names)

    sealed = seal(public, page.model_dump(mode="json"))

    assert len(sealed) < 2 * MAX_CONTENT
    assert WayBack.model_validate(open_sealed([private], sealed)) == page


def test_names_are_gathered_at_any_depth_and_unchanged_ones_left_out() -> None:
    for syntax in (EXPLICIT, IMPLICIT):
        write = Writer(syntax)
        deep = write.sequence(
            0x00081140, write.element(0x00081155, "UI", "2.999.5\\2.999.6\\no uid!")
        )
        accession = write.element(0x00080050, "SH", "ACC 7\x07")
        content = write.file([(0x00081140, deep), (0x00080050, accession)])

        found = originals_of(read_part10(content), IDENTITY)

        assert {old for _, old in found.names} == {
            "2.999.5", "2.999.6", "2.999.7.1", "2.999.7.2", "2.999.7.3", "ACC 7",
        }  # fmt: skip
        assert all(
            new == IDENTITY.uid(old) or new == IDENTITY.accession(old) for new, old in found.names
        )
        assert found.patient_id == "MRN77123"
