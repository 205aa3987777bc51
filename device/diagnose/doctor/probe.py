"""The child process of the doctor: imports and loads what may crash, and reports how far it got.

    python -m edgeinfer.device.diagnose.doctor.probe NAME ARGUMENT...

Each fact is one line of JSON, written immediately: after a crash, the lines say what worked before.
An edgeinfer error is the fact `error`; any other error ends the process with its traceback.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import logging
import os
import resource
import signal
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any, cast

from edgeinfer.device.core.errors import EdgeinferError
from edgeinfer.device.diagnose.doctor.child import SOURCE_VARIABLE

_PR_SET_PDEATHSIG = 1
"""From the kernel's include/uapi/linux/prctl.h."""

_LIVE_FRAMES = 10
_SNAPSHOT_FPS = 5.0
"""How often an address that gives single pictures is asked, so that the check ends soon."""


def tell(**facts: object) -> None:
    """Print facts."""
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


class _Teller(logging.Handler):
    """Prints what is logged as facts."""

    def emit(self, record: logging.LogRecord) -> None:
        tell(warning=record.getMessage())


def probe_numpy() -> None:
    """Import numpy and compute."""
    import numpy as np

    tell(version=np.__version__, path=np.__file__)
    tell(sum=int(np.arange(5, dtype=np.int32).sum()))


def probe_opencv() -> None:
    """Import OpenCV; encode and decode a picture."""
    import cv2
    import numpy as np

    tell(version=cv2.__version__, path=cv2.__file__)
    encoded = cv2.imencode(".jpg", np.full((8, 8, 3), 128, np.uint8))[1]
    tell(shape=list(cv2.imdecode(encoded, cv2.IMREAD_COLOR).shape))
    backends = cv2.videoio_registry.getCameraBackends()
    tell(backends=[cv2.videoio_registry.getBackendName(backend) for backend in backends])


def probe_kernels() -> None:
    """Load the native preprocessing."""
    from edgeinfer.device.preprocess.native_library import library_path, load_kernels

    path = library_path()
    tell(path=None if path is None else str(path))
    kernels = load_kernels()
    tell(instruction_set=None if kernels is None else kernels.instruction_set)


def probe_runtimes() -> None:
    """Report which runtimes are installed, and which one is used."""
    from edgeinfer.device.runtime.runner import choose_runtime, installed_runtimes

    tell(installed=list(installed_runtimes()))
    tell(chosen=choose_runtime())


def probe_runtime(name: str) -> None:
    """Load and run a tiny model, which fails if the runtime and numpy do not fit."""
    import numpy as np

    from edgeinfer.device.diagnose.doctor.tiny_model import TINY_INPUT, tiny_model
    from edgeinfer.device.runtime.runner import Runner, RuntimeName

    tell(numpy=np.__version__)
    runner = Runner(tiny_model(), subject="a tiny model", runtime=cast("RuntimeName", name))
    tell(description=runner.description)
    (answer,) = runner.invoke([np.array(TINY_INPUT, np.int8)])
    tell(answer=answer.tolist())


def probe_delegate(name: str, root: str, limit_s: str) -> None:
    """Load a delegate as `edgeinfer run` does: in a worker, and explain how it ended."""
    from edgeinfer.device.runtime.delegates.spec import delegate_spec
    from edgeinfer.device.runtime.delegates.worker.explain import explain
    from edgeinfer.device.runtime.delegates.worker.process import (
        WorkerJob,
        WorkerProcess,
        WorkerStartError,
    )
    from edgeinfer.device.runtime.runner import choose_runtime

    runtime, delegate = choose_runtime(), delegate_spec(name)
    tell(runtime=f"{runtime} {metadata.version(runtime)}")
    job = WorkerJob(delegate=delegate, runtime=runtime, model=None, subject=name)
    with WorkerProcess(job) as worker:
        try:
            worker.load(limit_s=float(limit_s))
        except WorkerStartError as failure:
            tell(how=failure.how, stage=failure.stage, kind=failure.kind)
            raise explain(delegate, failure, runtime=runtime, root=Path(root)) from failure
        tell(loaded=True)


def probe_picamera2() -> None:
    """Import the packages that cameras on the ribbon cable need."""
    for name in ("libcamera", "picamera2"):
        importlib.import_module(name)


def probe_camera(model_path: str, tls_ca: str = "", tls_insecure: str = "0") -> None:
    """Open a source as `edgeinfer run` does and read from it; from files, one picture is enough."""
    source = os.environ[SOURCE_VARIABLE]
    from edgeinfer.device.cameras.network.urls import is_http
    from edgeinfer.device.cameras.open import needs_model, open_camera
    from edgeinfer.device.cameras.options import CameraOptions

    # Reconnecting to a camera that fails never ends: the limit of the doctor ends it.
    trust = CameraOptions(tls_ca=tls_ca or None, tls_insecure=tls_insecure == "1")
    options: dict[str, Any] = {"options": trust}
    if is_http(source):
        options["fps"] = _SNAPSHOT_FPS
    logging.getLogger("edgeinfer.device.cameras").addHandler(_Teller())
    if needs_model(source):
        from edgeinfer.device.models.bundle.installed import installed_bundle
        from edgeinfer.device.models.model import Model

        model = Model.open(Path(model_path) if model_path else installed_bundle())
        options |= {"pictures": model.golden_frames, "spec": model.preprocessor.spec}
    with open_camera(source, **options) as camera:
        tell(description=camera.description, live=camera.live)
        # The first pictures are often dark, until the camera has adjusted to the light.
        frames = [camera.read() for _ in range(_LIVE_FRAMES if camera.live else 1)]
        last = frames[-1]
        if last is not None:
            tell(brightness=float(last.rgb().mean()))


def probe_model(path: str) -> None:
    """Open a model and run it; also verify a bundle, which runs its golden frames."""
    import numpy as np

    from edgeinfer.device.models.bundle.installed import installed_bundle
    from edgeinfer.device.models.model import Model

    file = Path(path) if path else installed_bundle()
    tell(path=str(file))
    with Model.open(file) as model:
        tell(name=model.name, runtime=model.runner.description)
        model.predict(np.full((240, 320, 3), 128, np.uint8))
        golden = bool(model.golden_frames())
    if golden:
        from edgeinfer.device.models.bundle.reader import open_bundle
        from edgeinfer.device.models.verify import verify_bundle

        with open_bundle(file) as bundle:
            variants = bundle.manifest.variants.items()
            tell(variants={name: variant.delegate for name, variant in variants})
        tell(frames=verify_bundle(file).frames)
    from edgeinfer.device.diagnose.benchmark.machine import peak_resident_mib

    tell(peak_mib=peak_resident_mib())


def probe_verify(path: str) -> None:
    """Verify a bundle."""
    import dataclasses

    from edgeinfer.device.models.verify import verify_bundle

    report = verify_bundle(Path(path))
    tell(report=dataclasses.asdict(report), lines=report.lines())


def probe_benchmark(path: str, seconds: str, cold_starts: str) -> None:
    """Measure a model for a short time."""
    from edgeinfer.device.diagnose.benchmark.benchmark import BenchmarkOptions, benchmark_model
    from edgeinfer.device.diagnose.benchmark.text import report_lines

    options = BenchmarkOptions(seconds=float(seconds), cold_starts=int(cold_starts))
    report = benchmark_model(path, options)
    tell(report=report.to_json(), lines=report_lines(report))


def probe_cameras() -> None:
    """List the cameras with their modes."""
    from edgeinfer.device.cameras.list_cameras import list_cameras

    listing = list_cameras()
    tell(report=listing.to_json(), lines=listing.camera_lines())


_PROBES: dict[str, Callable[..., None]] = {
    "numpy": probe_numpy,
    "opencv": probe_opencv,
    "kernels": probe_kernels,
    "runtimes": probe_runtimes,
    "runtime": probe_runtime,
    "delegate": probe_delegate,
    "picamera2": probe_picamera2,
    "camera": probe_camera,
    "model": probe_model,
    "verify": probe_verify,
    "benchmark": probe_benchmark,
    "cameras": probe_cameras,
}


def main(arguments: list[str]) -> int:
    """Run a probe by its name."""
    # Ctrl-C ends it even inside native code, and it ends with the doctor, which may be stopped too.
    # An expected crash leaves no core file.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    name, *rest = arguments
    try:
        _PROBES[name](*rest)
    except EdgeinferError as error:
        tell(error=error.to_dict())
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
