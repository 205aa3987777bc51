"""Boxes as a file for one picture: Pascal VOC's XML, or a text of YOLO."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal
from xml.etree import ElementTree

from edgeinfer.device.tasks.detection.prediction import Detections

ProposalLayout = Literal["voc", "yolo"]

SUFFIXES: Mapping[ProposalLayout, str] = {"voc": ".xml", "yolo": ".txt"}
CLASSES_FILE = "classes.txt"
"""Where YOLO's classes are named, a line each."""

Write = Callable[[str, Detections], str]


def voc_annotation(picture: str, found: Detections) -> str:
    """Return the XML of a picture, with edges at whole pixels, as labelling tools write it.

    Args:
        picture: the name of its file.
        found: the objects, in pixels of the picture.
    """
    root = ElementTree.Element("annotation")
    ElementTree.SubElement(root, "filename").text = picture
    size = ElementTree.SubElement(root, "size")
    for name, side in zip(("width", "height", "depth"), (*found.size, 3), strict=True):
        ElementTree.SubElement(size, name).text = str(side)
    for label, box in zip(found.names, found.boxes.tolist(), strict=True):
        thing = ElementTree.SubElement(root, "object")
        ElementTree.SubElement(thing, "name").text = label
        ElementTree.SubElement(thing, "pose").text = "Unspecified"
        for flag in ("truncated", "difficult"):
            ElementTree.SubElement(thing, flag).text = "0"
        edges = ElementTree.SubElement(thing, "bndbox")
        for name, edge in zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True):
            ElementTree.SubElement(edges, name).text = str(round(edge))
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def yolo_annotation(picture: str, found: Detections) -> str:
    """Return a line for each object: its class, and centre and sides in shares of the picture.

    Args:
        picture: the name of its file, which is not written.
        found: the objects, in pixels of the picture.
    """
    width, height = found.size
    lines = []
    for label, (left, top, right, bottom) in zip(
        found.classes.tolist(), found.boxes.tolist(), strict=True
    ):
        shares = (
            (left + right) / 2 / width,
            (top + bottom) / 2 / height,
            (right - left) / width,
            (bottom - top) / height,
        )
        lines.append(" ".join([str(label), *(f"{share:.6f}" for share in shares)]) + "\n")
    return "".join(lines)


WRITERS: Mapping[ProposalLayout, Write] = {"voc": voc_annotation, "yolo": yolo_annotation}


def classes_text(labels: Sequence[str]) -> str:
    """Return what `classes.txt` holds."""
    return "".join(f"{label}\n" for label in labels)
