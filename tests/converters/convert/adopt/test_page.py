"""The page of an adopted model."""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from edgeinfer.converters.bundle.page.write import CARD_FILE, PAGE_FILE
from edgeinfer.converters.cli.adopt import adopt as adopt_command
from edgeinfer.converters.common.progress import Silent
from edgeinfer.converters.convert.adopt.adopt import adopt
from edgeinfer.converters.convert.adopt.page import adopted_page, write_adopted_page
from edgeinfer.device.models.model import Model
from edgeinfer.device.runtime.open_options import OpenOptions
from tests.converters.convert.adopt.test_adopt import LABELS, labelled, model
from tests.device.tflite.graph_examples import two_signatures
from tests.support.html import read_page

__all__ = ["labelled", "model"]  # fixtures


def test_the_page_says_what_was_found_out_and_what_it_answers(
    model: Path, labelled: Path, tmp_path: Path
) -> None:
    result = adopt(model, tmp_path / "out.edgebundle", LABELS, Silent(), pictures=labelled)
    page, card = adopted_page(result)
    assert dict(page.facts)["accuracy"].startswith("100.00 %")
    titles = [section.title for section in page.sections]
    assert titles[:3] == ["What was found out", "The input's range", "Answers"]
    files = write_adopted_page(result, pytest.fail)
    assert files is not None
    assert files.page == tmp_path / "out-report" / PAGE_FILE
    text = files.page.read_text(encoding="utf-8")
    read_page(text)
    assert "imagenet" in text  # a range that was tried
    assert re.search(r"dark \d+\.\d%", text)  # an answer with its probability
    assert "accuracy, input -1..1" in (files.folder / CARD_FILE).read_text(encoding="utf-8")
    assert card.labels == ("dark", "bright")


def test_without_pictures_it_has_no_answers(model: Path, tmp_path: Path) -> None:
    options = OpenOptions(labels=LABELS.labels, input_range="-1..1")
    page, _ = adopted_page(adopt(model, tmp_path / "out.edgebundle", options, Silent()))
    assert "Answers" not in [section.title for section in page.sections]
    assert "accuracy" not in dict(page.facts)


@pytest.mark.parametrize("task", ["segmentation", "picture"])
def test_models_whose_answers_are_only_compared_have_a_page(tmp_path: Path, task: str) -> None:
    """They have no targets: their bundle came without a page, and with a warning."""
    path = tmp_path / "plain.tflite"
    path.write_bytes(two_signatures())
    options = OpenOptions(input_range="0..1", signature="negated", task=task)
    page, card = adopted_page(adopt(path, tmp_path / "out.edgebundle", options, Silent()))
    assert card.task == task
    assert page.sections


def test_what_fails_on_the_page_is_said_and_the_bundle_stays(
    model: Path, labelled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = adopt(model, tmp_path / "out.edgebundle", LABELS, Silent(), pictures=labelled)

    def broken(*_: object) -> Iterator[None]:
        raise RuntimeError("no answer")

    monkeypatch.setattr(Model, "predict", broken)
    said: list[str] = []
    assert write_adopted_page(result, said.append) is None
    assert said == ["warning: the page was not written: no answer"]
    assert result.bundle.is_file()


def test_the_base_install_has_no_page(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = OpenOptions(labels=LABELS.labels, input_range="-1..1")
    result = adopt(model, tmp_path / "out.edgebundle", options, Silent())
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert write_adopted_page(result, pytest.fail) is None
    assert not (tmp_path / "out-report").exists()


def test_the_command_says_where_the_page_is(
    model: Path, labelled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    words = [str(model), "--pictures", str(labelled), "--labels", "l.txt", "--no-install"]
    (tmp_path / "l.txt").write_text("dark\nbright\n")
    ran = CliRunner().invoke(adopt_command, words)
    assert ran.exit_code == 0, ran.output
    assert f"the page: {model.stem}-report/report.html" in ran.output
    ran = CliRunner().invoke(adopt_command, [*words, "--json"])
    assert json.loads(ran.stdout)["page"] == f"{model.stem}-report/report.html"
