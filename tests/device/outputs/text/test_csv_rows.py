from __future__ import annotations

import csv
import re
from pathlib import Path

import numpy as np

from edgeinfer.device.loop.results import Answer
from edgeinfer.device.outputs.text.csv_rows import COLUMNS, EARLIER_COLUMNS, CsvSink, csv_line
from edgeinfer.device.outputs.text.line_file import LineFile
from edgeinfer.device.tasks.classification.prediction import Classification
from edgeinfer.device.tasks.detection.prediction import Detections
from edgeinfer.device.tasks.embedding.prediction import Embedding
from edgeinfer.device.tasks.prediction import Prediction
from edgeinfer.device.tasks.segmentation.prediction import Mask
from edgeinfer.device.tasks.value.prediction import Value
from tests.device.outputs.examples import answer


def rows_of(tmp_path: Path, *answers: Answer) -> list[dict[str, str]]:
    path, header = tmp_path / "x.csv", csv_line(COLUMNS)
    with CsvSink(LineFile(path, begins=header, header=header, max_bytes=10**6)) as sink:
        for one in answers:
            sink.write(one)
    assert len(path.read_text().splitlines()) == 1 + len(answers)
    with path.open(newline="") as file:
        return list(csv.DictReader(file, strict=True))


def saying(prediction: Prediction) -> Answer:
    return Answer(frame=answer().frame, prediction=prediction, age_ms=1.0)


def filled(row: dict[str, str]) -> dict[str, str]:
    """Return the cells that the kind of prediction fills."""
    return {key: row[key] for key in COLUMNS[6:] if row[key] != ""}


def test_classes_and_what_csv_must_quote(tmp_path: Path) -> None:
    label = 'a "cat",\nand\ttwo é'
    one = answer(label, name="b\udcff.jpg", truth="dog", sequence=4)
    (row,) = rows_of(tmp_path, one)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", row.pop("time"))
    shown = 'a "cat",\\nand\\ttwo é'
    assert filled(row) == {"label_1": shown, "score_1": "0.9", "label_2": "dog", "score_2": "0.1"}
    assert (row["sequence"], row["age_ms"], row["dropped"]) == ("4", "12.346", "0")
    assert (row["name"], row["truth"]) == ("b\\udcff.jpg", "dog")


def test_of_a_video_there_is_the_position_in_it(tmp_path: Path) -> None:
    rows = rows_of(tmp_path, answer(position_s=1 / 3), answer(position_s=0.0), answer())
    assert [row["position_s"] for row in rows] == ["0.3333", "0.0", ""]


def test_a_file_of_an_earlier_version_makes_room(tmp_path: Path) -> None:
    path, header = tmp_path / "x.csv", csv_line(COLUMNS)
    for columns in EARLIER_COLUMNS:
        earlier = csv_line(columns) + "a row of it\n"
        path.write_text(earlier)
        file = LineFile(
            path,
            begins=header,
            header=header,
            earlier=tuple(map(csv_line, EARLIER_COLUMNS)),
            max_bytes=10**6,
        )
        file.check()
        with CsvSink(file) as sink:
            sink.write(answer())
            sink.write(answer())
        assert (tmp_path / "x.csv.1").read_text() == earlier
        assert path.read_text().startswith(header)
        assert len(path.read_text().splitlines()) == 3


def test_only_the_best_classes_have_columns(tmp_path: Path) -> None:
    labels = tuple(f"class {number}" for number in range(9))
    prediction = Classification(labels=labels, probabilities=np.arange(9) / 36)
    (row,) = rows_of(tmp_path, saying(prediction))
    assert [row[f"label_{n}"] for n in range(1, 6)] == [f"class {n}" for n in (8, 7, 6, 5, 4)]


def test_the_other_kinds(tmp_path: Path) -> None:
    detections = Detections(
        labels=("cat", "dog"),
        boxes=np.zeros((2, 4)),
        classes=np.array([1, 1]),
        scores=np.array([0.75, 0.5]),
        size=(10, 10),
    )
    mask = Mask(
        labels=("ground", "bird"),
        classes=np.array([[0, 0], [0, 1]], np.uint8),
        box=(0, 0, 10, 10),
        size=(10, 10),
    )
    predictions: list[Prediction] = [
        Value(value=21.5, unit="°C"),
        detections,
        mask,
        Embedding(vector=np.zeros(4)),
    ]
    rows = rows_of(tmp_path, *map(saying, predictions))
    assert [filled(row) for row in rows] == [
        {"value": "21.5", "unit": "°C"},
        {"label_1": "dog", "score_1": "0.75", "label_2": "dog", "score_2": "0.5", "count": "2"},
        {"label_1": "ground", "score_1": "0.75", "label_2": "bird", "score_2": "0.25"},
        {},
    ]


def test_no_cell_is_a_formula_and_numbers_stay_numbers(tmp_path: Path) -> None:
    value = Answer(
        frame=answer("x", name="@SUM(A1)").frame,
        prediction=Value(value=-21.5, unit="=1+1"),
        age_ms=1.0,
    )
    rows = rows_of(tmp_path, answer("=HYPERLINK(1)", truth="+2+3"), value)
    assert (rows[0]["label_1"], rows[0]["truth"]) == ("'=HYPERLINK(1)", "'+2+3")
    assert (rows[1]["name"], rows[1]["value"], rows[1]["unit"]) == ("'@SUM(A1)", "-21.5", "'=1+1")
