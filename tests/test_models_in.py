"""Each row of the tables of docs/models-in.md, "What you may bring", has a test that shows it."""

from __future__ import annotations

import ast
import re

import pytest

from tests.support.checkout import ROOT
from tests.support.pages import DOCS, TEXT

PAGE = DOCS / "models-in.md"
OUTCOMES = {"read", "adopted", "converted", "refused"}

SHOWN_BY = {
    "a classifier: one number for each class, logits or probabilities": (
        "tests/device/tasks/test_guess.py::test_one_output"
    ),
    "one number behind a sigmoid": (
        "tests/device/tasks/classification/test_guess.py::test_one_number_is_the_probability_of_the_second_class"
    ),
    "several numbers behind a sigmoid": (
        "tests/device/tasks/classification/test_guess.py::test_classes_that_are_true_together"
    ),
    "one or several measured values": (
        "tests/device/tasks/value/test_values.py::test_one_output_of_several_numbers_is_values_where_the_user_says_so"
    ),
    "an SSD with its post-processing, also with several classes for a box": (
        "tests/device/models/test_plain_tflite.py::test_every_class_of_a_box_that_scores_is_an_object"
    ),
    "more or fewer labels than an SSD has classes": (
        "tests/device/tasks/detection/test_class_names.py::test_other_numbers_of_labels_are_refused"
    ),
    "YOLO v5, v8, v10, 11, 26: detection, channels last or first, float or integer": (
        "tests/device/tasks/detection/test_yolo.py::test_the_boxes_come_back"
    ),
    "YOLO: masks": ("tests/device/tasks/detection/test_yolo.py::test_masks_come_back"),
    "YOLO: poses": ("tests/device/tasks/detection/test_yolo.py::test_keypoints_come_back"),
    "YOLO: turned boxes": (
        "tests/device/tasks/detection/test_yolo.py::test_turned_boxes_come_back"
    ),
    "YOLO: classification": ("tests/device/tasks/detection/test_yolo.py::test_a_classifier"),
    "YOLO whose boxes are decoded outside of the graph (raw bins)": (
        "tests/device/tasks/detection/candidates/test_guess.py::test_what_is_none"
    ),
    "BlazeFace: faces": (
        "tests/device/tasks/detection/faces/test_blaze_face.py::test_the_face_of_a_photograph_is_found"
    ),
    "MoveNet, for one person or several": (
        "tests/device/tasks/pose/test_keypoints.py::test_movenet_is_known_by_its_shape"
    ),
    "PoseNet": ("tests/converters/convert/adopt/test_adopt.py::test_real_models"),
    "a segmenter, also of one class": (
        "tests/device/tasks/segmentation/test_decode.py::test_one_score_a_place_means_two_classes"
    ),
    "a depth map, an enlarged picture, picture to picture": (
        "tests/device/tasks/picture/test_picture.py::test_what_may_be_both_is_asked"
    ),
    "an embedding": (
        "tests/device/tasks/classification/test_guess.py::test_the_mean_of_features_is_an_embedding"
    ),
    "a model whose input range nothing states": (
        "tests/device/models/test_plain_tflite.py::test_a_float_input_of_which_nothing_is_known_is_refused"
    ),
    "a quantized model": (
        "tests/converters/convert/test_foreign_tasks.py::test_a_quantized_model_is_adopted_instead"
    ),
    "a model with weights of 16 bits": (
        "tests/converters/convert/test_foreign_tasks.py::test_float16_weights_are_quantized_as_those_of_float32"
    ),
    "a model that was compiled for an Edge TPU": (
        "tests/device/models/test_record.py::test_what_is_recorded_verifies"
    ),
    "a model that XNNPACK refuses": (
        "tests/device/runtime/test_first_opening.py::test_what_xnnpack_refuses_runs_on_the_built_in_kernels"
    ),
    "a model of several inputs": (
        "tests/device/models/test_model.py::test_models_of_other_tasks_are_refused"
    ),
    "Keras 3: `.keras`, `.h5`": (
        "tests/converters/convert/test_foreign_source.py::test_a_keras_model_of_several_outputs"
    ),
    "Keras 2: `.keras`, `.h5`": (
        "tests/converters/tensorflow/test_keras2.py::test_each_format_of_keras_2"
    ),
    "a SavedModel": (
        "tests/converters/tensorflow/test_import_model.py::test_a_saved_model_keeps_its_rescaling"
    ),
    "layers inside that change pictures at random": (
        "tests/converters/tensorflow/test_import_model.py::test_augmentation_is_left_out_and_rescaling_stays"
    ),
    "a SavedModel that was exported with such layers switched on": (
        "tests/converters/tensorflow/test_import_model.py::test_augmentation_that_was_exported_switched_on_is_named"
    ),
    "a Lambda or other code in a layer": (
        "tests/converters/tensorflow/test_import_model.py::test_code_in_a_file_runs_only_if_its_layer_is_named"
    ),
    "a layer that only its own program knows": (
        "tests/converters/tensorflow/test_keras2.py::test_a_layer_of_another_program_is_named"
    ),
    "a `.h5` of weights alone": (
        "tests/converters/tensorflow/test_keras_file.py::test_a_file_of_weights_alone_is_named"
    ),
    "Teachable Machine's ZIP of Keras": (
        "tests/converters/convert/test_teachable_machine.py::test_a_keras_zip_is_converted_and_answers_as_keras_2"
    ),
    "Teachable Machine's ZIPs of TensorFlow Lite": (
        "tests/converters/convert/test_teachable_machine.py::test_tensorflow_lite_zips_are_adopted"
    ),
    "a ZIP with no model, or with several": (
        "tests/converters/convert/test_model_zip.py::test_zips_that_are_refused"
    ),
    "ONNX": (
        "tests/converters/convert/test_imported_source.py::test_an_onnx_file_becomes_a_bundle_that_verifies"
    ),
    "a function of a Python file that returns a PyTorch network, `model.py:function`": (
        "tests/converters/convert/test_imported_source.py::test_a_function_of_a_file"
    ),
    "an exported program, `.pt2`": (
        "tests/converters/importers/test_torch_file.py::test_an_exported_program_is_taken_whatever_its_name"
    ),
    "a `state_dict`, a pickled module, TorchScript, safetensors": (
        "tests/converters/importers/test_torch_file.py::test_each_is_refused_by_content_whatever_its_name"
    ),
    "a frozen graph, Core ML, TensorFlow.js, a Git LFS pointer, a web page, a picture": (
        "tests/device/core/model_file/test_formats.py::test_a_file_of_another_kind"
    ),
    "a folder around a run, a bundle or a SavedModel": (
        "tests/device/core/model_file/test_formats.py::test_a_folder_of_another_kind"
    ),
}
"""The test that shows a row, by the row's first cell."""


def rows() -> list[list[str]]:
    """Return the cells of all rows below "What you may bring"."""
    part = TEXT[PAGE].partition("## What you may bring\n")[2].partition("\n## ")[0]
    lines = [line for line in part.splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in cells if row[0] != "what"]


def test_each_row_is_shown_by_a_test() -> None:
    assert [row[0] for row in rows()] == list(SHOWN_BY)


def test_each_row_says_what_happens() -> None:
    for what, happens, how in rows():
        outcomes = set(re.split(", ", happens))
        assert outcomes <= OUTCOMES, what
        assert "refused" not in outcomes or (outcomes == {"refused"} and how), what


@pytest.mark.parametrize("name", sorted(set(SHOWN_BY.values())))
def test_the_test_is_there_and_asserts_something(name: str) -> None:
    file, function = name.split("::")
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    (found,) = (
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.name == function
    )
    text = ast.unparse(found)
    assert "assert" in text or "pytest.raises" in text
