"""How a model is opened: the options that `Model.open`, `edgeinfer.open` and the commands share."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields

from edgeinfer.boards.schema import build
from edgeinfer.device.core.errors import UsageError
from edgeinfer.device.pictures.model_image import CropPolicy, InputChannels
from edgeinfer.device.pictures.region import Region, Tiles, check_tiles, millionths, region_text
from edgeinfer.device.runtime.delegates.request import DelegateRequest
from edgeinfer.device.runtime.runner import RuntimeName

_AS_TEXT = ("input_range", "channels", "crop", "task", "signature")


@dataclass(frozen=True, kw_only=True)
class AnswerOptions:
    """What the user says about the answers of a model; see `OpenOptions`."""

    unit: str | None = None
    min_score: float | None = None
    iou: float | None = None

    @property
    def given(self) -> tuple[str, ...]:
        """The names of those that are given."""
        return tuple(field.name for field in fields(self) if getattr(self, field.name) is not None)


@dataclass(frozen=True, kw_only=True)
class OpenOptions:
    """How to open a model, for `Model.open` and `edgeinfer.open`.

    Without any options the best variant of the bundle runs that works on this machine.

    Examples:
        >>> options = edgeinfer.OpenOptions(threads=4)
        >>> model = edgeinfer.Model.open("photos.edgebundle", options)

    Attributes:
        threads: how many CPU threads one inference uses. None is 1 for `Model.open`, and the number
            that suits the board for `edgeinfer.open`.
        runtime: which runtime to use: "ai-edge-litert" or "tflite-runtime". None takes the first of
            the two that is installed.
        labels: the names of the classes of a plain `.tflite`, in the order of its output. None
            takes the names in the file. Not for a bundle, which has its own names.
        delegates: which accelerator to use. By default the best one that works.
        substitute: whether the CPU answers while an accelerator is restarted or lost.
        input_range: the range of the pixels that a plain `.tflite` takes: "0..255", "0..1",
            "-1..1", or "imagenet" for ImageNet's mean and deviation. None takes what the file
            states; if it states nothing, the model is not opened. Not for a bundle.
        mean: instead of `input_range`: the input of the model is (pixel - mean) / std, with pixels
            from 0 to 255. One number, or one each for red, green and blue.
        std: see `mean`.
        channels: the colour channels of the input of a plain `.tflite` and their order: "rgb",
            "bgr", "grey", or "rgba" with a fourth channel that is always 255. None is "rgb", or
            "grey" for one channel. Not for a bundle.
        crop: what happens to pictures of another aspect ratio: "stretch", "center-crop" or
            "letterbox", see `PreprocessSpec`. None takes what models of its form take. Not for a
            bundle.
        task: what a plain `.tflite` predicts, such as "value", if it cannot be found out from the
            file. Not for a bundle.
        input_size: (width, height) in pixels of the input of a plain `.tflite` that takes pictures
            of any size. None takes what the exporter of the file states; if it states nothing, the
            model is not opened. Not for a bundle.
        signature: which signature of a plain `.tflite` runs, if it has several. Not for a bundle.
        region: the part of each picture that the model sees: (x, y, width, height) in ratios of its
            width and height, from 0 to 1, such as (0.5, 0, 0.5, 1) for the right half. Of a bundle
            it takes the place of the bundle's own. None takes that, or the whole picture.
        tiles: (columns, rows) of the overlapping tiles that each picture, or its region, is cut
            into, such as (2, 2): a detector answers each, and what it finds is put together, so
            that it sees small things in large pictures. Up to 8 a side. An answer takes as many
            times as long as there are tiles. None answers pictures whole.
        unit: the unit of a model of task "value". Of several values it is the unit of all, or with
            commas between them that of each, such as "deg,%".
        min_score: objects, people, and classes that do not exclude each other, are left out if they
            score less, 0 to 1. None takes what the
            model states.
        iou: of objects of one class that overlap more, only the one with the highest score is
            kept, 0 to 1. Only for models that leave this to the program.
        trust: whether to run a model with operators that edgeinfer cannot check for safety. Use it
            only for models from people you trust.
    """

    threads: int | None = None
    runtime: RuntimeName | None = None
    labels: tuple[str, ...] | None = None
    delegates: DelegateRequest = field(default_factory=DelegateRequest)
    substitute: bool = True
    input_range: str | None = None
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    channels: InputChannels | None = None
    crop: CropPolicy | None = None
    task: str | None = None
    input_size: tuple[int, int] | None = None
    signature: str | None = None
    region: Region | None = None
    tiles: Tiles | None = None
    unit: str | None = None
    min_score: float | None = None
    iou: float | None = None
    trust: bool = False

    def __post_init__(self) -> None:
        """Refuse shares that are none, a region outside the picture, and impossible tiles.

        Raises:
            UsageError: names the option.
        """
        for name in ("min_score", "iou"):
            value = getattr(self, name)
            if value is not None and not 0 <= value <= 1:
                raise UsageError(name, got=str(value), expected="a number from 0 to 1")
        if self.region is not None:
            try:
                millionths(self.region)
            except ValueError as error:
                raise UsageError("region", got=str(error)) from error
        if self.tiles is not None:
            try:
                check_tiles(self.tiles)
            except ValueError as error:
                raise UsageError("tiles", got=str(error)) from error

    @property
    def thread_count(self) -> int:
        """The number of CPU threads of a model that is opened without a camera."""
        return self.threads or 1

    @property
    def answer(self) -> AnswerOptions:
        """What is said about the answers."""
        return AnswerOptions(unit=self.unit, min_score=self.min_score, iou=self.iou)

    def to_arguments(self) -> list[str]:
        """Return the commands' options that ask for the same; not threads, runtime and labels."""
        arguments = ["--trust"] if self.trust else []
        if self.input_size is not None:
            arguments.append("--input-size={}x{}".format(*self.input_size))
        if self.region is not None:
            arguments.append(f"--region={region_text(self.region)}")
        if self.tiles is not None:
            arguments.append("--tiles={}x{}".format(*self.tiles))
        for name in (*_AS_TEXT, "unit", "min_score", "iou"):
            value = getattr(self, name)
            if value is not None:
                arguments.append(f"--{name.replace('_', '-')}={value}")
        for name in ("mean", "std"):
            numbers = getattr(self, name)
            if numbers is not None:
                arguments.append(f"--{name}={','.join(map(repr, numbers))}")
        return [*arguments, *self.delegates.to_arguments()]

    def to_json(self) -> str:
        """Return the options as text, for another process."""
        return json.dumps(asdict(self))

    @staticmethod
    def from_json(text: str) -> OpenOptions:
        """Return the options that `to_json` wrote."""
        return build(OpenOptions, json.loads(text))


def checked_options(options: OpenOptions | None) -> OpenOptions:
    """Return the options, or the default; callers without a type checker may give anything.

    Raises:
        UsageError: they are something else.
    """
    if options is None:
        return OpenOptions()
    if not isinstance(options, OpenOptions):
        raise UsageError(
            "options",
            got=f"is of type {type(options).__name__}",
            expected="edgeinfer.OpenOptions",
            next_step="such as OpenOptions(threads=2)",
        )
    return options
