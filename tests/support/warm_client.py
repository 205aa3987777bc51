"""Stands for Python; `warm_client.py PYTHON SOCKET MODULE... -- ARGUMENTS` is how it is started.

Where the arguments are `-P -m MODULE ...`, the process behind the socket runs them, and this one
ends as that one did; see `warm_tensorflow.py`. Otherwise it becomes that Python.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys


def main() -> None:
    """Have the arguments run."""
    python, address, *modules = sys.argv[1 : sys.argv.index("--")]
    arguments = sys.argv[sys.argv.index("--") + 1 :]
    if arguments[:2] != ["-P", "-m"] or arguments[2] not in modules:
        os.execv(python, [python, *arguments])
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as server:
        server.connect(address)
        job = {
            "arguments": arguments[2:],
            "folder": os.getcwd(),
            "environment": dict(os.environ),
        }
        socket.send_fds(server, [json.dumps(job).encode()], [0, 1, 2])
        answer = server.recv(100)
    code = json.loads(answer)
    if code < 0:
        signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    sys.exit(code)


if __name__ == "__main__":
    main()
