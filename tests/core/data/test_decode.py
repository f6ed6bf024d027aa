"""Every format and mode becomes the right RGB."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from core.data import decode as decode_module
from core.data.decode import NotAnImageError, UnreadableError, decode, fit_square


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def gradient(height: int = 24, width: int = 32) -> np.ndarray:
    rows, columns = np.mgrid[0:height, 0:width]
    return np.stack([rows * 5, columns * 4, rows * 2 + columns * 2], axis=2).astype(np.uint8)


def corner(image: np.ndarray) -> list[int]:
    return [int(value) for value in image[0, 0]]


@pytest.mark.parametrize(
    ("kind", "options", "tolerance"),
    [
        ("PNG", {}, 0),
        ("BMP", {}, 0),
        ("TIFF", {}, 0),
        ("TIFF", {"compression": "tiff_lzw"}, 0),
        ("WEBP", {"lossless": True}, 0),
        ("WEBP", {"quality": 100}, 12),
        ("JPEG", {"quality": 100, "subsampling": 0}, 4),
        ("JPEG", {"quality": 100, "subsampling": 0, "progressive": True}, 4),
    ],
)
def test_formats(kind: str, options: dict[str, object], tolerance: int) -> None:
    image = decode(encoded(Image.fromarray(gradient()), kind, **options))
    assert image.dtype == np.uint8
    assert image.shape == (24, 32, 3)
    assert np.abs(image.astype(int) - gradient()).max() <= tolerance


def test_gray_and_one_bit() -> None:
    gray = gradient()[..., 1]
    assert np.array_equal(decode(encoded(Image.fromarray(gray), "PNG")), np.repeat(gray[..., None], 3, 2))
    bits = Image.new("1", (2, 1))
    bits.putpixel((1, 0), 1)
    assert decode(encoded(bits, "PNG")).tolist() == [[[0] * 3, [255] * 3]]


def test_transparency_is_put_on_white() -> None:
    rgba = Image.new("RGBA", (3, 1))
    for x, pixel in enumerate([(200, 0, 0, 255), (200, 0, 0, 0), (200, 0, 0, 128)]):
        rgba.putpixel((x, 0), pixel)
    for kind, options in (("PNG", {}), ("TIFF", {}), ("WEBP", {"lossless": True, "exact": True})):
        row = decode(encoded(rgba, kind, **options))[0].astype(int)
        assert row[:2].tolist() == [[200, 0, 0], [255, 255, 255]]
        assert np.abs(row[2] - [227, 127, 127]).max() <= 1


def test_gray_with_alpha() -> None:
    image = Image.new("LA", (2, 1), (40, 255))
    image.putpixel((1, 0), (40, 0))
    assert decode(encoded(image, "PNG"))[0].tolist() == [[40] * 3, [255] * 3]


def test_palette() -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([10, 20, 30, 200, 100, 50])
    image.putpixel((1, 0), 1)
    assert decode(encoded(image, "PNG"))[0].tolist() == [[10, 20, 30], [200, 100, 50]]
    assert decode(encoded(image, "PNG", transparency=1))[0].tolist() == [[10, 20, 30], [255] * 3]
    half = decode(encoded(image, "PNG", transparency=bytes([255, 128])))[0].astype(int)
    assert half[0].tolist() == [10, 20, 30]
    assert np.abs(half[1] - [227, 177, 152]).max() <= 1


@pytest.mark.parametrize(("mode", "color"), [("RGB", (9, 8, 7)), ("L", 9)])
def test_a_transparent_color(mode: str, color: object) -> None:
    image = Image.new(mode, (2, 1), color)
    image.putpixel((1, 0), (1, 2, 3) if mode == "RGB" else 1)
    row = decode(encoded(image, "PNG", transparency=color))[0].tolist()
    assert row == [[255] * 3, [1, 2, 3] if mode == "RGB" else [1] * 3]


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_are_scaled(kind: str) -> None:
    values = np.array([[0, 257, 32896, 65535, 200]], np.uint16)
    assert decode(encoded(Image.fromarray(values), kind))[0, :, 0].tolist() == [0, 1, 128, 255, 1]


def test_a_dark_sixteen_bit_image_stays_dark() -> None:
    assert decode(encoded(Image.fromarray(np.full((4, 4), 200, np.uint16)), "PNG")).max() == 1


def test_big_endian_sixteen_bits() -> None:
    pixels = struct.pack(">2H", 257 * 7, 65535)
    entries = [(256, 3, 2), (257, 3, 1), (258, 3, 16), (259, 3, 1), (262, 3, 1), (273, 4, 0), (277, 3, 1), (278, 3, 1)]
    entries.append((279, 4, 4))
    start = 8 + 2 + 12 * len(entries) + 4
    fields = b""
    for tag, kind, value in entries:
        value = start if tag == 273 else value
        fields += struct.pack(">HHI", tag, kind, 1) + (
            struct.pack(">HH", value, 0) if kind == 3 else struct.pack(">I", value)
        )
    data = b"MM\0*" + struct.pack(">IH", 8, len(entries)) + fields + bytes(4) + pixels
    assert decode(data)[0, :, 0].tolist() == [7, 255]


def test_sixteen_bit_color() -> None:
    values = struct.pack(">6H", 257 * 10, 257 * 20, 257 * 30, 0, 32768, 65535)
    header = struct.pack(">IIBBBBB", 2, 1, 16, 2, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n"
    for name, body in ((b"IHDR", header), (b"IDAT", zlib.compress(b"\0" + values)), (b"IEND", b"")):
        data += struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
    assert decode(data)[0].tolist() == [[10, 20, 30], [0, 128, 255]]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([[0.0, 0.5, 1.0]], np.float32), [0, 128, 255]),
        (np.array([[0.0, 100.0, 255.0]], np.float32), [0, 100, 255]),
        (np.array([[0.0, 257.0, 65535.0]], np.float32), [0, 1, 255]),
        (np.array([[-1.0, 0.0, 1.0]], np.float32), [0, 128, 255]),
        (np.array([[0.0, np.nan, 1.0]], np.float32), [0, 0, 255]),
        (np.array([[0.0, 5e5, 1e6]], np.float32), [0, 128, 255]),
        (np.array([[0, 100, 255]], np.int32), [0, 100, 255]),
        (np.array([[0, 257, 65535]], np.int32), [0, 1, 255]),
        (np.array([[0, 500_000, 1_000_000]], np.int32), [0, 128, 255]),
        (np.array([[0, 0, 0]], np.int32), [0, 0, 0]),
    ],
)
def test_floats_and_long_integers_are_scaled_sensibly(values: np.ndarray, expected: list[int]) -> None:
    image = decode(encoded(Image.fromarray(values), "TIFF"))
    assert image[0, :, 0].tolist() == expected
    assert np.array_equal(image[..., 0], image[..., 2])


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_cmyk(kind: str) -> None:
    cyan = Image.new("CMYK", (16, 16), (255, 0, 0, 0))  # Pillow inverts it for JPEG and says so, as Adobe does
    assert np.abs(decode(encoded(cyan, kind))[8, 8].astype(int) - [0, 255, 255]).max() <= 3


def test_cmyk_jpeg_that_is_not_adobes() -> None:
    data = encoded(Image.new("CMYK", (16, 16), (255, 0, 0, 0)), "JPEG")  # stored inverted: 0, 255, 255, 255
    start = data.index(b"\xff\xee")
    length = struct.unpack(">H", data[start + 2 : start + 4])[0]
    plain = data[:start] + data[start + 2 + length :]
    # Without the marker the stored values count as they are: no cyan, full magenta, yellow and black.
    assert decode(plain)[8, 8].max() <= 3


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_rotation(kind: str, orientation: int) -> None:
    red, green, blue, gray = (250, 0, 0), (0, 250, 0), (0, 0, 250), (128, 128, 128)
    upright = np.zeros((32, 64, 3), np.uint8)
    upright[:16, :32], upright[:16, 32:], upright[16:, :32], upright[16:, 32:] = red, green, blue, gray
    stored = {  # the pixels that, shown as the orientation says, are upright
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.transpose(1, 0, 2),
        6: np.rot90(upright, 1),
        7: upright[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(upright, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if kind == "WEBP" else {"subsampling": 0} if kind == "JPEG" else {}
    image = decode(encoded(Image.fromarray(np.ascontiguousarray(stored)), kind, exif=exif, **options))
    assert image.shape == upright.shape
    for y, x, color in ((8, 16, red), (8, 48, green), (24, 16, blue), (24, 48, gray)):
        assert np.abs(image[y, x].astype(int) - color).max() <= 12


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_damaged_exif_is_no_reason_to_refuse() -> None:
    data = encoded(Image.fromarray(gradient()), "PNG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    assert np.array_equal(decode(data), gradient())


def test_first_frame_of_an_animation() -> None:
    frames = [Image.new("RGB", (8, 8), color) for color in ("red", "blue")]
    data = encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:], lossless=True)
    assert corner(decode(data)) == [255, 0, 0]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "TIFF", "WEBP"])
def test_truncated(kind: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    data = encoded(Image.fromarray(noise), kind)
    with pytest.raises(UnreadableError):
        decode(data[: len(data) // 2])


@pytest.mark.parametrize(
    ("data", "reason"), [(b"", "empty file"), (b"BM, a text", "not a JPEG"), (b"\0" * 99, "not a")]
)
def test_not_an_image(data: bytes, reason: str) -> None:
    with pytest.raises(NotAnImageError, match=reason):
        decode(data)


def test_other_formats_are_refused() -> None:
    with pytest.raises(NotAnImageError, match="not a JPEG, PNG, WebP, BMP or TIFF"):
        decode(encoded(Image.new("P", (4, 4)), "GIF"))


def test_decompression_bomb(monkeypatch: pytest.MonkeyPatch) -> None:
    data = encoded(Image.new("1", (200, 200)), "PNG")
    monkeypatch.setattr(decode_module, "MOST_PIXELS", 39_999)
    with pytest.raises(UnreadableError, match="too large: 200 x 200 pixels"):
        decode(data)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with pytest.raises(UnreadableError, match="bomb"):
        decode(data)


def test_crop_keeps_the_middle() -> None:
    image = gradient(24, 32)
    assert np.array_equal(fit_square(image, 24, "crop"), image[:, 4:28])
    assert np.array_equal(fit_square(image.transpose(1, 0, 2).copy(), 24, "crop"), image.transpose(1, 0, 2)[4:28])


def test_stretch_keeps_everything() -> None:
    image = np.zeros((8, 16, 3), np.uint8)
    image[:, 8:] = 200
    square = fit_square(image, 8, "stretch")
    assert square.shape == (8, 8, 3)
    assert (square[:, :3] == 0).all()
    assert (square[:, 5:] == 200).all()


def test_making_smaller_is_antialiased() -> None:
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::2] = 200
    small = fit_square(stripes, 16, "crop")
    assert np.abs(small[:, 1:-1].astype(int) - 100).max() <= 2


@pytest.mark.parametrize("shape", [(1, 40), (40, 1), (1, 1)])
def test_extreme_shapes(shape: tuple[int, int]) -> None:
    for fit in ("crop", "stretch"):
        assert (fit_square(np.full((*shape, 3), 77, np.uint8), 16, fit) == 77).all()
