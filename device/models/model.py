"""Model: a bundle or a plain `.tflite`, ready to answer."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.core.closing import Closing
from edgeinfer.device.core.errors import ImageError, ModelError
from edgeinfer.device.core.model_file import is_bundle, read_model_file
from edgeinfer.device.core.paths import AnyPath, file_path
from edgeinfer.device.models.open_runner import open_plain, open_variant
from edgeinfer.device.models.tiled import make_preprocessor, tiled_spec
from edgeinfer.device.pictures.any_picture import Picture, PixelOrder, take_picture
from edgeinfer.device.pictures.frame import Frame
from edgeinfer.device.pictures.pixel_formats import JpegReduction, Pixels
from edgeinfer.device.pictures.region import Region, of_picture
from edgeinfer.device.preprocess import Preprocessor, PreprocessSpec
from edgeinfer.device.runtime.choose import spread
from edgeinfer.device.runtime.open_options import OpenOptions, checked_options
from edgeinfer.device.runtime.runner import ModelRunner
from edgeinfer.device.tasks.prediction import Prediction
from edgeinfer.device.tasks.registry import find_task, make_decode
from edgeinfer.device.tasks.task import Decode, Said

if TYPE_CHECKING:
    from edgeinfer.device.models.bundle.reader import ModelBundle
    from edgeinfer.device.runtime.choose import Choice


class Model(Closing):
    """An open model that answers pictures. Make one with `Model.open` and call `predict`.

    Several threads may use one model: they take turns. To compute at the same time, open one model
    for each thread. Close the model with `close`, or use a `with` block.

    Examples:
        >>> with edgeinfer.Model.open("photos.edgebundle") as model:
        ...     print(model.predict("picture.jpg").text())
        cat 98.1%

    Attributes:
        name: the name of the model.
        labels: the names of the classes, in the order of the model's output. Empty for a model that
            predicts a value or an embedding.
        task: what the model predicts: "classification", "value", "detection", "segmentation",
            "pose" or "embedding", or a task of another package.
        notes: what edgeinfer had to guess about a plain `.tflite`, and what is unusual about how
            the model runs, one sentence each.
        preprocessor: prepares frames for the model; its `spec` is a `PreprocessSpec`.
        runner: the runtime with the loaded model; its `inputs` and `outputs` describe the tensors.
        said: the description of the model's output, as the bundle stores it.
        choice: which variant of the bundle runs, and why. None for a plain `.tflite` on the CPU.
    """

    def __init__(
        self,
        *,
        name: str,
        labels: tuple[str, ...],
        preprocessor: Preprocessor,
        runner: ModelRunner,
        decode: Decode,
        task: str = "classification",
        said: Said | None = None,
        notes: tuple[str, ...] = (),
        bundle: ModelBundle | None = None,
        choice: Choice | None = None,
    ) -> None:
        self.name = name
        self.labels = labels
        self.preprocessor = preprocessor
        self.runner = runner
        self.task = task
        self.said = said or Said(labels=labels)
        self.notes = notes
        self._decode = decode
        self._bundle = bundle
        self._closed = False
        self.choice = choice

    @staticmethod
    def open(path: AnyPath, options: OpenOptions | None = None) -> Model:
        """Open a model file: a `.edgebundle`, or a plain `.tflite` image model.

        Examples:
            >>> options = edgeinfer.OpenOptions(threads=2)
            >>> model = edgeinfer.Model.open("photos.edgebundle", options)

        Args:
            path: path of the model file.
            options: how to open the model. By default the best variant of the bundle that works
                here, with one thread.

        Returns:
            The open model.

        Raises:
            BundleError: the bundle is damaged, or of a version that is not supported.
            DelegateError: `options` require an accelerator that does not work.
            ModelError: the file is missing, is not a model, or does something that is not known.
            MissingExtraError: no runtime is installed.
            UsageError: `options` is not an `OpenOptions`, or has something that does not fit the
                model, such as labels for a bundle.
        """
        path = Path(file_path(path, error=ModelError, expected="the path of a model file"))
        options = checked_options(options)
        if is_bundle(path):
            return _open_bundle(path, options)
        from edgeinfer.device.models.plain_content import plain_content
        from edgeinfer.device.models.plain_tflite import describe_plain

        content = read_model_file(path)
        running, graph = plain_content(content, options, subject=str(path))
        runner, choice = open_plain(running, options, subject=str(path), graph=graph)
        try:
            plain = describe_plain(
                content, runner.graph, runner.inputs, runner.outputs, options, subject=str(path)
            )
            spec = tiled_spec(plain.preprocess, options.tiles, task=plain.task, said=plain.said)
            preprocessor = _preprocessor(spec, runner, path)
            decode = make_decode(plain.task, plain.said, runner.outputs, spec)
        except BaseException:
            runner.close()
            raise
        return Model(
            name=path.stem,
            labels=plain.said.labels,
            preprocessor=preprocessor,
            runner=runner,
            choice=choice,
            decode=decode,
            task=plain.task,
            said=plain.said,
            notes=(*plain.notes, *_notes(runner)),
        )

    @property
    def region(self) -> Region | None:
        """The part of each picture that the model sees, see `PreprocessSpec`; None for all."""
        return self.preprocessor.spec.region

    def prepare(
        self, frame: Frame, *, out: NDArray[np.generic] | None = None
    ) -> NDArray[np.generic]:
        """Return the input tensor for a frame: cropped, resized, normalized and quantized.

        `predict` does this by itself. With `prepare` and `infer` the two steps can be timed, or run
        in different threads.

        Args:
            frame: a frame in any format.
            out: an array to write the tensor into. By default a new array.

        Returns:
            The tensor, (1, height, width, channels), in the dtype of the model's input. Of a model
                that was opened with tiles as many, (tiles, 1, height, width, channels).

        Raises:
            ImageError: the frame is a JPEG that cannot be decoded, or too small for the region.
        """
        if frame.format == "jpeg":
            from edgeinfer.device.preprocess.jpeg_reduction import decode_for

            decoded = decode_for(self.preprocessor.spec, frame.pixels)
            return self.preprocessor.tensor(decoded, "bgr", out=out)
        return self.preprocessor.tensor(frame.pixels, frame.format, out=out)

    def infer(self, tensor: NDArray[np.generic]) -> Prediction:
        """Return the prediction for an input tensor that `prepare` made.

        Boxes and keypoints are measured in pixels of the model's input. Call
        `prediction.in_frame(frame.size)` to get them in pixels of the frame, and the objects of a
        frame's tiles put together.

        Args:
            tensor: what `prepare` returned, in the dtype of the model's input.

        Raises:
            DelegateError: the accelerator was lost and nothing can take its place.
            ModelError: the model is closed, or the runtime failed.
        """
        self._require_open()
        answers = [
            self._decode(self.runner.invoke([one])) for one in self.preprocessor.inputs(tensor)
        ]
        if len(answers) == 1:
            return answers[0]
        from edgeinfer.device.tasks.detection.tiles import answered_tiles

        return answered_tiles(answers, self.preprocessor.spec.parts)

    def predict(
        self,
        picture: Picture,
        *,
        order: PixelOrder = "rgb",
        size: tuple[int, int] | None = None,
    ) -> Prediction:
        """Return the prediction for a picture.

        The model crops, resizes and normalizes the picture by itself. Boxes and keypoints are
        measured in pixels of the picture.

        Examples:
            >>> prediction = model.predict("picture.jpg")
            >>> prediction = model.predict(cv2.imread("picture.jpg"), order="bgr")
            >>> prediction = model.predict(PIL.Image.open("picture.jpg"))

        Args:
            picture: the path of an image file, the bytes of an image file, a PIL picture, or a
                uint8 array: (H, W) or (H, W, 1) grey, (H, W, 3) colour, (H, W, 4) with alpha.
                Transparent parts become white, and an Exif rotation is applied.
            order: the order of an array's colours: "rgb", or "bgr" for arrays of OpenCV. Not for
                files and PIL pictures, whose order is known.
            size: (width, height) of the original picture in pixels, if an array is a smaller copy
                of it: boxes and keypoints are then measured in the original. By default the size of
                the array. Not for files and PIL pictures.

        Returns:
            A `Classification`, `MultiLabel`, `Value`, `Values`, `Detections`, `Faces`, `Mask`,
                `Poses`, `OutputPicture` or `Embedding`, depending on the model's task.

        Raises:
            ImageError: the picture cannot be read, is not a picture, or is too small for the
                region.
            ModelError: the model is closed, or the runtime failed.
            DelegateError: the accelerator was lost and nothing can take its place.
            UsageError: `order` or `size` is not a possible value, or is given for a file or a PIL
                picture.
        """
        self._require_open()
        taken = take_picture(picture, order=order, size=size, reduction_rule=self._reduction)
        try:
            tensor = self.preprocessor.tensor(taken.pixels, taken.format)
        except ImageError as error:
            if isinstance(picture, (str, os.PathLike)):
                raise of_picture(error, os.fspath(picture)) from error
            raise
        return self.infer(tensor).in_frame(taken.size)

    def decode(self, outputs: Sequence[NDArray[np.generic]]) -> Prediction:
        """Return the prediction for the output tensors that `runner.invoke` returned."""
        return self._decode(outputs)

    def golden_frames(self) -> list[tuple[Pixels, str | None]]:
        """Return the test pictures in the bundle, each with its true label.

        Returns:
            Pairs of the pixels, (H, W, 3) uint8 RGB, and the label, or None if it is not known. An
                empty list for a plain `.tflite`.

        Raises:
            ModelError: the model is closed.
        """
        self._require_open()
        if self._bundle is None:
            return []
        from edgeinfer.device.models.bundle.golden import read_golden

        return read_golden(self._bundle)

    def close(self) -> None:
        """Close the model and free its memory and its accelerator. A second call does nothing."""
        self._closed = True
        self.runner.close()
        if self._bundle is not None:
            self._bundle.close()

    def _reduction(self, size: tuple[int, int]) -> JpegReduction:
        """Return at which part of its size a JPEG of (width, height) is decoded."""
        from edgeinfer.device.preprocess.jpeg_reduction import reduction_for  # imports OpenCV

        return reduction_for(self.preprocessor.spec, size)

    def _require_open(self) -> None:
        if self._closed:
            raise ModelError(
                self.name, got="is closed", next_step="open it again with Model.open(PATH)"
            )


def open_models(path: AnyPath, count: int, options: OpenOptions | None = None) -> list[Model]:
    """Open a model several times, to answer as many frames side by side; see `Model.open`.

    With several Edge TPUs there is at least one model for each.
    """
    options = checked_options(options)
    models: list[Model] = []
    try:
        for request in spread(options.delegates, count):
            models.append(Model.open(path, replace(options, delegates=request)))
    except BaseException:
        for model in models:
            model.close()
        raise
    return models


def _open_bundle(path: Path, options: OpenOptions) -> Model:
    from edgeinfer.device.models.bundle.reader import open_bundle
    from edgeinfer.device.models.plain_options import refuse_plain_options

    refuse_plain_options(options, subject=str(path))
    bundle = open_bundle(path)
    try:
        manifest = bundle.manifest
        task = find_task(manifest.task)
        said = task.adjusted(manifest.said, options.answer)
        task.check(said)
        spec = manifest.preprocess
        if options.region is not None:
            spec = replace(spec, region=options.region)
        spec = tiled_spec(spec, options.tiles, task=manifest.task, said=said)
        opened = open_variant(bundle, options)
        variant = opened.variant
        return Model(
            name=manifest.name,
            labels=manifest.labels,
            preprocessor=make_preprocessor(spec, variant.input),
            runner=opened.runner,
            decode=make_decode(manifest.task, said, variant.outputs, spec),
            task=manifest.task,
            said=said,
            notes=_notes(opened.runner),
            bundle=bundle,
            choice=opened.choice,
        )
    except BaseException:
        bundle.close()
        raise


def _notes(runner: ModelRunner) -> tuple[str, ...]:
    return (runner.note,) if runner.note else ()


def _preprocessor(spec: PreprocessSpec, runner: ModelRunner, path: Path) -> Preprocessor:
    try:
        return make_preprocessor(spec, runner.inputs[0])
    except ValueError as error:
        raise ModelError(path, got=str(error)) from error
