"""HEIC files for tests, made from arrays. `pillow_heif` writes them; the studio reads with `pi_heif`."""

from __future__ import annotations

import io
import struct

import numpy as np
import pillow_heif
from PIL import Image

ORIENTATION, DATE = 0x0112, 0x0132


def exif(orientation: int | None = None, date: str | None = None) -> bytes:
    block = Image.Exif()
    if orientation is not None:
        block[ORIENTATION] = orientation
    if date is not None:
        block[DATE] = date
    return block.tobytes()


def heic(pixels: np.ndarray, *others: np.ndarray, primary: int = 0, about: bytes = b"") -> bytes:
    """A HEIC of arrays `(H, W)`, `(H, W, 3)` or `(H, W, 4)`, uint8; `about` is its EXIF block, whose orientation is
    written into the container (`irot`, `imir`) as well, as phones do."""
    file = pillow_heif.from_pillow(Image.fromarray(pixels))
    for other in others:
        file.add_from_pillow(Image.fromarray(other))
    buffer = io.BytesIO()
    file.save(buffer, quality=98, primary_index=primary, **({"exif": about} if about else {}))
    return buffer.getvalue()


def heic_of_ten_bits(pixels: np.ndarray) -> bytes:
    """A HEIC of 10 bits per channel of an array `(H, W, 3)` of uint16, 65535 being white."""
    height, width, _ = pixels.shape
    file = pillow_heif.from_bytes(mode="RGB;16", size=(width, height), data=pixels.tobytes())
    buffer = io.BytesIO()
    file.save(buffer, quality=98)
    return buffer.getvalue()


def without_container_turn(content: bytes) -> bytes:
    """The file with its `irot` and `imir` made boxes that mean nothing."""
    return content.replace(b"irot", b"free").replace(b"imir", b"free")


def without_exif_turn(content: bytes, about: bytes, orientation: int) -> bytes:
    """The file with 1 as the orientation in its EXIF block `about`."""
    entry = struct.pack("<HHI", ORIENTATION, 3, 1)
    old, new = entry + struct.pack("<I", orientation), entry + struct.pack("<I", 1)
    if old not in about:  # Pillow writes either byte order
        entry = struct.pack(">HHI", ORIENTATION, 3, 1)
        old, new = entry + struct.pack(">HH", orientation, 0), entry + struct.pack(">HH", 1, 0)
    assert content.count(old) == 1
    return content.replace(old, new)


def claiming(content: bytes, width: int, height: int) -> bytes:
    """The file whose container says that the picture has another size than it was coded with."""
    at = content.index(b"ispe") + 8
    return content[:at] + struct.pack(">II", width, height) + content[at + 8 :]


def grid(tile: np.ndarray, rows: int, columns: int, size: tuple[int, int], turn: int = 0) -> bytes:
    """A HEIC as phones write it: the picture is a grid of tiles, here of `rows * columns` times the same one, of which
    `size` (width, height) is shown, turned by `turn` quarters anticlockwise."""
    single = heic(tile)
    coded = _box_of(single, b"mdat")[8:]
    height, width = tile.shape[:2]
    many = rows * columns
    layout = struct.pack(">BBBBII", 0, 1, rows - 1, columns - 1, *size)  # 32-bit fields
    properties = [
        _box_of(single, b"hvcC"),
        _full(b"ispe", 0, struct.pack(">II", width, height)),
        _full(b"ispe", 0, struct.pack(">II", *size)),
        _full(b"pixi", 0, bytes([3, 8, 8, 8])),
        _box(b"irot", bytes([turn])),
    ]
    tiles = range(1, many + 1)
    shown = many + 1
    ipma = struct.pack(">I", shown) + b"".join(struct.pack(">HB3B", number, 3, 0x81, 2, 4) for number in tiles)
    ipma += struct.pack(">HB3B", shown, 3, 3, 4, 0x85)
    infos = b"".join(_full(b"infe", 2, struct.pack(">HH4sB", n, 0, b"hvc1", 0), 1) for n in tiles)  # 1: hidden
    infos += _full(b"infe", 2, struct.pack(">HH4sB", shown, 0, b"grid", 0))
    head = _box(b"ftyp", b"heic\0\0\0\0mif1heic")

    def meta(offset: int) -> bytes:
        # Every tile is the same bytes of the file; the layout lies in `idat`.
        places = b"".join(struct.pack(">HHHHII", number, 0, 0, 1, offset, len(coded)) for number in tiles)
        places += struct.pack(">HHHHII", shown, 1, 0, 1, 0, len(layout))
        return _full(
            b"meta",
            0,
            b"".join(
                [
                    _full(b"hdlr", 0, struct.pack(">I4s12x", 0, b"pict") + b"\0"),
                    _full(b"pitm", 0, struct.pack(">H", shown)),
                    _full(b"iloc", 1, struct.pack(">BBH", 0x44, 0, shown) + places),
                    _full(b"iinf", 0, struct.pack(">H", shown) + infos),
                    _full(b"iref", 0, _box(b"dimg", struct.pack(f">HH{many}H", shown, many, *tiles))),
                    _box(b"iprp", _box(b"ipco", b"".join(properties)) + _full(b"ipma", 0, ipma)),
                    _box(b"idat", layout),
                ]
            ),
        )

    return head + meta(len(head) + len(meta(0)) + 8) + _box(b"mdat", coded)


def _box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content) + 8) + kind + content


def _full(kind: bytes, version: int, content: bytes, flags: int = 0) -> bytes:
    return _box(kind, struct.pack(">I", version << 24 | flags) + content)


def _box_of(content: bytes, kind: bytes) -> bytes:
    at = content.index(kind) - 4
    return content[at : at + struct.unpack(">I", content[at : at + 4])[0]]
