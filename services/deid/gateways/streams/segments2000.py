"""Is a segment of a JPEG 2000 header as long as what it says it holds? (ITU-T T.800 annex A)"""

from collections.abc import Callable, Iterator

from services.deid.gateways.streams.walked import UnwalkableError, word

_SIZ, _COD, _COC, _QCD, _QCC = 0xFF51, 0xFF52, 0xFF53, 0xFF5C, 0xFF5D
_RGN, _POC, _CAP, _PROFILE = 0xFF5E, 0xFF5F, 0xFF50, 0xFF59
_MOST_LEVELS, _NARROW = 32, 257  # decompositions; components that one byte numbers
_STYLE = 0x1F  # of quantisation; its other bits are guard bits
_DEFAULT_LEVELS = 5  # where a coding style begins to name decompositions


class Coding:
    """What the headers said so far.

    `packet_bytes`: how long the packets of a tile-part are by its PLT segments, where it has some.
    """

    def __init__(self) -> None:
        self.tiles, self.width = 0, 1
        self.levels, self.bands = 0, 0
        self.packet_bytes: int | None = None

    def sound(self, code: int, content: bytes) -> bool:
        checks: dict[int, Callable[[bytes], bool]] = {
            _SIZ: self._size,
            _COD: self._style,
            _COC: self._style_of_one,
            _QCD: self._steps,
            _QCC: self._steps_of_one,
            _RGN: self._region,
            _POC: self._order,
            _CAP: _is_capability,
            _PROFILE: _is_profile,
        }
        check = checks.get(code)
        return check is not None and check(content)

    def lengths(self, content: bytes) -> Iterator[tuple[int | None, int]]:
        """Tile-parts by a TLM segment (A.7.1): the tile where it is told, and the length."""
        kind = content[1] if len(content) > 1 else 0
        tile, size = kind >> 4 & 3, 4 if kind & 0x40 else 2
        if (len(content) - 2) % (tile + size):
            raise UnwalkableError("a JPEG 2000 table of lengths that is none")
        for at in range(2, len(content), tile + size):
            yield word(content, at, tile) if tile else None, word(content, at + tile, size)

    def packets(self, content: bytes) -> None:
        """Add up the lengths in a PLT segment (A.7.3), seven bits a byte."""
        value, total = 0, self.packet_bytes or 0
        for byte in content[1:]:
            value = value << 7 | byte & 0x7F
            if not byte & 0x80:
                total, value = total + value, 0
        if value:
            raise UnwalkableError("a JPEG 2000 table of packets that is none")
        self.packet_bytes = total

    def _size(self, content: bytes) -> bool:
        """SIZ: once, for it says how many tiles there are (A.5.1)."""
        if self.tiles or len(content) < 36 or len(content) != 36 + 3 * word(content, 34):  # noqa: PLR2004
            return False
        self.tiles = tiles_of(content)
        self.width = 1 if word(content, 34) < _NARROW else 2
        return self.tiles > 0

    def _style(self, content: bytes) -> bool:
        """COD (A.6.1): with precincts where its first bit says so."""
        return len(content) > _DEFAULT_LEVELS and self._levels(content[0], content[5:], 5)

    def _style_of_one(self, content: bytes) -> bool:
        """COC (A.6.2)."""
        inner = content[self.width :]
        return len(inner) > 1 and self._levels(inner[0], inner[1:], 5)

    def _levels(self, style: int, content: bytes, plain: int) -> bool:
        levels = content[0]
        self.levels = max(self.levels, levels)
        precincts = levels + 1 if style & 1 else 0
        return levels <= _MOST_LEVELS and len(content) == plain + precincts

    def _steps(self, content: bytes) -> bool:
        """QCD, QCC (A.6.4): one value for all, or one for each band."""
        if not content:
            return False
        style, rest = content[0] & _STYLE, len(content) - 1
        if style == 1:
            return rest == 2  # noqa: PLR2004 - bytes of a value
        wide = 2 if style == 2 else 1  # noqa: PLR2004 - expounded
        bands = rest // wide
        self.bands = max(self.bands, bands)
        return style <= 2 and rest % wide == 0 and bands % 3 == 1 and bands <= 97  # noqa: PLR2004

    def _steps_of_one(self, content: bytes) -> bool:
        return self._steps(content[self.width :])

    def _region(self, content: bytes) -> bool:
        return len(content) == self.width + 2

    def _order(self, content: bytes) -> bool:
        """POC (A.6.6): progressions, one behind the other."""
        return len(content) % (5 + 2 * self.width) == 0


def _is_profile(content: bytes) -> bool:
    return len(content) == 2  # noqa: PLR2004 - T.814 A.3


def tiles_of(content: bytes) -> int:
    """How many tiles SIZ makes of the image; 0 for none (B.3)."""
    right, bottom = word(content, 2, 4), word(content, 6, 4)
    width, height = word(content, 18, 4), word(content, 22, 4)
    left, top = word(content, 26, 4), word(content, 30, 4)
    if not width or not height or left >= right or top >= bottom:
        return 0
    return -(-(right - left) // width) * -(-(bottom - top) // height)


def _is_capability(content: bytes) -> bool:
    """CAP (A.5.2): a value for each part of the standard it asks for."""
    return len(content) == 4 + 2 * word(content, 0, 4).bit_count()
