"""Which variant runs, and what is said of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgeinfer.device.core.errors import DelegateError, ModelError, UsageError
from edgeinfer.device.models.bundle.reader import open_bundle
from edgeinfer.device.models.choose_variant import order_variants
from edgeinfer.device.models.model import Model, open_models
from edgeinfer.device.runtime.choose import spread
from edgeinfer.device.runtime.delegates.request import DelegateRequest
from edgeinfer.device.runtime.delegates.runner import DelegateRunner
from edgeinfer.device.runtime.delegates.spec import delegate_spec, parse_option
from edgeinfer.device.runtime.open_options import OpenOptions
from edgeinfer.device.runtime.runner import Runner
from tests.device.runtime.delegates.examples import with_variants

ALL = [("gpu", "gpu"), ("vx", "vx"), ("ethos-u65-256", "ethos-u"), ("edgetpu", "edgetpu")]


@pytest.fixture
def bundle(sample_bundle: Path, tmp_path: Path) -> Path:
    """A bundle with a variant for each accelerator."""
    return with_variants(sample_bundle, tmp_path / "all.edgebundle", ALL)


def order(path: Path, request: DelegateRequest) -> list[tuple[str, str | None]]:
    with open_bundle(path) as bundle:
        found = order_variants(bundle.manifest.variants, request, subject="x")
    return [(name, spec.name if spec else None) for name, spec in found]


def test_accelerators_come_before_the_cpu(bundle: Path) -> None:
    assert order(bundle, DelegateRequest()) == [
        ("edgetpu", "edgetpu"),
        ("ethos-u65-256", "ethos-u"),
        ("vx", "vx"),
        ("gpu", "gpu"),
        ("cpu", None),
    ]
    assert order(bundle, DelegateRequest(require=True))[-1] == ("gpu", "gpu")


def test_what_is_asked_for_comes_first(bundle: Path) -> None:
    assert order(bundle, DelegateRequest(variant="vx")) == [("vx", "vx"), ("cpu", None)]
    assert order(bundle, DelegateRequest(variant="cpu")) == [("cpu", None)]
    assert order(bundle, DelegateRequest(variant="vx", require=True)) == [("vx", "vx")]
    assert order(bundle, DelegateRequest(delegate="/x/libvx_delegate.so"))[0] == ("vx", "vx")
    assert order(bundle, DelegateRequest(delegate="/x/mine.so"))[0] == ("cpu", "mine.so")
    assert order(bundle, DelegateRequest(edgetpus=("all",)))[0] == ("edgetpu", "edgetpu")
    with pytest.raises(UsageError, match="has no variant 'x', expected one of cpu, edgetpu"):
        order(bundle, DelegateRequest(variant="x"))


def test_without_libraries_the_cpu_runs_and_says_why(bundle: Path) -> None:
    with Model.open(bundle) as model:
        assert isinstance(model.runner, Runner)
        text = str(model.choice)
    assert text.startswith("cpu (edgetpu: libedgetpu.so.1 is not installed; install libedgetpu")
    assert "vx: libvx_delegate.so is not installed" in text


def test_the_first_that_works_runs(bundle: Path, libedgetpu: Path, cpu: Runner) -> None:
    with Model.open(bundle) as model:
        assert str(model.choice) == "edgetpu (on libedgetpu.so.1)"
        assert isinstance(model.runner, DelegateRunner)
        pixels, _ = model.golden_frames()[0]
        tensor = model.preprocessor.tensor(pixels)
        assert np.array_equal(model.runner.invoke([tensor])[0], cpu.invoke([tensor])[0])


def test_what_takes_over_is_tried_before_it_is_needed(
    bundle: Path, libedgetpu: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with Model.open(bundle) as model:
        assert isinstance(model.runner, DelegateRunner)
        assert len(list((tmp_path / "edgeinfer" / "opened").iterdir())) == 1


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("refuse-silently", "finds no Edge TPU; plug it in"),
        ("crash-load", "libedgetpu and"),
        ("crash-graph", "do not fit"),
    ],
)
def test_libedgetpu_that_does_not_work_is_named(
    bundle: Path,
    libedgetpu: Path,
    fault: str,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("REFERENCE_DELEGATE", f"fault={fault}")
    with Model.open(bundle) as model:
        assert model.choice is not None
        assert model.choice.variant == "cpu"
        assert said in model.choice.reason
    with pytest.raises(DelegateError, match=said):
        Model.open(bundle, OpenOptions(delegates=DelegateRequest(variant="edgetpu", require=True)))


def test_a_required_delegate_that_nothing_was_made_for(sample_bundle: Path) -> None:
    with pytest.raises(DelegateError, match="has no variant for an accelerator"):
        Model.open(sample_bundle, OpenOptions(delegates=DelegateRequest(require=True)))


def test_several_edge_tpus_take_turns(bundle: Path, libedgetpu: Path) -> None:
    request = DelegateRequest(edgetpus=("usb:0", "usb:1", "pci:0"))
    models = open_models(bundle, 1, OpenOptions(delegates=request))
    try:
        told = [str(model.choice) for model in models]
    finally:
        for model in models:
            model.close()
    assert told == [
        f"edgetpu (on libedgetpu.so.1 (device={name}))" for name in ("usb:0", "usb:1", "pci:0")
    ]
    assert [dict(r.options)["device"] for r in spread(request, 5)] == [
        *("usb:0", "usb:1", "pci:0"),
        *("usb:0", "usb:1"),
    ]


def test_plain_files_take_a_delegate_too(
    model: bytes, reference_delegate: Path, tmp_path: Path
) -> None:
    path = tmp_path / "plain.tflite"
    path.write_bytes(model)
    with Model.open(path) as opened:
        assert opened.choice is None
    request = DelegateRequest(delegate=str(reference_delegate))
    with Model.open(path, OpenOptions(delegates=request)) as opened:
        assert str(opened.choice) == "delegate (on libreference_delegate.so)"
    with Model.open(path, OpenOptions(delegates=DelegateRequest(delegate="edgetpu"))) as opened:
        assert str(opened.choice).startswith("cpu (edgetpu: libedgetpu.so.1 is not installed")
    with pytest.raises(DelegateError, match="is a model for the CPU"):
        Model.open(path, OpenOptions(delegates=DelegateRequest(require=True)))
    with pytest.raises(UsageError, match=r"plain \.tflite"):
        Model.open(path, OpenOptions(delegates=DelegateRequest(variant="cpu")))


def test_a_file_compiled_for_the_edge_tpu_takes_its_delegate(
    shared_data: Path, libedgetpu: Path
) -> None:
    path = shared_data / "coral" / "mobilenet_v2_1.0_224_quant_edgetpu.tflite"
    # The stand-in is loaded, but has no such operator.
    with pytest.raises(ModelError, match="compiled for the Edge TPU, and libedgetpu"):
        Model.open(path)


@pytest.mark.parametrize(
    "values",
    [
        {"edgetpus": ("usb:0",), "delegate": "vx"},
        {"edgetpus": ("usb:0",), "options": (("device", "usb:1"),)},
        {"edgetpus": ("usb:x",)},
        {"edgetpus": ("",)},
        {"variant": "cpu", "require": True},
    ],
)
def test_contradictions_are_wrong_usage(values: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        DelegateRequest(**values)  # type: ignore[arg-type]


def test_options_are_key_and_value() -> None:
    assert parse_option("device=usb:0") == ("device", "usb:0")
    assert parse_option("a=b=c") == ("a", "b=c")
    assert parse_option("a=") == ("a", "")
    for bad in ("", "=", "=b", "a", "a b=c", "a=\0"):
        with pytest.raises(UsageError, match="KEY=VALUE"):
            parse_option(bad)


def test_libraries_are_known_by_their_file_names() -> None:
    assert delegate_spec("edgetpu").library == "libedgetpu.so.1"
    assert delegate_spec("/opt/libedgetpu.so.1").name == "edgetpu"
    assert delegate_spec("/opt/mine.so").known is None
