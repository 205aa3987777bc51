"""`Model.predict` takes pictures in every form that Python programs have, or says why not."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from edgeinfer.device.core.errors import EdgeinferError, ImageError, ModelError, UsageError
from edgeinfer.device.models.model import Model
from edgeinfer.device.pictures.decode import encode_png
from edgeinfer.device.tasks.classification.prediction import Classification

RNG = np.random.default_rng(7)
RGB = RNG.integers(0, 256, (30, 40, 3), np.uint8)
GREY = RNG.integers(0, 256, (30, 40), np.uint8)
RGBA = RNG.integers(0, 256, (30, 40, 4), np.uint8)


@pytest.fixture(scope="module")
def model(sample_bundle: Path) -> Iterator[Model]:
    with Model.open(sample_bundle) as opened:
        yield opened


def answer(model: Model, picture: Any, **options: Any) -> list[float]:
    prediction = model.predict(picture, **options)
    assert isinstance(prediction, Classification)
    return [float(p) for p in prediction.probabilities]


def png(pixels: np.ndarray[Any, Any]) -> bytes:
    """Encode RGB or RGBA, which OpenCV wants the other way round."""
    order = [2, 1, 0, 3][: pixels.shape[2]]
    done, encoded = cv2.imencode(".png", np.ascontiguousarray(pixels[..., order]))
    assert done
    return encoded.tobytes()


def test_one_picture_in_every_form(model: Model, tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    path.write_bytes(encode_png(RGB))
    expected = answer(model, RGB)
    wide = np.zeros((60, 80, 3), np.uint8)
    wide[::2, ::2] = RGB
    forms: dict[str, Any] = {
        "path as text": str(path),
        "Path": path,
        "bytes": path.read_bytes(),
        "bytearray": bytearray(path.read_bytes()),
        "memoryview": memoryview(path.read_bytes()),
        "PIL": Image.fromarray(RGB),
        "PIL, opened": Image.open(path),
        "with gaps": wide[::2, ::2],
        "in Fortran's order": np.asfortranarray(RGB),
        "backwards": RGB[::-1, ::-1].copy()[::-1, ::-1],
        "read only": np.frombuffer(RGB.tobytes(), np.uint8).reshape(RGB.shape),
    }
    for name, picture in forms.items():
        assert answer(model, picture) == expected, name
    assert answer(model, RGB[..., ::-1], order="bgr") == expected
    assert answer(model, np.ascontiguousarray(RGB[..., ::-1]), order="bgr") == expected


def test_grey(model: Model) -> None:
    expected = answer(model, np.repeat(GREY[..., None], 3, axis=2))
    for picture in (GREY, GREY[..., None], Image.fromarray(GREY), GREY.T.copy().T):
        assert answer(model, picture) == expected
    assert answer(model, GREY, order="bgr") == expected


def test_what_is_transparent_becomes_white(model: Model) -> None:
    alpha = RGBA[..., 3:].astype(float) / 255
    white = np.rint(RGBA[..., :3] * alpha + 255 * (1 - alpha)).astype(np.uint8)
    expected = answer(model, RGBA)
    assert np.abs(np.subtract(expected, answer(model, white))).max() < 0.05
    for picture in (png(RGBA), Image.fromarray(RGBA)):
        assert answer(model, picture) == expected
    assert answer(model, RGBA[..., [2, 1, 0, 3]], order="bgr") == expected
    clear = np.zeros((8, 8, 4), np.uint8)
    assert answer(model, clear) == answer(model, np.full((8, 8, 3), 255, np.uint8))


@pytest.mark.parametrize(
    ("mode", "same"),
    [("1", True), ("L", True), ("P", True), ("LA", True), ("RGBX", True), ("I;16", True)],
)
def test_pillows_modes_are_those_of_their_files(model: Model, mode: str, same: bool) -> None:
    if mode == "I;16":
        picture = Image.fromarray(GREY.astype(np.uint16) * 257)
    elif mode == "LA":
        picture = Image.fromarray(RGBA).convert("LA")
    else:
        picture = Image.fromarray(GREY if mode in "1LP" else RGB).convert(mode)
    assert picture.mode == mode
    stored = io.BytesIO()
    (picture.convert("RGB") if mode == "RGBX" else picture).save(stored, "PNG")
    assert (answer(model, picture) == answer(model, stored.getvalue())) is same


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_turns_pillows_pictures_as_it_turns_files(model: Model, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    for kind in ("PNG", "TIFF"):
        stored = io.BytesIO()
        Image.fromarray(RGB).save(stored, kind, exif=exif)
        picture = Image.open(io.BytesIO(stored.getvalue()))
        assert answer(model, picture) == answer(model, stored.getvalue()), kind


def closed_file() -> Any:
    file = io.BytesIO(encode_png(RGB))
    file.close()
    return file


def closed_pillow() -> Image.Image:
    picture = Image.open(io.BytesIO(encode_png(RGB)))
    picture.close()
    return picture


def cut_pillow() -> Image.Image:
    return Image.open(io.BytesIO(encode_png(RGB)[:-400]))


class Faulty:
    """Such as a tensor in the memory of a GPU."""

    def __array__(self, dtype: object = None, copy: object = None) -> Any:
        raise TypeError("can't convert cuda:0 device type tensor to numpy")


WRONG: dict[str, tuple[Callable[[], Any], str]] = {
    "None": (lambda: None, "is None, expected a path, the bytes"),
    "number": (lambda: 5, "is an int, expected a path"),
    "list": (lambda: [[1, 2], [3, 4]], "is a list, expected a path"),
    "open file": (lambda: io.BytesIO(encode_png(RGB)), "is an open file, .*its path or its bytes"),
    "closed file": (closed_file, "is a closed file, .*its path or its bytes"),
    "empty bytes": (lambda: b"", "is empty, expected an image"),
    "other bytes": (lambda: b"hello, world", "expected JPEG, PNG"),
    "truncated bytes": (lambda: encode_png(RGB)[:50], "^picture: "),
    "empty text": (lambda: "", "path: is empty, expected the path of an image file"),
    "NUL in a path": (lambda: "a\0b", r"^a\\x00b: cannot be read"),
    "absent": (lambda: Path("/nowhere/picture.jpg"), "does not exist"),
    "folder": (lambda: Path("/"), "is a folder, expected an image file"),
    "a scalar": (lambda: np.uint8(3), r"is an array of shape \(\), expected \(height, width\)"),
    "one row": (lambda: RGB[0, :, 0], r"is an array of shape \(40,\)"),
    "batch": (lambda: RGB[None], r"shape \(1, 30, 40, 3\), .*one picture at a time.*pixels\[0\]"),
    "channels first": (lambda: RGB.transpose(2, 0, 1), r"transpose\(1, 2, 0\)"),
    "two channels": (lambda: RGB[..., :2], r"shape \(30, 40, 2\), expected \(height, width\)"),
    "five channels": (lambda: np.zeros((4, 4, 5), np.uint8), r"shape \(4, 4, 5\)"),
    "no rows": (lambda: RGB[:0], r"shape \(0, 40, 3\), expected 1 pixel or more"),
    "no channels": (lambda: RGB[..., :0], r"shape \(30, 40, 0\)"),
    "float": (lambda: RGB / 255, r"is an array of float64, expected uint8.*\* 255"),
    "float32": (lambda: RGB.astype(np.float32), "is an array of float32, expected uint8"),
    "16 bits": (lambda: RGB.astype(np.uint16), "is an array of uint16, expected uint8.*// 257"),
    "int64": (lambda: RGB.astype(np.int64), "is an array of int64, expected uint8"),
    "int8": (lambda: RGB.astype(np.int8), "is an array of int8, expected uint8"),
    "bool": (lambda: RGB > 3, "is an array of bool, expected uint8"),
    "objects": (lambda: RGB.astype(object), "is an array of object, expected uint8"),
    "text": (lambda: np.array([["a"]]), "is an array of <U1, expected uint8"),
    "GPU": (Faulty, "is a Faulty that does not become an array .*cuda:0"),
    "PIL, closed": (closed_pillow, "is a PIL picture that cannot be read"),
    "PIL, truncated": (cut_pillow, "is a PIL picture that cannot be read"),
    "PIL, float": (lambda: Image.fromarray(RGB[..., 0].astype(np.float32)), "of mode F, whose"),
    "PIL, 32 bits": (lambda: Image.fromarray(RGB[..., 0].astype(np.int32)), "of mode I, whose"),
    "PIL, empty": (lambda: Image.new("RGB", (0, 0)), "expected 1 pixel or more"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_not_a_picture_is_refused_in_one_sentence(model: Model, case: str) -> None:
    make, message = WRONG[case]
    with pytest.raises(ImageError, match=message) as caught:
        model.predict(make())
    assert "\n" not in str(caught.value)
    assert caught.value.subject
    assert caught.value.got


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"order": "gbr"}, "order: is 'gbr', expected 'rgb' or 'bgr'"),
        ({"order": None}, "order: is None, expected 'rgb' or 'bgr'"),
        ({"size": (0, 5)}, r"size: is \(0, 5\), expected \(width, height\)"),
        ({"size": 5}, r"size: is 5, expected \(width, height\)"),
        ({"size": (1, 2, 3)}, r"size: is \(1, 2, 3\), expected"),
    ],
)
def test_impossible_options_are_refused(
    model: Model, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        model.predict(RGB, **options)


@pytest.mark.parametrize("options", [{"order": "bgr"}, {"size": (40, 30)}])
def test_options_that_a_file_would_ignore_are_refused(
    model: Model, options: dict[str, Any]
) -> None:
    (name,) = options
    with pytest.raises(UsageError, match=f"{name}: is given for a file, which knows its own"):
        model.predict(encode_png(RGB), **options)
    with pytest.raises(UsageError, match=f"{name}: is given for a PIL picture"):
        model.predict(Image.fromarray(RGB), **options)


@pytest.mark.parametrize("path", [None, 5, b"model.edgebundle", ""])
def test_what_is_not_the_path_of_a_model_is_refused(path: Any) -> None:
    with pytest.raises(ModelError, match=r"path: is .*, expected the path of a model file"):
        Model.open(path)


def test_options_of_another_kind_are_refused(sample_bundle: Path) -> None:
    with pytest.raises(UsageError, match=r"options: is of type str, expected edgeinfer\.OpenOp"):
        Model.open(sample_bundle, "cpu")  # type: ignore[arg-type]


def test_a_model_is_closed_twice_and_refuses_to_be_used(sample_bundle: Path) -> None:
    model = Model.open(sample_bundle)
    tensor = model.preprocessor.tensor(RGB)
    model.close()
    model.close()
    uses: tuple[Callable[[], object], ...] = (
        lambda: model.predict(RGB),
        lambda: model.predict(None),  # type: ignore[arg-type]
        lambda: model.infer(tensor),
        model.golden_frames,
    )
    for use in uses:
        with pytest.raises(ModelError, match="fashion-mnist: is closed; open it again with"):
            use()


def test_several_threads_share_a_model(sample_bundle: Path) -> None:
    pictures = [RNG.integers(0, 256, (28, 28), np.uint8) for _ in range(8)]
    with Model.open(sample_bundle) as model:
        expected = [answer(model, picture) for picture in pictures]
        ready = threading.Barrier(len(pictures))
        wrong: list[object] = []

        def ask(number: int) -> None:
            ready.wait()
            try:
                for _ in range(300):
                    if answer(model, pictures[number]) != expected[number]:
                        wrong.append(number)
            except EdgeinferError as error:
                wrong.append(error)

        threads = [threading.Thread(target=ask, args=(i,)) for i in range(len(pictures))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert wrong == []
