"""Answers the shim's camera and prints for each answer which picture it is of.

    python tests/endurance/watched.py JOB

JOB is a JSON object: model, labels, delegate (a library, or null), control (the delegate's control
file), deadline_s, load_limit_s, timeout_s. It is the loop that `edgeinfer run` runs, with an output
that reads the number that the shim wrote into the picture. One JSON object a line: `picture`, or
`damaged`, or `warning`.
"""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path

from edgeinfer.device.cameras.options import CameraOptions
from edgeinfer.device.loop.stream import open_stream
from edgeinfer.device.runtime.delegates.request import DelegateRequest
from edgeinfer.device.runtime.delegates.worker.restart_policy import WorkerPolicy
from edgeinfer.device.runtime.open_options import OpenOptions
from tests.support.logged import hearing
from tests.system.v4l2_shim.steering import picture_number

_SAYING = threading.Lock()


def say(**fields: object) -> None:
    """Print a line; a delegate's keeper warns from its own thread."""
    with _SAYING:
        print(json.dumps(fields), flush=True)


def main() -> None:
    """Answer until the process is ended."""
    job = json.loads(sys.argv[1])
    delegates = DelegateRequest()
    if job["delegate"] is not None:
        delegates = DelegateRequest(
            delegate=job["delegate"],
            options=(("control", job["control"]),),
            # Many more faults than a month brings, one after another.
            policy=WorkerPolicy(
                deadline_s=job["deadline_s"], load_limit_s=job["load_limit_s"], restarts=10**6
            ),
        )
    with (
        hearing(lambda line: say(warning=line)),
        open_stream(
            job["model"],
            OpenOptions(
                labels=tuple(Path(job["labels"]).read_text().splitlines()), delegates=delegates
            ),
            camera="/dev/video0",
            camera_options=CameraOptions(timeout_s=job["timeout_s"]),
        ) as stream,
    ):
        for answer in stream.answers():
            frame = answer.frame
            try:
                say(picture=picture_number(frame.pixels, frame.format))
            except ValueError as error:
                say(damaged=str(error))


if __name__ == "__main__":
    main()
