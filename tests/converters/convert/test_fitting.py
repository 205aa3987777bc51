"""Every option of `convert` by every kind of source: each is obeyed, or refused by its name."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from edgeinfer.converters.cli.convert import convert
from edgeinfer.converters.run_folder.trained_run import KERAS_FILE
from edgeinfer.converters.tensorflow.import_model import float_tflite
from edgeinfer.converters.tensorflow.worker.job import Here
from edgeinfer.device.models.bundle.manifest import ModelManifest
from edgeinfer.device.models.bundle.reader import open_bundle
from edgeinfer.device.tflite.model import TfliteModel
from edgeinfer.device.tflite.reader import read_tflite
from tests.support.program import edgeinfer_here, error_line
from tests.support.told import tell

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("warm_tensorflow")]

KINDS = ("run", "keras", "SavedModel", "tflite")
FOREIGN = KINDS[1:]
ALONE = {
    *("--precision", "--backend", "--calibration", "--calibration-images", "--seed"),
    "--input-range",
}
"""What decides the model's bytes."""

RANGE = ("--input-range", "-1..1")
"""Someone else's model is not converted without its range, which --mean and --std replace."""


@dataclass(frozen=True, kw_only=True)
class Made:
    """What a conversion left.

    Attributes:
        manifest: the bundle's.
        model: the CPU variant.
        answer: what `--json` told; empty without it.
        folder: where the command ran.
        content: the CPU variant's bytes.
    """

    manifest: ModelManifest
    model: TfliteModel
    answer: dict[str, Any]
    folder: Path
    content: bytes


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One option on the command line, and how it shows that it was obeyed.

    Attributes:
        words: the option, and others that it needs.
        obeyed: tells whether the bundle is as it says; it may look at the one without the option.
        kinds: the sources that obey it; the others refuse it.
    """

    words: tuple[object, ...]
    obeyed: Callable[[Made, Made], bool]
    kinds: tuple[str, ...] = KINDS

    @property
    def alone(self) -> bool:
        """Whether it has a separate conversion; the others go into one together."""
        return not ALONE.isdisjoint(self.words)


def dtype(made: Made) -> str:
    return made.manifest.variants["cpu"].input.dtype


def dense_scales(made: Made) -> int:
    graph = made.model.subgraphs[0]
    dense = next(op for op in graph.operators if op.op == "FULLY_CONNECTED")
    quantization = graph.tensors[dense.inputs[1]].quantization
    assert quantization is not None
    return len(quantization.scales)


def said(made: Made, name: str) -> str:
    return made.manifest.provenance[name]


def other_bytes(made: Made, plain: Made) -> bool:
    return made.content != plain.content


LABELS = "labels.txt"
TRIALS: dict[str, list[Trial]] = {
    "--pictures": [Trial(words=(), obeyed=lambda made, plain: True, kinds=FOREIGN)],
    "--labels": [
        Trial(
            words=("--labels", LABELS),
            obeyed=lambda made, plain: made.manifest.labels == ("sea", "fire"),
            kinds=FOREIGN,
        )
    ],
    "--channels": [
        Trial(
            words=("--channels", "bgr"),
            obeyed=lambda made, plain: made.manifest.preprocess.channels == "bgr",
            kinds=FOREIGN,
        )
    ],
    "--crop": [
        Trial(
            words=("--crop", "letterbox"),
            obeyed=lambda made, plain: made.manifest.preprocess.crop == "letterbox",
            kinds=FOREIGN,
        )
    ],
    "--region": [
        Trial(
            words=("--region", "0,0.125,1,0.75"),
            obeyed=lambda made, plain: (
                made.manifest.preprocess.region == (0.0, 0.125, 1.0, 0.75)
                and made.manifest.schema_version == 4
            ),
            kinds=FOREIGN,
        )
    ],
    "--input-range": [
        Trial(
            words=("--input-range", "imagenet"),
            obeyed=lambda made, plain: made.manifest.preprocess.std == (58.395, 57.12, 57.375),
            kinds=FOREIGN,
        )
    ],
    "--task": [
        Trial(
            words=("--task", "classification"),
            obeyed=lambda made, plain: made.manifest.task == "classification",
            kinds=FOREIGN,
        )
    ],
    # test_imported_source.py has models that an importer reads.
    "--import-timeout": [Trial(words=("--import-timeout", 9), obeyed=other_bytes, kinds=())],
    # Those that a classifier has nothing to do with; test_foreign_tasks.py has models that do.
    "--input-size": [Trial(words=("--input-size", "64x48"), obeyed=other_bytes, kinds=())],
    "--signature": [Trial(words=("--signature", "absent"), obeyed=other_bytes, kinds=())],
    "--unit": [Trial(words=("--unit", "bar"), obeyed=other_bytes, kinds=())],
    "--min-score": [
        Trial(
            words=("--min-score", 0.3),
            obeyed=lambda made, plain: made.manifest.decoder.unknown_below == 0.3,
            kinds=FOREIGN,
        )
    ],
    "--iou": [Trial(words=("--iou", 0.3), obeyed=other_bytes, kinds=())],
    "--mean": [
        Trial(
            words=("--mean", "100"),
            obeyed=lambda made, plain: made.manifest.preprocess.mean == (100.0,) * 3,
            kinds=FOREIGN,
        )
    ],
    "--std": [
        Trial(
            words=("--std", "60"),
            obeyed=lambda made, plain: made.manifest.preprocess.std == (60.0,) * 3,
            kinds=FOREIGN,
        )
    ],
    "--min-agreement": [
        Trial(
            words=("--min-agreement", 0.01),
            obeyed=lambda made, plain: made.answer["agreement.int8"] >= 0.01,
            kinds=FOREIGN,
        )
    ],
    "--out": [Trial(words=(), obeyed=lambda made, plain: True)],
    "--precision": [
        Trial(
            words=("--precision", "float16"),
            obeyed=lambda made, plain: (
                dtype(made) == "float32"
                and any(t.dtype == "float16" for t in made.model.subgraphs[0].tensors)
            ),
        ),
        Trial(
            words=("--precision", "float32"), obeyed=lambda made, plain: dtype(made) == "float32"
        ),
        *(
            Trial(
                words=("--precision", precision),
                obeyed=lambda made, plain, of=of: dtype(made) == of,  # type: ignore[misc]
                kinds=KINDS[:-1],
            )
            for precision, of in (("uint8", "uint8"), ("int16x8", "int16"), ("dynamic", "float32"))
        ),
    ],
    "--per-tensor-dense": [
        Trial(words=("--per-tensor-dense",), obeyed=lambda made, plain: dense_scales(made) == 1),
        Trial(words=("--per-tensor-dense", "--precision", "float32"), obeyed=other_bytes, kinds=()),
    ],
    "--calibration": [
        Trial(
            words=("--calibration", "mse"),
            obeyed=lambda made, plain: (
                said(made, "convert.calibration") == "mse" and other_bytes(made, plain)
            ),
        ),
        Trial(
            words=("--calibration", "min-max", "--precision", "float16"),
            obeyed=other_bytes,
            kinds=(),
        ),
    ],
    "--backend": [
        Trial(
            words=("--backend", "ai-edge-quantizer"),
            obeyed=lambda made, plain: said(made, "convert.backend") == "ai-edge-quantizer",
        ),
        Trial(
            words=("--backend", "tensorflow"),
            obeyed=lambda made, plain: said(made, "convert.backend") == "tensorflow",
            kinds=KINDS[:-1],
        ),
    ],
    "--max-drop": [Trial(words=("--max-drop", 5), obeyed=lambda made, plain: True, kinds=("run",))],
    "--unknown": [
        Trial(
            words=("--unknown", 0.1),
            obeyed=lambda made, plain: made.manifest.decoder.unknown_below is not None,
            kinds=("run",),
        )
    ],
    "--repair": [
        Trial(words=("--repair", "none"), obeyed=lambda made, plain: "repair" not in made.answer),
        Trial(words=("--repair", "none", "--precision", "float16"), obeyed=other_bytes, kinds=()),
    ],
    "--calibration-images": [
        Trial(words=("--calibration-images", 2), obeyed=other_bytes),
        Trial(
            words=("--calibration-images", 2, "--precision", "float16"),
            obeyed=other_bytes,
            kinds=(),
        ),
    ],
    "--calibration-draw": [
        Trial(
            words=("--calibration-draw", "as-is"),
            obeyed=lambda made, plain: said(made, "convert.calibration-draw") == "as-is",
            kinds=("run",),
        )
    ],
    "--golden-frames": [
        Trial(
            words=("--golden-frames", 3), obeyed=lambda made, plain: len(made.manifest.golden) == 3
        )
    ],
    "--seed": [
        Trial(words=("--seed", 7, "--calibration-images", 3), obeyed=other_bytes),
        Trial(
            words=("--seed", 7, "--precision", "float16"),
            obeyed=lambda made, plain: True,
            kinds=FOREIGN,
        ),
    ],
    "--jpeg-reduction": [
        Trial(
            words=("--jpeg-reduction", 2),
            obeyed=lambda made, plain: made.manifest.preprocess.jpeg_reduction == 2,
        )
    ],
    "--board": [
        Trial(
            words=("--board", "imx8mp"),
            obeyed=lambda made, plain: "vx" in made.manifest.variants,
        )
    ],
    "--gpu": [Trial(words=("--gpu",), obeyed=lambda made, plain: "gpu" in made.manifest.variants)],
    "--require-mapped": [
        Trial(
            words=("--board", "imx8mp", "--require-mapped", "1%"),
            obeyed=lambda made, plain: "vx" in made.manifest.variants,
        ),
        Trial(words=("--require-mapped", "1%"), obeyed=other_bytes, kinds=()),
    ],
    "--install": [
        Trial(
            words=("--install",),
            obeyed=lambda made, plain: len(list(made.folder.glob("data/edgeinfer/*"))) > 0,
        )
    ],
    "--report": [
        Trial(
            words=("--report", "report"),
            obeyed=lambda made, plain: (made.folder / "report" / "layers.int8.csv").is_file(),
        )
    ],
    "--json": [Trial(words=(), obeyed=lambda made, plain: made.answer["size.int8.bytes"] > 0)],
}
ELSEWHERE = {
    "--data": "tests/converters/run_folder/test_place.py::test_data_that_moved_alone and "
    "tests/host/cli/test_meant.py::test_data_that_has_moved_is_asked_for",
    "--npu": "tests/converters/convert/test_pipeline.py::test_a_variant_for_an_npu",
    "--trust-lambda": "tests/converters/tensorflow/test_import_model.py::"
    "test_code_in_a_file_runs_only_if_its_layer_is_named",
}
"""Options that need a compiler, a special model or data elsewhere: where each is held."""


@pytest.fixture(scope="module")
def models(trained_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The same model from every kind of source."""
    import keras

    folder = tmp_path_factory.mktemp("sources")
    model = keras.saving.load_model(trained_folder / KERAS_FILE, compile=False)
    found = {"run": trained_folder}
    for kind in ("keras", "tflite"):
        found[kind] = folder / f"colours.{kind}"
    model.save(found["keras"])
    found["SavedModel"] = folder / "saved"
    model.export(found["SavedModel"], format="tf_saved_model", verbose=False)
    found["tflite"].write_bytes(float_tflite(found["keras"], tensorflow=Here()))
    return found


def words_for(kind: str, models: Mapping[str, Path], pictures: Path) -> tuple[object, ...]:
    return (models[kind], *(() if kind == "run" else ("--pictures", pictures)))


def run(folder: Path, words: tuple[object, ...]) -> Any:
    (folder / LABELS).write_text("sea\nfire\n")
    here = [folder / word if word in (LABELS, "report") else word for word in words]
    install = () if "--install" in words else ("--no-install",)
    return edgeinfer_here(
        *("convert", *here, "--json", "--out", folder / "x.edgebundle", *install),
        env={"XDG_DATA_HOME": str(folder / "data")},
    )


def made(folder: Path, words: tuple[object, ...]) -> Made:
    done = run(folder, words)
    assert done.returncode == 0, (words, done.stderr)
    with open_bundle(folder / "x.edgebundle") as bundle:
        content = bundle.member("variants/cpu.tflite")
        manifest = bundle.manifest
    return Made(
        manifest=manifest,
        model=read_tflite(content, subject="it"),
        answer=json.loads(done.stdout),
        folder=folder,
        content=content,
    )


def test_every_option_has_its_trials() -> None:
    options = {parameter.opts[0] for parameter in convert.params if parameter.opts[0][0] == "-"}
    assert options == TRIALS.keys() | ELSEWHERE.keys()


@pytest.mark.parametrize("kind", KINDS)
def test_each_option_is_obeyed_or_refused_by_name(
    kind: str,
    models: dict[str, Path],
    trained_folder: Path,
    tmp_path: Path,
    pytestconfig: pytest.Config,
) -> None:
    source = words_for(kind, models, trained_folder / "pictures")
    folders = (tmp_path / str(number) for number in range(1000))

    def folder() -> Path:
        made_folder = next(folders)
        made_folder.mkdir()
        return made_folder

    ranged = source if kind == "run" else (*source, *RANGE)
    plain = made(folder(), ranged)
    trials = [(option, trial) for option, of_it in TRIALS.items() for trial in of_it]
    obeying = [trial for _, trial in trials if kind in trial.kinds and not trial.alone]
    together = made(folder(), (*source, *(word for trial in obeying for word in trial.words)))
    for option, trial in trials:
        answer = "obeyed"
        if kind in trial.kinds:
            result = made(folder(), (*ranged, *trial.words)) if trial.alone else together
            assert trial.obeyed(result, plain), trial.words
        else:
            place, words = folder(), trial.words or (option, trained_folder / "pictures")
            told = error_line(run(place, (*ranged, *words)), code=2)
            names = {option, option.removeprefix("--").replace("-", " "), "--precision"}
            assert told.startswith(tuple(f"error: {name}: " for name in names)), told
            assert not (place / "x.edgebundle").exists()
            answer = told.removeprefix("error: ")
        shown = " ".join(map(str, trial.words)) or option
        tell(pytestconfig, "options of convert", f"{kind:10} {shown:45} {answer}")
