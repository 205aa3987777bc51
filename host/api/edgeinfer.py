"""edgeinfer: image models from photographs to an edge board, and the board's own loop.

    import edgeinfer

    with edgeinfer.Model.open("photos.edgebundle") as model:
        print(model.predict("picture.jpg").text())

    for prediction in edgeinfer.open("photos.edgebundle", camera="/dev/video0"):
        print(prediction.text())

On a workstation, with `pip install 'edgeinfer[host]'`:

    edgeinfer.train("photos", "runs/photos")
    edgeinfer.convert("runs/photos", "photos.edgebundle")

Each name below is imported when it is first asked for, so `import edgeinfer` alone takes a few
milliseconds. Warnings, such as a camera that is away, go to the standard library's `logging`, below
the logger `edgeinfer`. All errors that edgeinfer raises on purpose are `EdgeinferError`s.

An install copies this file to `edgeinfer/__init__.py`, with the version: after a change, install
again (`make` does).
"""

from importlib import import_module

# Not typing's: a module less to import. Type checkers know it by its name.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from edgeinfer.converters.api import adopt, convert
    from edgeinfer.converters.common.progress import Progress, Silent
    from edgeinfer.converters.convert.foreign_model import ForeignModel
    from edgeinfer.converters.convert.options import ConvertOptions
    from edgeinfer.converters.quantize.quantize import QuantizeOptions
    from edgeinfer.device.cameras.options import CameraOptions
    from edgeinfer.device.core.errors import (
        AccuracyError,
        BundleError,
        CameraError,
        ConversionError,
        DataError,
        DelegateError,
        EdgeinferError,
        EmulationError,
        ImageError,
        MissingExtraError,
        ModelError,
        OutputError,
        ReleaseError,
        RemoteError,
        SearchError,
        StorageError,
        TrainingError,
        UnknownRangeError,
        UnreachableError,
        UsageError,
        VerificationError,
        WheelError,
    )
    from edgeinfer.device.loop.following.follower import Follow
    from edgeinfer.device.loop.results import Answer
    from edgeinfer.device.loop.stream import Stream
    from edgeinfer.device.loop.stream import open_stream as open
    from edgeinfer.device.models.model import Model
    from edgeinfer.device.pictures.decode import read_image
    from edgeinfer.device.pictures.frame import Frame
    from edgeinfer.device.preprocess.spec import PreprocessSpec
    from edgeinfer.device.runtime.delegates.request import DelegateRequest
    from edgeinfer.device.runtime.open_options import OpenOptions
    from edgeinfer.device.tasks.classification.multi_label import MultiLabel
    from edgeinfer.device.tasks.classification.prediction import Classification
    from edgeinfer.device.tasks.detection.faces.prediction import Faces
    from edgeinfer.device.tasks.detection.prediction import Detections
    from edgeinfer.device.tasks.embedding.prediction import Embedding
    from edgeinfer.device.tasks.picture.prediction import OutputPicture
    from edgeinfer.device.tasks.pose.prediction import Poses
    from edgeinfer.device.tasks.prediction import Prediction
    from edgeinfer.device.tasks.segmentation.prediction import Mask
    from edgeinfer.device.tasks.value.prediction import Value, Values
    from edgeinfer.host.api.evaluation import evaluate
    from edgeinfer.host.api.search import optimize
    from edgeinfer.host.api.training import prune, train
    from edgeinfer.host.search.budget import Budget
    from edgeinfer.host.search.search import SearchOptions
    from edgeinfer.host.training.config import TrainConfig
    from edgeinfer.host.training.config import default_config as train_config
    from edgeinfer.host.training.distillation.teacher import TeacherConfig
    from edgeinfer.host.training.pruning.config import PruneConfig

__version__ = "${version}"

__all__ = [
    "AccuracyError",
    "Answer",
    "Budget",
    "BundleError",
    "CameraError",
    "CameraOptions",
    "Classification",
    "ConversionError",
    "ConvertOptions",
    "DataError",
    "DelegateError",
    "DelegateRequest",
    "Detections",
    "EdgeinferError",
    "Embedding",
    "EmulationError",
    "Faces",
    "Follow",
    "ForeignModel",
    "Frame",
    "ImageError",
    "Mask",
    "MissingExtraError",
    "Model",
    "ModelError",
    "MultiLabel",
    "OpenOptions",
    "OutputError",
    "OutputPicture",
    "Poses",
    "Prediction",
    "PreprocessSpec",
    "Progress",
    "PruneConfig",
    "QuantizeOptions",
    "ReleaseError",
    "RemoteError",
    "SearchError",
    "SearchOptions",
    "Silent",
    "StorageError",
    "Stream",
    "TeacherConfig",
    "TrainConfig",
    "TrainingError",
    "UnknownRangeError",
    "UnreachableError",
    "UsageError",
    "Value",
    "Values",
    "VerificationError",
    "WheelError",
    "__version__",
    "adopt",
    "convert",
    "evaluate",
    "open",
    "optimize",
    "prune",
    "read_image",
    "train",
    "train_config",
]

_HOMES = {
    "Answer": "device.loop.results",
    "Budget": "host.search.budget",
    "CameraOptions": "device.cameras.options",
    "Classification": "device.tasks.classification.prediction",
    "ConvertOptions": "converters.convert.options",
    "DelegateRequest": "device.runtime.delegates.request",
    "Detections": "device.tasks.detection.prediction",
    "Embedding": "device.tasks.embedding.prediction",
    "Faces": "device.tasks.detection.faces.prediction",
    "Follow": "device.loop.following.follower",
    "ForeignModel": "converters.convert.foreign_model",
    "Frame": "device.pictures.frame",
    "Mask": "device.tasks.segmentation.prediction",
    "Model": "device.models.model",
    "MultiLabel": "device.tasks.classification.multi_label",
    "OpenOptions": "device.runtime.open_options",
    "OutputPicture": "device.tasks.picture.prediction",
    "Poses": "device.tasks.pose.prediction",
    "Prediction": "device.tasks.prediction",
    "PreprocessSpec": "device.preprocess.spec",
    "Progress": "converters.common.progress",
    "PruneConfig": "host.training.pruning.config",
    "QuantizeOptions": "converters.quantize.quantize",
    "SearchOptions": "host.search.search",
    "Silent": "converters.common.progress",
    "Stream": "device.loop.stream",
    "TeacherConfig": "host.training.distillation.teacher",
    "TrainConfig": "host.training.config",
    "Value": "device.tasks.value.prediction",
    "Values": "device.tasks.value.prediction",
    "adopt": "converters.api",
    "convert": "converters.api",
    "evaluate": "host.api.evaluation",
    "open": "device.loop.stream",
    "optimize": "host.api.search",
    "prune": "host.api.training",
    "read_image": "device.pictures.decode",
    "train": "host.api.training",
    "train_config": "host.training.config",
}
"""In which module each name is; all errors are in one."""

_THERE_CALLED = {"open": "open_stream", "train_config": "default_config"}


def __dir__() -> list[str]:
    """Return the public names, and what every module has."""
    return sorted({*globals(), *__all__})


if not TYPE_CHECKING:  # a checker would take any name for one that is here

    def __getattr__(name: str) -> object:
        """Import a public name from its module (PEP 562)."""
        if name not in __all__:
            raise AttributeError(f"module 'edgeinfer' has no attribute {name!r}")
        home = import_module(f"edgeinfer.{_HOMES.get(name, 'device.core.errors')}")
        found = globals()[name] = getattr(home, _THERE_CALLED.get(name, name))
        return found
