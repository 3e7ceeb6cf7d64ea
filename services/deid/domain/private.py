"""Which private elements tell nothing of the patient, and are needed to measure? PS3.15 E.3.10.

Numbers and coded terms only: no text of any maker is on the list, because a text field of a
device holds what its users type. The value must have the VR that stands here.
"""

# Creator -> (group, the element's low byte) -> VR.
SAFE: dict[str, dict[tuple[int, int], str]] = {
    # SUV and activity scale factors: without them a PET can't be measured.
    "Philips PET Private Group": {(0x7053, 0x00): "DS", (0x7053, 0x09): "DS"},
    # Table speed, mid scan time, rotation speed.
    "GEMS_ACQU_01": {(0x0019, 0x23): "DS", (0x0019, 0x24): "DS", (0x0019, 0x27): "DS"},
    "GEMS_SERS_01": {(0x0025, 0x07): "SL"},  # images in series
    "GEMS_PARM_01": {(0x0043, 0x39): "IS"},  # b-value and its companions
    "GEMS_HELIOS_01": {(0x0045, 0x01): "SS", (0x0045, 0x02): "FL"},  # detector rows and width
    # Mosaic size, b-value, diffusion direction and matrix.
    "SIEMENS MR HEADER": {
        (0x0019, 0x0A): "US",
        (0x0019, 0x0C): "IS",
        (0x0019, 0x0D): "CS",
        (0x0019, 0x0E): "FD",
        (0x0019, 0x27): "FD",
    },
    "Philips Imaging DD 001": {(0x2001, 0x03): "FL", (0x2001, 0x04): "CS"},  # diffusion
    # Scale intercept and slope, diffusion direction.
    "Philips MR Imaging DD 001": {
        (0x2005, 0x0D): "FL",
        (0x2005, 0x0E): "FL",
        (0x2005, 0xB0): "FL",
        (0x2005, 0xB1): "FL",
        (0x2005, 0xB2): "FL",
    },
}
_FIRST_BLOCK, _LAST_BLOCK = 0x10, 0xFF


def is_creator(tag: int) -> bool:
    """Whether the element reserves a block of private elements (PS3.5 7.8.1)."""
    return tag >> 16 & 1 == 1 and _FIRST_BLOCK <= tag & 0xFFFF <= _LAST_BLOCK


def creator_of(tag: int) -> int:
    """The tag of the element that says whose this private element is."""
    return tag & 0xFFFF0000 | tag >> 8 & 0xFF


def safe_vr(creator: str, tag: int) -> str:
    """The VR of a safe private element, "" when it is not on the list."""
    return SAFE.get(creator, {}).get((tag >> 16, tag & 0xFF), "")
