from __future__ import annotations

import sys

from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.device.diagnose.doctor.child import ChildEnd, facts_of, run_child, run_probe
from tests.device.diagnose.doctor.processes import ends
from tests.support.waiting import PATIENCE_S


def run(code: str, timeout_s: float = PATIENCE_S) -> ChildEnd:
    return run_child([sys.executable, "-c", code], timeout_s=timeout_s)


def test_facts_are_merged_and_the_lines_of_a_library_are_skipped() -> None:
    end = run("print('{\"a\": 1}'); print('hello [1]'); print('[2]'); print('{\"b\": null}')")
    assert end.code == 0
    assert end.facts == {"a": 1, "b": None}


@given(st.text())
def test_whatever_a_library_prints_is_not_an_error(text: str) -> None:
    assert facts_of(text + '\n{"a": 1}\n')["a"] == 1


def test_a_crash_is_named_and_what_went_before_is_kept() -> None:
    end = run(
        "import os, signal; print('{\"a\": 1}', flush=True); os.kill(os.getpid(), signal.SIGSEGV)"
    )
    assert end.facts == {"a": 1}
    assert end.crash == "SIGSEGV"
    assert end.reason == "it crashed with SIGSEGV"


def test_one_that_hangs_is_stopped_and_what_went_before_is_kept() -> None:
    # A shell begins in a moment, on a busy machine too.
    end = run_child(["sh", "-c", "echo '{\"a\": 1}'; exec sleep 3600"], timeout_s=4)
    assert end.code is None
    assert end.facts == {"a": 1}
    assert end.reason == "it did not answer in time"


def test_the_reason_is_the_last_line_on_stderr() -> None:
    assert run("raise RuntimeError('no\\nluck')").reason == "luck"
    assert run("import sys; sys.exit(3)").reason == "it ended with exit code 3"


def test_a_program_that_is_not_there() -> None:
    end = run_child(["/nowhere/vcgencmd"], timeout_s=5)
    assert end.code == 127
    assert "No such file" in end.reason


def test_a_probe_ends_with_the_doctor() -> None:
    """The kernel ends it: nothing of the doctor's is left to do so."""
    code = (
        "import os, signal, subprocess, sys;"
        "child = subprocess.Popen([sys.executable, '-c',"
        " 'import sys, time; from edgeinfer.device.diagnose.doctor import probe;"
        ' probe._PROBES["wait"] = lambda: (probe.tell(), time.sleep(600));'
        ' probe.main(["wait"])\'], stdout=subprocess.PIPE);'
        "child.stdout.readline();"
        "print('{\"pid\": %d}' % child.pid, flush=True);"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    end = run(code)
    assert end.crash == "SIGKILL"
    assert ends(int(end.facts["pid"]))


def test_probes_tell_edgeinfers_own_errors_as_facts() -> None:
    end = run_probe("runtime", "no-such-runtime", timeout_s=PATIENCE_S)
    assert end.code == 1
    assert end.facts["error"]["got"] == "no-such-runtime is not installed"
