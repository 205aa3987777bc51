"""The kinds of models that people have, what each is called, and what to do with it."""

from __future__ import annotations

from typing import Literal

ModelKind = Literal[
    "bundle",
    "tflite",
    "keras",
    "hdf5",
    "saved-model",
    "run",
    "onnx",
    "pt2",
    "torchscript",
    "torch",
    "safetensors",
    "pickle",
    "frozen-graph",
    "saved-model-file",
    "coreml",
    "tfjs",
    "lfs-pointer",
    "html",
    "picture",
    "clip",
    "zip",
    "archive",
    "runs",
    "labelled",
    "photos",
    "nested",
    "folder",
    "unknown",
]

IN_WORDS: dict[ModelKind, str] = {
    "bundle": "a bundle",
    "tflite": "a .tflite model",
    "keras": "a Keras model",
    "hdf5": "an HDF5 file",
    "saved-model": "a SavedModel",
    "run": "a folder that `edgeinfer train` made",
    "onnx": "an ONNX model",
    "pt2": "a program that PyTorch exported (.pt2)",
    "torchscript": "a TorchScript model",
    "torch": "a PyTorch file of weights, without the network's code",
    "safetensors": "a safetensors file of weights, without the network's code",
    "pickle": "a Python pickle",
    "frozen-graph": "a frozen TensorFlow graph",
    "saved-model-file": "the saved_model.pb of a SavedModel",
    "coreml": "a Core ML model",
    "tfjs": "a TensorFlow.js model",
    "lfs-pointer": "a Git LFS pointer, not the file itself",
    "html": "a web page (HTML)",
    "picture": "a picture",
    "clip": "a video clip",
    "zip": "a ZIP without a model",
    "archive": "a compressed archive",
    "runs": "a folder of runs",
    "labelled": "a folder of photos in sub-folders",
    "photos": "a folder of photos",
    "nested": "a folder",
    "folder": "a folder",
    "unknown": "not a model that edgeinfer knows",
}

CONVERTIBLE: tuple[ModelKind, ...] = ("keras", "hdf5", "saved-model", "run", "onnx", "pt2")
"""What no board runs, but `edgeinfer convert` takes."""

_BY_FUNCTION = (
    "write a Python function that builds the network and loads this file, and give it as in "
    "`edgeinfer convert model.py:function`"
)

ADVICE: dict[ModelKind, str] = {
    "torchscript": "write a Python function that returns the network that it was made from, and "
    "give it as in `edgeinfer convert model.py:function`",
    "torch": _BY_FUNCTION,
    "safetensors": _BY_FUNCTION,
    "pickle": "edgeinfer does not open pickles: save the model in a format of its framework",
    "frozen-graph": "make a .tflite of it with tf.compat.v1.lite.TFLiteConverter.from_frozen_graph",
    "saved-model-file": "give the folder that it is in",
    "coreml": "give the model that it was made from, such as a Keras or ONNX model",
    "tfjs": "give the model that it was made from, or export it again as Keras or TensorFlow Lite",
    "lfs-pointer": "fetch the file with `git lfs pull`",
    "html": "download the file itself: this address gave a page",
    "zip": "choose a model",
    "archive": "unpack it and give the model in it",
}
"""What to do with a file that no board runs and that `edgeinfer convert` does not take."""

BY_NAME: dict[str, ModelKind] = {
    ".edgebundle": "bundle",
    ".tflite": "tflite",
    ".keras": "keras",
    ".h5": "hdf5",
    ".hdf5": "hdf5",
}
"""What a file is by the end of its name, where its content does not say."""
