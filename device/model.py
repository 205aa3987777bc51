"""Model: a bundle or a plain `.tflite`, ready to answer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.closing import Closing
from edgeinfer.device.decode import decode_classification, decode_value
from edgeinfer.device.errors import ModelError
from edgeinfer.device.preprocess import Preprocessor, PreprocessSpec
from edgeinfer.device.runtime import Runner, RuntimeName
from edgeinfer.device.types import Frame, Pixels, Prediction

if TYPE_CHECKING:
    from edgeinfer.device.bundle.manifest import GoldenFrame
    from edgeinfer.device.bundle.reader import ModelBundle

_ZIP_MAGIC = b"PK\x03\x04"


class Model(Closing):
    """Answers for frames. Not safe for use by several threads at once; open one for each.

    Attributes:
        name: the model's name.
        labels: the classes; empty for a model of values.
        preprocessor: frame to tensor.
        runner: tensor to output.
    """

    def __init__(
        self,
        *,
        name: str,
        labels: tuple[str, ...],
        preprocessor: Preprocessor,
        runner: Runner,
        decode: Callable[[NDArray[np.generic]], Prediction],
        bundle: ModelBundle | None = None,
    ) -> None:
        self.name = name
        self.labels = labels
        self.preprocessor = preprocessor
        self.runner = runner
        self._decode = decode
        self._bundle = bundle

    @staticmethod
    def open(
        path: Path,
        *,
        threads: int = 1,
        runtime: RuntimeName | None = None,
        labels: tuple[str, ...] | None = None,
    ) -> Model:
        """Open a bundle, or a plain `.tflite` image classifier.

        Args:
            path: the file.
            threads: interpreter threads.
            runtime: which runtime; None takes the preferred one.
            labels: the classes of a plain `.tflite`; None takes those that it carries.

        Raises:
            BundleError: the bundle is damaged or of another version.
            ModelError: the file is no model, or one whose task is not known.
            MissingExtraError: no runtime is installed.
        """
        try:
            with path.open("rb") as stream:
                is_bundle = stream.read(4) == _ZIP_MAGIC or path.suffix == ".edgebundle"
        except OSError as error:
            raise ModelError(
                path,
                got=f"cannot be read ({(error.strerror or str(error)).lower()})",
                expected="a .edgebundle or .tflite file",
                next_step="check the path",
            ) from error
        if is_bundle:
            return _open_bundle(path, threads, runtime)
        from edgeinfer.device.third_party import describe_third_party

        content = path.read_bytes()
        runner = Runner(content, subject=str(path), threads=threads, runtime=runtime)
        guess = describe_third_party(content, runner, subject=str(path), labels=labels)
        return Model(
            name=path.stem,
            labels=guess.labels,
            preprocessor=_preprocessor(guess.preprocess, runner, path),
            runner=runner,
            decode=lambda output: decode_classification(
                output, runner.outputs[0], guess.decoder, guess.labels
            ),
        )

    def prepare(
        self, frame: Frame, *, out: NDArray[np.generic] | None = None
    ) -> NDArray[np.generic]:
        """Return the input tensor for a frame, (1, H, W, C).

        Args:
            frame: in any format; a JPEG is decoded as the model's PreprocessSpec states.
            out: an array to fill and return instead of a new one.

        Raises:
            ImageError: it is a JPEG that cannot be decoded.
        """
        if frame.format == "jpeg":
            from edgeinfer.device.jpeg import decode_for

            decoded = decode_for(self.preprocessor.spec, frame.pixels)
            return self.preprocessor.tensor(decoded, "bgr", out=out)
        return self.preprocessor.tensor(frame.pixels, frame.format, out=out)

    def infer(self, tensor: NDArray[np.generic]) -> Prediction:
        """Return the prediction for an input tensor."""
        return self._decode(self.runner.invoke([tensor])[0])

    def predict(self, pixels: Pixels) -> Prediction:
        """Return the prediction for a picture: (H, W, 3) uint8 RGB."""
        return self.infer(self.preprocessor.tensor(pixels))

    def decode(self, output: NDArray[np.generic]) -> Prediction:
        """Return the prediction for what `runner.invoke` gave first."""
        return self._decode(output)

    def golden_frames(self) -> list[tuple[Pixels, str | None]]:
        """Return the bundle's real frames with their labels; none for a plain `.tflite`."""
        return [] if self._bundle is None else read_golden(self._bundle)

    def close(self) -> None:
        """Close the file."""
        if self._bundle is not None:
            self._bundle.close()


def open_models(
    path: Path,
    count: int,
    *,
    threads: int = 1,
    runtime: RuntimeName | None = None,
    labels: tuple[str, ...] | None = None,
) -> list[Model]:
    """Open a model several times, to answer as many frames side by side; see `Model.open`."""
    models: list[Model] = []
    try:
        for _ in range(count):
            models.append(Model.open(path, threads=threads, runtime=runtime, labels=labels))
    except BaseException:
        for model in models:
            model.close()
        raise
    return models


def read_golden(bundle: ModelBundle) -> list[tuple[Pixels, str | None]]:
    """Decode a bundle's golden frames."""
    from edgeinfer.device.images import decode_image

    def pixels(frame: GoldenFrame) -> Pixels:
        return decode_image(bundle.member(frame.file), subject=f"{bundle.path}: {frame.file}")

    return [(pixels(frame), frame.label) for frame in bundle.manifest.golden]


def _open_bundle(path: Path, threads: int, runtime: RuntimeName | None) -> Model:
    from edgeinfer.device.bundle.reader import open_bundle

    bundle = open_bundle(path)
    try:
        manifest = bundle.manifest
        variant = manifest.variants["cpu"]
        subject = f"{path}: {variant.file}"
        runner = Runner(
            bundle.member(variant.file), subject=subject, threads=threads, runtime=runtime
        )
        for name, got, expected in (
            ("input", runner.inputs, variant.input),
            ("output", runner.outputs, variant.output),
        ):
            if [(t.shape, t.dtype) for t in got] != [(expected.shape, expected.dtype)]:
                raise ModelError(
                    subject,
                    got=f"{name}s are {[(t.shape, t.dtype) for t in got]}",
                    expected=f"{(expected.shape, expected.dtype)} as the manifest says",
                )
        decoder, value = manifest.decoder, manifest.value

        def decode(output: NDArray[np.generic]) -> Prediction:
            if value is not None:
                return decode_value(output, variant.output, value)
            return decode_classification(output, variant.output, decoder, manifest.labels)

        return Model(
            name=manifest.name,
            labels=manifest.labels,
            preprocessor=Preprocessor(manifest.preprocess, variant.input),
            runner=runner,
            decode=decode,
            bundle=bundle,
        )
    except BaseException:
        bundle.close()
        raise


def _preprocessor(spec: PreprocessSpec, runner: Runner, path: Path) -> Preprocessor:
    try:
        return Preprocessor(spec, runner.inputs[0])
    except ValueError as error:
        raise ModelError(path, got=str(error)) from error
