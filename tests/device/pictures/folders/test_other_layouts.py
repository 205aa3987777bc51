from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from edgeinfer.device.pictures.folders.arrangement import arrange
from tests.device.pictures.folders.conftest import MakeTree

IN_CSV = "filename,class,xmin,ymin,xmax,ymax\n"
CREATE_ML = '[{"annotations": [{"coordinates": {}}]}]'
VOC = "<annotation><object><bndbox/></object></annotation>"
YOLO = "0 0.5 0.5 0.25 0.125\n"
COCO = json.dumps({"images": [], "annotations": [{"bbox": [1, 2, 3, 4]}], "categories": []})


def said(root: Path, texts: dict[str, str]) -> str:
    for name, text in texts.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    unclear = arrange(root).unclear
    return "" if unclear is None else str(unclear)


@pytest.mark.parametrize(
    ("tree", "texts", "layout"),
    [
        (["JPEGImages/1.jpg", "ImageSets/Main/x.txt"], {"Annotations/1.xml": VOC}, "Pascal VOC"),
        (["v/VOC7/JPEGImages/1.jpg"], {"v/VOC7/Annotations/1.xml": VOC}, "Pascal VOC"),
        (["images/1.jpg"], {"annotations/xmls/1.xml": VOC}, "Pascal VOC"),
        (["{train,valid}/1.jpg"], {"train/1.xml": VOC, "valid/1.xml": VOC}, "Pascal VOC"),
        (["images/{train,val}/1.jpg"], {"labels/train/1.txt": YOLO}, "YOLO"),
        (["images/1.jpg"], {"labels/1.txt": YOLO}, "YOLO"),
        (["{train,valid,test}/images/1.jpg"], {"train/labels/1.txt": YOLO}, "YOLO"),
        (["1.jpg", "2.jpg"], {"2.txt": YOLO}, "YOLO"),
        (["{train2017,val2017}/1.jpg"], {"annotations/instances_val2017.json": COCO}, "COCO"),
        (["images/{train,val}/1.jpg"], {"annotations/train.json": COCO}, "COCO"),
        (["{train,valid}/1.jpg"], {"train/_annotations.coco.json": COCO}, "COCO"),
        (["data/1.jpg"], {"labels.json": COCO}, "COCO"),
        (["train/1.jpg"], {"train/_annotations.csv": IN_CSV}, "TensorFlow CSV"),
        (["train/1.jpg"], {"train/_a.createml.json": CREATE_ML}, "CreateML"),
    ],
)
def test_detection_layouts_are_named(
    make_tree: MakeTree, tree: list[str], texts: dict[str, str], layout: str
) -> None:
    sentence = said(make_tree(*tree), texts)
    assert f"is a detection data set in the {layout}" in sentence
    importing = re.search(r"`edgeinfer data import (\S+) (\S+)-crops --crops` makes a", sentence)
    training = re.search(r"`edgeinfer train (\S+) --task detection` trains a detector", sentence)
    assert (training is None) == (importing is None)
    if layout == "CreateML":
        assert "save the boxes as COCO, YOLO or Pascal VOC to train a detector" in sentence
        assert importing is None
    else:
        assert importing is not None
        assert importing[1] == importing[2]
        assert f"`edgeinfer train {importing[1]} --task detection` trains a detector" in sentence


@pytest.mark.parametrize("names", [("images", "masks"), ("JPEGImages", "SegmentationClass")])
def test_masks_are_named(make_tree: MakeTree, names: tuple[str, str]) -> None:
    root = make_tree(f"{names[0]}/{{1,2}}.jpg", f"{names[1]}/{{1,2}}.png")
    assert f"is a segmentation data set, see its masks in {names[1]}" in said(root, {})


@pytest.mark.parametrize(
    "texts",
    [
        {"labels.csv": "file,label\n1.jpg,cat\n"},
        {"labels.json": '{"1.jpg": "cat"}'},
        {"cat/1.txt": "a cat on a mat"},
        {"annotations/readme.txt": "none yet"},
        {"classes.txt": "cat\ndog\n"},
        {"data.yaml": "author: me"},
        {"boxes.csv": IN_CSV},
        {"train.json": COCO},
    ],
)
def test_class_folders_with_other_files_are_class_folders(
    make_tree: MakeTree, texts: dict[str, str]
) -> None:
    assert said(make_tree("{cat,dog}/1.jpg"), texts) == ""


def test_boxes_are_found_behind_a_long_list_of_images(make_tree: MakeTree) -> None:
    images = [{"id": number, "file_name": f"{number}.jpg"} for number in range(9000)]
    text = json.dumps({"images": images, "annotations": [{"bbox": [1, 2, 3, 4]}]})
    assert text.index("bbox") > 1 << 17
    assert "COCO" in said(make_tree("images/1.jpg"), {"annotations/all.json": text})


def test_boxes_are_found_behind_a_long_list_of_files(make_tree: MakeTree) -> None:
    pictures = [f"train/{number:03}.jpg" for number in range(300)]
    folder = make_tree(*pictures)
    assert "COCO" in said(folder, {"train/_annotations.coco.json": COCO})
