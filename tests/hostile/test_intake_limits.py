"""What is small as a file and large once it is opened, and places that are no dataset: one line, soon, without much
memory.
"""

from __future__ import annotations

import base64
import io
import json
import os
import struct
import subprocess
import sys
import threading
import time
import zipfile
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from maskrcnn.annotations import pictures, raster, read
from maskrcnn.annotations.dataset import Dataset
from maskrcnn.annotations.formats import picture_folders
from maskrcnn.annotations.formats.json_values import Complaint
from maskrcnn.annotations.formats.labelme import reading
from maskrcnn.annotations.formats.masks import reading as mask_reading
from maskrcnn.annotations.intake import picture_headers, refused_folders, stage_path, stage_uploads
from maskrcnn.annotations.picture_files import pixel_budget, rgb_pixels
from maskrcnn.annotations.picture_files.pixel_budget import PixelBudget
from maskrcnn.annotations.regions import MOST_REGIONS
from maskrcnn.errors import ArgumentError, StudioError
from maskrcnn.install_folders import ROOT, workspace_folder
from maskrcnn.studio.shell import session
from tests.sweeps import one_in, sweep
from tests.work import calls


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


# Pixels at one moment


def test_threads_together_never_hold_more_than_the_budget() -> None:
    budget, lock = PixelBudget(100), threading.Lock()
    held: list[int] = []
    most: list[int] = []

    def decode(pixels: int) -> None:
        with budget.of(pixels):
            with lock:
                held.append(min(pixels, 100))
                most.append(sum(held))
            time.sleep(0.001)
            with lock:
                held.remove(min(pixels, 100))

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(decode, [60, 30, 50, 1, 100, 7, 400, 30] * 10))
    assert max(most) <= 100
    assert len(most) == 80


def test_small_pictures_do_not_pass_by_a_large_one_for_ever() -> None:
    """60 are held, so 50 must wait; the 10 that come after it would fit, and wait behind it."""
    budget, order = PixelBudget(100), list[str]()
    large_waits, small_waits = threading.Event(), threading.Event()

    def take(name: str, pixels: int, started: threading.Event) -> None:
        started.set()
        with budget.of(pixels):
            order.append(name)

    with budget.of(60):
        large = threading.Thread(target=take, args=("large", 50, large_waits))
        large.start()
        large_waits.wait()
        time.sleep(0.05)
        small = threading.Thread(target=take, args=("small", 10, small_waits))
        small.start()
        small_waits.wait()
        time.sleep(0.05)
        assert order == []
    large.join(5)
    small.join(5)
    assert sorted(order) == ["large", "small"]


def test_what_an_error_held_is_given_back() -> None:
    budget = PixelBudget(100)
    with pytest.raises(ValueError, match="no picture"), budget.of(100):
        raise ValueError("no picture")
    with budget.of(100):
        pass


class Recorded(PixelBudget):
    """A budget that notes what was asked of it."""

    def __init__(self) -> None:
        super().__init__(10**9)
        self.asked: list[int] = []

    @contextmanager
    def of(self, pixels: int) -> Iterator[None]:
        self.asked.append(pixels)
        with super().of(pixels):
            yield


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> Recorded:
    budget = Recorded()
    monkeypatch.setattr(pixel_budget, "DECODING", budget)
    return budget


def test_everything_that_decodes_asks_the_budget(recorded: Recorded, tmp_path: Path) -> None:
    Image.new("L", (40, 30)).save(tmp_path / "a.png")
    path = tmp_path / "a.png"
    pictures.load(path)
    pictures.reduced(path, 8)
    pictures.load_at_least(path, (10, 10))
    pictures.check(path)
    pictures.values(path)
    assert recorded.asked == [1200] * 5
    pictures.size(path)
    pictures.quick_check(path)  # a PNG with its end is not decoded
    assert len(recorded.asked) == 5


def test_a_jpeg_at_an_eighth_counts_as_that_and_a_progressive_one_as_a_whole(
    recorded: Recorded, tmp_path: Path
) -> None:
    """160 x 80 px are 20 x 10 at an eighth; libjpeg keeps all coefficients of a progressive one."""
    for name, progressive in (("a.jpg", False), ("b.jpg", True)):
        Image.new("RGB", (160, 80)).save(tmp_path / name, progressive=progressive)
        pictures.check(tmp_path / name)
    assert recorded.asked == [200, 160 * 80]


@pytest.mark.parametrize("mode", ["RGB", "L", "P", "RGBA", "LA", "1", "I;16", "F", "clear"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_that_is_converted_in_strips_is_as_one_converted_whole(
    mode: str, orientation: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    random = np.random.default_rng(7)
    if mode == "clear":  # wholly transparent: its colours are shown
        picture = Image.fromarray(random.integers(0, 255, (23, 17, 4), np.uint8) * np.array([1, 1, 1, 0], np.uint8))
    elif mode == "F":
        picture = Image.fromarray(random.normal(size=(23, 17)).astype(np.float32))
    elif mode == "I;16":
        picture = Image.fromarray(random.integers(0, 65535, (23, 17), np.uint16))
    else:
        picture = Image.fromarray(random.integers(0, 255, (23, 17, 4), np.uint8)).convert(mode)
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / ("a.tif" if mode == "F" else "a.png")
    picture.save(path, exif=exif)
    whole = pictures.load(path)
    monkeypatch.setattr(rgb_pixels, "STRIP", 5 * 17)
    assert np.array_equal(pictures.load(path), whole)


def test_a_large_picture_is_reduced_in_strips_to_the_means_of_its_pixels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """64 x 64 squares of 8 px, to 64 px: each square becomes one pixel of its own grey."""
    squares = np.random.default_rng(1).integers(0, 255, (64, 64), np.uint8)
    Image.fromarray(squares.repeat(8, 0).repeat(8, 1)).save(tmp_path / "a.png")
    plain = pictures.reduced(tmp_path / "a.png", 64).astype(int)
    monkeypatch.setattr(rgb_pixels, "STRIP", 10_000)
    in_strips = pictures.reduced(tmp_path / "a.png", 64).astype(int)
    assert np.abs(in_strips - plain).max() <= 1


def oriented_png(place: str, text: bytes = b"") -> bytes:
    """A PNG of 30 x 20 px, to be turned by a quarter: its EXIF block or XMP stands before or behind the pixels."""
    buffer = io.BytesIO()
    Image.new("L", (30, 20)).save(buffer, "PNG")
    content = buffer.getvalue()
    exif = Image.Exif()
    exif[0x0112] = 6
    block = chunk(b"eXIf", exif.tobytes().removeprefix(b"Exif\0\0"))
    xmp = chunk(b"iTXt", b'XML:com.adobe.xmp\0\0\0\0\0<x tiff:Orientation="6"/>')
    made = {"before": block, "behind": block, "XMP behind": xmp}[place]
    at = content.index(b"IDAT") - 4 if place == "before" else content.index(b"IEND") - 4
    return content[:at] + made + content[at:]


@pytest.mark.parametrize("place", ["before", "behind", "XMP behind"])
def test_a_png_is_measured_without_being_decoded_wherever_its_exif_block_stands(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(oriented_png(place))
    assert pictures.load(path).shape == (30, 20, 3)
    with monkeypatch.context() as patch:
        real = PngImagePlugin.PngImageFile.load

        def load(self: PngImagePlugin.PngImageFile) -> object:
            assert self.size == (1, 1), "decoded"
            return real(self)

        patch.setattr(PngImagePlugin.PngImageFile, "load", load)
        assert pictures.size(path) == (20, 30)
        assert pictures.quick_check(path) == (20, 30)
        assert pictures.orientation(path) == 6
    assert pictures.load_at_least(path, (1, 1)).shape == (30, 20, 3)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="measures on Linux")
@sweep
def test_memory_of_large_pictures_goes_back_however_many_threads_there_are(tmp_path: Path) -> None:
    """Six threads, a dozen pictures of 40 megapixels, 160 MB each as Pillow keeps them."""
    buffer = io.BytesIO()
    Image.new("RGB", (8000, 5000)).save(buffer, "PNG", compress_level=1)
    (tmp_path / "a.png").write_bytes(buffer.getvalue())
    program = f"""
import resource
from concurrent.futures import ThreadPoolExecutor
from maskrcnn.annotations import pictures
from maskrcnn.annotations.picture_files.pixel_budget import DECODING
DECODING.most = 41_000_000
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
with ThreadPoolExecutor(6) as pool:
    list(pool.map(pictures.check, [{str(tmp_path / "a.png")!r}] * 12))
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120)
    # One at a time, and another that is about to be given back.
    assert int(done.stdout) < 2.5 * 160


# Pictures that cost more than their size says


def jpeg_of_scans(times: int) -> bytes:
    """A progressive JPEG whose last scan is there that many times."""
    buffer = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (32, 32, 3), np.uint8)).save(
        buffer, "JPEG", progressive=True
    )
    content = buffer.getvalue()
    last = content.rindex(b"\xff\xda")
    return content[:last] + content[last:-2] * times + content[-2:]


def tiff_of_tiles(side: int) -> bytes:
    """A TIFF of 16 x 16 px, 8 bits, packed by deflate, that says it is stored in tiles of that side."""
    tags = [(256, 4, 16), (257, 4, 16), (258, 3, 8), (259, 3, 8), (262, 3, 1), (277, 3, 1)]
    tags += [(322, 4, side), (323, 4, side), (324, 4, 200), (325, 4, 10)]
    entries = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(300)


def gif_of_a_frame(width: int, height: int) -> bytes:
    """A GIF of 1 x 1 px whose first frame is larger."""
    screen = b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0x80, 0, 0) + bytes(6)
    return screen + b"," + struct.pack("<HHHHB", 0, 0, width, height, 0) + b"\x02\x02\x44\x01\x00;"


COSTLY = {
    "a JPEG of thousands of scans": ("a.jpg", jpeg_of_scans(5000), "scans"),
    "a TIFF of one huge tile": ("a.tif", tiff_of_tiles(30_000), "tiles"),
    "a GIF whose frame is larger than its screen": ("a.gif", gif_of_a_frame(65_000, 65_000), "megapixels"),
}


@pytest.mark.parametrize("kind", COSTLY)
def test_a_small_picture_that_takes_long_is_refused(kind: str, tmp_path: Path) -> None:
    name, content, said = COSTLY[kind]
    (tmp_path / name).write_bytes(content)
    started = time.process_time()
    for decode in (pictures.check, pictures.load, lambda path: pictures.reduced(path, 64)):
        with pytest.raises(StudioError, match=said) as caught:
            decode(tmp_path / name)
        assert str(caught.value).startswith(f"{tmp_path / name}: ")
        assert "; " in str(caught.value)
    assert time.process_time() - started < 1


def test_an_ordinary_progressive_jpeg_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(jpeg_of_scans(1))
    assert pictures.load(tmp_path / "a.jpg").shape == (32, 32, 3)


# Pixels of a batch


def flat_png(width: int, height: int) -> bytes:
    """What a PNG of one grey is to somebody who reads its header and its end: its pixels are left out."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", bytes(1000)) + chunk(b"IEND", b"")


def noise_png(width: int, height: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (height, width), np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def zipped(*entries: tuple[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return buffer.getvalue()


def via(*names: str, embedded: bytes | None = None) -> bytes:
    """VIA 1.x labels: a circle on each picture, and the picture itself if given."""
    shape = {"name": "circle", "cx": 3, "cy": 2, "r": 1}
    region = {"shape_attributes": shape, "region_attributes": {"class": "leaf"}}
    images = {
        name: {
            "filename": name,
            "size": -1,
            "regions": {"0": region},
            "file_attributes": {},
            "base64_img_data": "" if embedded is None else base64.b64encode(embedded).decode(),
        }
        for name in names
    }
    return json.dumps(images).encode()


LARGE = [("a.png", flat_png(16_000, 10_000)), ("b.png", flat_png(16_000, 10_000))]
"""320 megapixels in 2 kB."""

BATCHES = {
    "uploads": LARGE,
    "a zip": [("set.zip", zipped(*LARGE))],
    "a zip of pictures that zeros make long": [
        ("set.zip", zipped(*((name, content + bytes(2_000_000)) for name, content in LARGE)))
    ],
    "with labels": [*LARGE, ("labels.json", via("a.png", "b.png"))],
    "inside a label file": [("labels.json", via("a.png", "b.png", embedded=LARGE[0][1]))],
    "masks": [("set.zip", zipped(("classes.json", b'{"classes": {"1": "car"}}'), *LARGE))],
    "a YOLO set": [
        (
            "set.zip",
            zipped(("data.yaml", b"names: [car]\ntrain: images\n"), *((f"images/{n}", c) for n, c in LARGE)),
        )
    ],
}


@pytest.mark.parametrize("kind", BATCHES)
def test_a_batch_of_small_files_that_are_large_pictures_is_refused_before_it_is_decoded(
    kind: str, recorded: Recorded, tmp_path: Path
) -> None:
    waiting = tmp_path / "waiting"
    with pytest.raises(StudioError, match=r"320 megapixels in 0\.0 MB, as no photos have; scale them down") as caught:
        stage_uploads(BATCHES[kind], base=waiting)
    assert str(caught.value).startswith(("the upload: ", "set.zip: ", "labels.json: "))
    assert recorded.asked == []
    assert list(waiting.iterdir()) == []


def test_so_is_a_folder_and_a_label_file_of_this_computer(recorded: Recorded, tmp_path: Path) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    for name, content in [*LARGE, ("labels.json", via("a.png", "b.png"))]:
        (folder / name).write_bytes(content)
    for place in (folder, folder / "labels.json"):
        with pytest.raises(StudioError, match="320 megapixels"):
            stage_path(place)
    assert recorded.asked == []


def test_two_large_flat_pictures_are_not_yet_too_much(tmp_path: Path) -> None:
    uploads = [("a.png", flat_png(14_000, 10_000)), ("b.png", flat_png(14_000, 10_000))]
    with stage_uploads(uploads, base=tmp_path) as staged:
        assert len(staged.dataset.images) == 2


def test_photos_may_have_any_number_of_pixels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Noise has a byte a pixel. Beside it the flat picture is allowed, alone it is not."""
    monkeypatch.setattr(picture_headers, "MOST_PIXELS", 10_000)
    photo, flat = ("a.png", noise_png(100, 200)), ("b.png", flat_png(1000, 1000))
    with stage_uploads([photo, flat], base=tmp_path) as staged:
        assert len(staged.dataset.images) == 2
    with pytest.raises(StudioError, match="1 megapixels"):
        stage_uploads([flat], base=tmp_path)


# Places that are no dataset


@pytest.mark.skipif(os.name != "posix", reason="the names of other systems")
@pytest.mark.parametrize(
    "place",
    [
        *("/", "//", "/..", "/proc", "/sys", "/dev", "/proc/self", "/proc/self/fd", "/proc/self/root", "~/..", "/usr"),
        *("/proc/self/root/proc", "/sys/kernel", "/proc/self/root/usr", "/proc/kmsg", "/proc/self/mem", "/proc/kcore"),
        *("link", "link/proc", "link/link/sys", "workspace", "above the workspace"),
    ],
)
def test_a_place_that_is_no_dataset_gets_one_line_soon(
    place: str, tmp_path: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "link").symlink_to("/")
    if place.startswith("link"):
        place = str(tmp_path / place.replace("link/link", f"link{tmp_path}/link"))
    elif "workspace" in place:
        monkeypatch.setenv("MASKRCNN_WORKSPACE", str(tmp_path / "all" / "mine"))
        (tmp_path / "all" / "mine").mkdir(parents=True)
        place = str(tmp_path / "all" / "mine" if place == "workspace" else tmp_path / "all")
    if not os.path.exists(os.path.expanduser(place)):
        pytest.skip("not on this machine")

    def stage() -> None:
        with pytest.raises(ArgumentError, match="give the folder of one dataset") as caught:
            stage_path(place, base=tmp_path / "waiting")
        assert "\n" not in str(caught.value)

    assert calls(stage) < 20_000  # it is refused by where it lies, not after a walk through it
    assert not (tmp_path / "waiting").exists()


def test_the_workspace_is_known_by_the_name_that_the_studio_gives_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert workspace_folder().resolve() == session.workspace()
    monkeypatch.delenv("MASKRCNN_WORKSPACE")
    assert workspace_folder() == ROOT / "workspace"


def test_a_project_of_the_workspace_is_a_dataset(workspace: Path, tmp_path: Path) -> None:
    (workspace / "mine").mkdir()
    (workspace / "mine" / "a.png").write_bytes(noise_png(8, 8))
    assert len(stage_path(workspace / "mine").dataset.images) == 1


@pytest.mark.parametrize("kind", ["files", "hidden files", "links", "folders"])
def test_a_folder_of_more_entries_than_the_limit(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refused_folders, "MOST_FILES", 50)
    for number in range(51):
        place = tmp_path / "set" / str(number % 3) / f"{'.' if kind == 'hidden files' else ''}{number}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        if kind == "links":
            place.symlink_to("/etc/hostname")
        elif kind == "folders":
            place.mkdir()
        else:
            place.touch()
    with pytest.raises(StudioError, match="holds more than 50 files; give the folder of one dataset"):
        stage_path(tmp_path / "set")


def test_a_folder_that_takes_too_long_to_look_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refused_folders, "MOST_SECONDS", -1.0)
    (tmp_path / "a.png").write_bytes(noise_png(8, 8))
    with pytest.raises(StudioError, match="to look through; give the folder of one dataset"):
        stage_path(tmp_path)


# Labels on one picture


def coco(count: int) -> bytes:
    annotation = b'{"image_id":1,"category_id":1,"bbox":[0,0,1,1]}'
    return (
        b'{"images":[{"id":1,"file_name":"a.png"}],"categories":[{"id":1,"name":"leaf"}],"annotations":['
        + b",".join([annotation] * count)
        + b"]}"
    )


def via2(count: int) -> bytes:
    region = b'{"shape_attributes":{"name":"point","cx":1,"cy":1},"region_attributes":{}}'
    return b'{"a.png1":{"filename":"a.png","size":1,"regions":[' + b",".join([region] * count) + b"]}}"


def via_csv(count: int) -> bytes:
    header = b"filename,file_size,file_attributes,region_count,region_id,region_shape_attributes,region_attributes\n"
    return header + b'a.png,1,{},1,0,"{""name"":""point"",""cx"":1,""cy"":1}",{}\n' * count


def labelme(count: int) -> bytes:
    shape = b'{"label":"leaf","points":[[1,1]],"shape_type":"point"}'
    return b'{"imagePath":"a.png","version":"5","shapes":[' + b",".join([shape] * count) + b"]}"


def via1(count: int) -> bytes:
    region = b'{"shape_attributes":{"name":"point","cx":1,"cy":1},"region_attributes":{}}'
    regions = b",".join(b'"%d":%b' % (number, region) for number in range(count))
    return b'{"a.png1":{"filename":"a.png","size":1,"base64_img_data":"","regions":{' + regions + b"}}}"


LABELS = {"COCO": coco, "VIA 2": via2, "VIA 1": via1, "labelme": labelme}


@contextmanager
def without_much_memory(most: int = 1_000_000_000) -> Iterator[None]:
    """The block may take that many bytes of addresses more than there are now."""
    resource = pytest.importorskip("resource")
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + most, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def require_refused(place: Path | list[tuple[str, bytes]], said: str, seconds: float, tmp_path: Path) -> None:
    started = time.process_time()
    stage = stage_path if isinstance(place, Path) else stage_uploads
    with pytest.raises(StudioError, match=said) as caught, without_much_memory():
        stage(place, base=tmp_path / "waiting")
    assert time.process_time() - started < seconds
    line = str(caught.value)
    assert len(line) < 300
    assert ": " in line
    assert "; " in line


@pytest.mark.parametrize("kind", one_in(3, [*LABELS, "VIA CSV"]))
def test_one_region_more_than_a_picture_may_have(kind: str, tmp_path: Path) -> None:
    name, make = ("labels.csv", via_csv) if kind == "VIA CSV" else ("labels.json", LABELS[kind])
    uploads = [("a.png", noise_png(8, 8)), (name, make(MOST_REGIONS + 1))]
    require_refused(
        uploads, f"labels.*more than {MOST_REGIONS} regions, which is the most for one picture; ", 3, tmp_path
    )
    with stage_uploads([uploads[0], (name, make(MOST_REGIONS))], base=tmp_path) as staged:
        assert staged.dataset.n_regions == MOST_REGIONS


@pytest.mark.parametrize(
    "kind", [*(pytest.param(kind, marks=sweep) for kind in LABELS if kind != "COCO"), "COCO", "VIA CSV"]
)
def test_a_million_regions_on_one_picture(kind: str, tmp_path: Path) -> None:
    name, make = ("labels.csv", via_csv) if kind == "VIA CSV" else ("labels.json", LABELS[kind])
    require_refused(
        [("a.png", noise_png(8, 8)), (name, make(1_000_000))], f"more than {MOST_REGIONS} regions", 15, tmp_path
    )


@pytest.mark.parametrize("row", [b"0 0.5 0.5 0.1 0.1\n", b"0 0.1 0.1 0.2 0.2 0.3 0.1\r\n"])
def test_a_million_rows_of_yolo(row: bytes, tmp_path: Path) -> None:
    for file, content in {
        "data.yaml": b"names: [car]\ntrain: images",
        "images/a.png": noise_png(8, 8),
        "labels/a.txt": row * (20_000_000 // len(row)),
    }.items():
        (tmp_path / "set" / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "set" / file).write_bytes(content)
    require_refused(tmp_path / "set", f"more than {MOST_REGIONS} regions", 3, tmp_path)


def mask_of(count: int) -> bytes:
    """A 16-bit mask with that many objects, each of 12 x 12 px."""
    side = int(np.ceil(np.sqrt(count + 1)))
    values = np.zeros(side * side, np.uint16)
    values[:count] = np.arange(1, count + 1)
    buffer = io.BytesIO()
    Image.fromarray(values.reshape(side, side).repeat(12, 0).repeat(12, 1)).save(buffer, "PNG")
    return buffer.getvalue()


def test_a_mask_of_too_many_objects(tmp_path: Path) -> None:
    for count in (MOST_REGIONS, MOST_REGIONS + 1):
        (tmp_path / str(count)).mkdir()
        (tmp_path / str(count) / "a.png").write_bytes(mask_of(count))
    started = time.process_time()
    assert read(tmp_path / str(MOST_REGIONS)).n_regions == MOST_REGIONS
    assert time.process_time() - started < 5  # one comparison of 3 megapixels for each would take a minute
    with pytest.raises(StudioError, match=f"a.png: the mask has more than {MOST_REGIONS} regions"):
        read(tmp_path / str(MOST_REGIONS + 1))


def test_a_mask_of_noise_is_refused_before_its_runs_are_sorted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mask_reading, "_MOST_RUNS", 100)
    noise = np.random.default_rng(0).integers(0, 9, (40, 40), np.uint8)
    with pytest.raises(StudioError, match="as noise has and no mask"):
        list(mask_reading._regions_of_mask(noise, None, 1000, Complaint("a.png", "the mask", "mend it")))


@pytest.mark.parametrize("seed", range(20))
def test_the_regions_of_a_mask_are_those_that_are_compared_one_by_one(seed: int) -> None:
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 4, (random.integers(1, 6), random.integers(1, 6))).astype(np.uint16)
    values = coarse.repeat(random.integers(1, 4), 0).repeat(random.integers(1, 4), 1)
    found = list(mask_reading._regions_of_mask(values, None, 1000, Complaint("a.png", "the mask", "mend it")))
    wanted = [raster.from_mask(values == value) for value in np.unique(values) if value > 0]
    assert [region.shape for region in found] == wanted


@pytest.mark.parametrize("seed", range(20))
def test_a_mask_of_labelme_is_placed_as_one_that_is_painted(seed: int) -> None:
    random = np.random.default_rng(seed)
    height, width = (int(side) for side in random.integers(1, 9, 2))
    y0, x0 = int(random.integers(0, height)), int(random.integers(0, width))
    inside = random.random((random.integers(1, height - y0 + 1), random.integers(1, width - x0 + 1))) < 0.6
    if seed % 5 == 0:  # runs that go on from one column to the next
        inside, y0 = np.ones((height, inside.shape[1]), bool), 0
    whole = np.zeros((height, width), bool)
    whole[y0 : y0 + inside.shape[0], x0 : x0 + inside.shape[1]] = inside
    assert reading._mask_in_picture(inside, x0, y0, height, width) == raster.from_mask(whole)


def test_no_runs_are_an_empty_mask() -> None:
    nothing = np.empty(0, np.int64)
    assert raster.from_runs(nothing, nothing, 3, 4) == raster.from_mask(np.zeros((3, 4), bool))


def masks_of_labelme(count: int, side: int, mask: bytes) -> bytes:
    entry = {"label": "leaf", "shape_type": "mask", "mask": base64.b64encode(mask).decode()}
    width, height = struct.unpack(">II", mask[16:24])
    entry["points"] = [[0, 0], [width - 1, height - 1]]
    document = {"imagePath": "a.png", "imageWidth": side, "imageHeight": side, "shapes": [entry] * count}
    return json.dumps(document).encode()


def test_small_masks_on_a_picture_that_is_said_to_be_huge_cost_what_they_are(tmp_path: Path) -> None:
    """2,000 masks of one pixel on 13,000 x 13,000 px: painted whole they would be 338 gigapixels."""
    (tmp_path / "a.json").write_bytes(masks_of_labelme(2000, 13_000, noise_png(1, 1)))
    started = time.process_time()
    assert read(tmp_path / "a.json").n_regions == 2000
    assert time.process_time() - started < 3


def test_masks_of_too_many_pixels_on_one_picture(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(masks_of_labelme(3, 12_000, flat_png(12_000, 12_000)))
    (tmp_path / "a.png").write_bytes(noise_png(8, 8))
    with pytest.raises(StudioError, match="masks of more than 400 megapixels together"):
        read(tmp_path / "a.json")


# Label files


def test_a_label_file_of_empty_groups_is_refused_before_it_fills_the_memory(tmp_path: Path) -> None:
    """30 MB of `{},` are two gigabytes as objects."""
    content = b'{"images":[],"annotations":[' + b",".join([b"{}"] * 10_000_000) + b"]}"
    require_refused([("labels.json", content)], "labels.json: holds more than 8000000 lists and groups", 3, tmp_path)


DAMAGED = {
    "200,000 brackets": b"[" * 200_000,
    "200,000 braces": b'{"a":' * 200_000,
    "a list of labels 200,000 deep": b'{"images":[],"annotations":' + b"[" * 200_000,
    "NUL bytes": bytes(1000),
    "NUL bytes after labels": via("a.png") + bytes(100),
    "half a megabyte of digits": b'{"images":[],"annotations":' + b"9" * 500_000 + b"}",
}


@pytest.mark.parametrize("kind", DAMAGED)
@pytest.mark.parametrize("suffix", [".json", ".csv"])
def test_a_damaged_label_file(kind: str, suffix: str, tmp_path: Path) -> None:
    uploads = [("a.png", noise_png(8, 8)), (f"labels{suffix}", DAMAGED[kind])]
    require_refused(uploads, f"labels{suffix}: ", 3, tmp_path)


def test_a_label_file_of_a_gigabyte_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "labels.json").open("wb") as file:
        file.truncate(1_000_000_000)
    require_refused(tmp_path / "labels.json", "labels.json: 1.0 GB are too much", 1, tmp_path)


PIPES = ("labels.json", "labels.csv", "data.yaml", "classes.json", "classes.txt", "a.png", "a.txt", "project.db")


@pytest.mark.parametrize("name", PIPES)
def test_a_pipe_among_the_files_keeps_nobody_waiting(name: str, tmp_path: Path) -> None:
    """Beside files that make each reader look: another YAML file, and masks."""
    (tmp_path / "b.yaml").write_text("nothing: 1")
    (tmp_path / "b.png").write_bytes(mask_of(3))
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "b.jpg").write_bytes(noise_png(16, 16))
    os.mkfifo(tmp_path / name)
    done = threading.Event()

    def stage() -> None:
        stage_path(tmp_path)
        done.set()

    threading.Thread(target=stage, daemon=True).start()
    assert done.wait(10)


# Files outside


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A picture, and labels, of the person who opens what a stranger made."""
    folder = tmp_path / "private"
    folder.mkdir()
    (folder / "diary.png").write_bytes(noise_png(8, 8))
    (folder / "diary.txt").write_text("0 0.5 0.5 0.1 0.1")
    (folder / "classes.txt").write_text("a secret")
    (folder / "data.yaml").write_text("names: [a secret]\ntrain: .")
    return folder


@pytest.fixture
def given(tmp_path: Path) -> Path:
    folder = tmp_path / "given"
    folder.mkdir()
    (folder / "mine.png").write_bytes(noise_png(9, 9))
    return folder


def require_nothing_of(secret: Path, place: Path) -> None:
    """Neither the studio nor the command line finds a picture, or a word, of that folder."""
    for open_it in (stage_path, read):
        said = ""
        try:
            found = open_it(place)
        except StudioError as error:
            found, said = Dataset(()), str(error)
        assert "a secret" not in said
        dataset = found if isinstance(found, Dataset) else found.dataset
        assert "a secret" not in dataset.classes
        for record in dataset.images:
            if record.path is not None:
                assert not os.path.realpath(record.path).startswith(str(secret))


WAYS_OUT = ("{secret}/diary.png", "../private/diary.png", "images/../../private/diary.png", "file://{secret}/diary.png")


@pytest.mark.parametrize("name", WAYS_OUT)
@pytest.mark.parametrize("kind", ["coco", "via", "labelme"])
def test_a_picture_that_a_label_file_names_outside_is_not_taken(
    name: str, kind: str, secret: Path, given: Path
) -> None:
    name = name.format(secret=secret)
    if kind == "coco":
        content = coco(1).replace(b'"a.png"', json.dumps(name).encode())
    else:
        content = via(name) if kind == "via" else labelme(1).replace(b'"a.png"', json.dumps(name).encode())
    (given / "labels.json").write_bytes(content)
    require_nothing_of(secret, given)
    require_nothing_of(secret, given / "labels.json")


@pytest.mark.parametrize("link", ["a picture", "a folder", "a folder in COCO's layout"])
def test_a_link_to_a_picture_outside_is_not_followed(link: str, secret: Path, given: Path) -> None:
    labels = given / "labels.json"
    if link == "a picture":
        (given / "a.png").symlink_to(secret / "diary.png")
        name = "a.png"
    else:
        name = "diary.png"
        (given / ("images" if link == "a folder" else "val2017")).symlink_to(secret)
        if "COCO" in link:
            (given / "annotations").mkdir()
            labels = given / "annotations" / "instances_val2017.json"
    labels.write_bytes(via(name))
    require_nothing_of(secret, given)
    require_nothing_of(secret, labels)
    [record] = read(labels, secret).images  # the person names the folder, so its pictures are meant
    assert (record.path is None) == (link == "a picture")


SETS = {
    "names a folder outside": {"data.yaml": "names: [car]\ntrain: {secret}"},
    "names a folder above": {"data.yaml": "names: [car]\npath: ../private\ntrain: ."},
    "names a list of pictures outside": {"data.yaml": "names: [car]\ntrain: {secret}/list.txt"},
    "has its pictures in a folder that is a link": {"data.yaml": "names: [car]\ntrain: images", "images": "->"},
    "has its labels in a folder that is a link": {
        "data.yaml": "names: [car]\ntrain: images",
        "images/diary.png": "a picture",
        "labels": "->",
    },
    "has a picture that is a link": {
        "data.yaml": "names: [car]\ntrain: images",
        "images/diary.png": "->",
        "labels/diary.txt": "0 0.5 0.5 0.1 0.1",
    },
    "has its settings in a link": {"data.yaml": "->", "a.png": "a picture"},
}


@pytest.mark.parametrize("kind", SETS)
def test_a_yolo_set_that_leads_outside(kind: str, secret: Path, given: Path) -> None:
    for name, content in SETS[kind].items():
        place = given / name
        place.parent.mkdir(exist_ok=True)
        if content == "->":
            place.symlink_to(secret if not place.suffix else secret / place.name)
        elif content == "a picture":
            place.write_bytes(noise_png(8, 8))
        else:
            place.write_text(content.format(secret=secret))
    require_nothing_of(secret, given)
    if kind == "has its labels in a folder that is a link":
        with pytest.raises(StudioError):
            read(given)


@pytest.mark.parametrize("kind", ["a mask", "a picture", "the classes", "a folder of pictures"])
def test_a_folder_of_masks_that_leads_outside(kind: str, secret: Path, given: Path) -> None:
    (given / "mine.png").write_bytes(mask_of(3))
    if kind == "a mask":
        (secret / "diary.png").write_bytes(mask_of(2))
        (given / "diary.png").symlink_to(secret / "diary.png")
    elif kind == "a picture":
        (given / "images").mkdir()
        (given / "images" / "mine.png").symlink_to(secret / "diary.png")
    elif kind == "the classes":
        (given / "classes.txt").symlink_to(secret / "classes.txt")
    else:
        (secret / "mine.png").write_bytes(noise_png(24, 24))
        (given / "images").symlink_to(secret)
    require_nothing_of(secret, given)


def test_an_ordinary_link_inside_the_set_is_followed(given: Path) -> None:
    (given / "a.png").symlink_to(given / "mine.png")
    (given / "labels.json").write_bytes(via("a.png"))
    [record] = read(given / "labels.json").images
    assert record.path == given / "a.png"
    assert picture_folders.find_pictures(["a.png"], given / "labels.json").paths == (given / "a.png",)
