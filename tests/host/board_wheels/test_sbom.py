"""Bills of materials, held against CycloneDX's own schema."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from edgeinfer.host.board_wheels import BoardWheels, WheelFile
from edgeinfer.host.board_wheels.sbom import main, release_sbom, wheel_sbom
from edgeinfer.host.board_wheels.supported import own_requirements
from edgeinfer.host.board_wheels.wheel_file import wheel_file
from tests.host.board_wheels.wheels import BOOKWORM, make_own_wheel, make_wheel

BUNDLE = "ab" * 32
PYTHON = ("3.12.4", "cd" * 32)


def check(content: bytes) -> dict[str, Any]:
    """Validate a bill and return it."""
    fault = JsonStrictValidator(SchemaVersion.V1_6).validate_str(content.decode())
    assert fault is None, fault
    document: dict[str, Any] = json.loads(content)
    refs = [part["bom-ref"] for part in document["components"]]
    refs.append(document["metadata"]["component"]["bom-ref"])
    assert len(set(refs)) == len(refs)
    assert {one["ref"] for one in document["dependencies"]} == set(refs)
    assert {ref for one in document["dependencies"] for ref in one["dependsOn"]} <= set(refs)
    assert b"://" not in content
    return document


@pytest.fixture
def wheels(tmp_path: Path) -> BoardWheels:
    def described(name: str, **options: Any) -> WheelFile:
        return wheel_file(make_wheel(tmp_path, name, **options))

    own = make_own_wheel(
        tmp_path, ["tflite-runtime==2.14.0; python_version < '3.12'", "click; os_name == 'nt'"]
    )
    return BoardWheels(
        wheels=(
            described("click", licence="BSD-3-Clause"),
            wheel_file(own),
            described("numpy", version="1.26.4", licence="BSD License"),
            described("tflite-runtime", version="2.14.0", requires=["numpy>=1.23"]),
        ),
        pip=described("pip", version="26.0"),
    )


def test_a_release_names_each_wheel_with_its_hash(wheels: BoardWheels) -> None:
    bill = check(release_sbom(BOOKWORM, wheels, name="photos", bundle_sha256=BUNDLE))
    parts = {part["name"]: part for part in bill["components"]}
    for wheel in (*wheels.wheels, wheels.pip):
        name = wheel.name.split("-")[0].replace("_", "-")
        assert parts[name]["hashes"] == [{"alg": "SHA-256", "content": wheel.sha256}]
        assert parts[name]["version"] == wheel.name.split("-")[1]
        assert wheel.name in parts[name]["purl"]
    assert parts["photos"]["type"] == "machine-learning-model"
    assert parts["photos"]["hashes"][0]["content"] == BUNDLE
    assert parts["pip"]["scope"] == "excluded"
    assert parts["click"]["licenses"] == [{"expression": "BSD-3-Clause"}]
    assert parts["numpy"]["licenses"] == [{"license": {"name": "BSD License"}}]
    assert "licenses" not in parts["tflite-runtime"]
    assert parts["numpy"]["purl"].startswith("pkg:pypi/numpy@1.26.4?")
    assert parts["edgeinfer"]["purl"].startswith("pkg:generic/edgeinfer@")


def test_dependencies_are_those_of_the_board(wheels: BoardWheels) -> None:
    bill = check(release_sbom(BOOKWORM, wheels, name="photos", bundle_sha256=BUNDLE))
    names = {part["bom-ref"]: part["name"] for part in bill["components"]} | {"release": "release"}
    needs = {
        names[one["ref"]]: [names[ref] for ref in one["dependsOn"]] for one in bill["dependencies"]
    }
    assert needs["edgeinfer"] == ["tflite-runtime"]  # click is for another system
    assert needs["tflite-runtime"] == ["numpy"]
    assert sorted(needs["release"]) == ["edgeinfer", "photos"]


def test_the_same_release_has_the_same_bill(wheels: BoardWheels) -> None:
    one = release_sbom(BOOKWORM, wheels, name="photos", bundle_sha256=BUNDLE)
    assert release_sbom(BOOKWORM, wheels, name="photos", bundle_sha256=BUNDLE) == one
    other = release_sbom(BOOKWORM, wheels, name="photos", bundle_sha256="ef" * 32)
    assert json.loads(other)["serialNumber"] != json.loads(one)["serialNumber"]


def test_a_bill_names_the_systems_packages_and_the_given_python(wheels: BoardWheels) -> None:
    target = dataclasses.replace(BOOKWORM, system_packages=frozenset({"numpy"}))
    bill = check(release_sbom(target, wheels, name="ünïcode", bundle_sha256=BUNDLE, python=PYTHON))
    (python,) = [part for part in bill["components"] if part["name"] == "CPython"]
    assert (python["version"], python["hashes"][0]["content"]) == PYTHON
    facts = {one["name"]: one["value"] for one in bill["metadata"]["properties"]}
    assert facts["edgeinfer:provided-by-the-system"] == "numpy"
    assert "Python 3.11" in facts["edgeinfer:system"]


def test_a_wheels_bill_names_what_boards_get_with_it(tmp_path: Path) -> None:
    needs = [str(one) for one in own_requirements() if "extra" not in str(one.marker)]
    licence = {"edgeinfer/host/embedded/cats/LICENSE": "The Cat Licence\n\nMeow."}
    own = make_own_wheel(tmp_path, needs, members=licence)
    bill = check(wheel_sbom(own))
    root = bill["metadata"]["component"]
    assert (root["name"], root["hashes"][0]["content"]) == ("edgeinfer", wheel_file(own).sha256)
    files = [part.get("purl", "") for part in bill["components"]]
    assert any("tflite_runtime-2.14.0-cp311-cp311-manylinux_2_34_aarch64" in file for file in files)
    assert not any("x86_64" in file or "armv7l" in file for file in files)
    (data,) = [part for part in bill["components"] if part["type"] == "data"]
    assert data["licenses"] == [{"license": {"name": "The Cat Licence"}}]


def test_the_program_writes_it_next_to_the_wheel(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    needs = [str(one) for one in own_requirements() if "extra" not in str(one.marker)]
    own = make_own_wheel(tmp_path, needs)
    assert main([str(own)]) == 0
    bill = own.with_name(own.stem + ".cdx.json")
    assert capsys.readouterr().out == f"{bill}\n"
    check(bill.read_bytes())


@pytest.mark.parametrize(("name", "code"), [("dist/*.whl", 2), ("edgeinfer-1-py3-none-any.whl", 1)])
def test_a_file_that_is_not_a_wheel_is_an_error_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, code: int
) -> None:
    if code == 1:
        (tmp_path / name).write_text("no wheel")
    assert main([str(tmp_path / name)]) == code
    assert capsys.readouterr().err.startswith("error: ")
