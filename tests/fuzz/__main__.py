"""`python -m tests.fuzz [TARGET...]`: see README.md next to this file."""

from __future__ import annotations

import argparse
import importlib.util
import resource
import sys

from tests.fuzz.guided import run_guided
from tests.fuzz.run import run_target, target_names


def main() -> int:
    """Run the targets that are named, or all; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", choices=[*target_names(), []], metavar="TARGET")
    parser.add_argument("--attempts", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="number of the first attempt")
    parser.add_argument(
        "--guided", action="store_true", help="by coverage, where atheris is installed"
    )
    options = parser.parse_args()
    guided = options.guided and importlib.util.find_spec("atheris") is not None
    if options.guided and not guided:
        print("atheris is not installed: the mutations are not guided by coverage")
    failed = False
    for name in options.targets or target_names():
        start_s = _children_s()
        if guided:
            faults = run_guided(name, attempts=options.attempts, seed=options.seed)
        else:
            faults = run_target(
                name, attempts=options.attempts, seed=options.seed, first=options.first
            )
        spent_s = _children_s() - start_s
        print(
            f"{name}: {options.attempts} attempts, {len(faults)} faults, {spent_s:.1f} s of CPU",
            flush=True,
        )
        for fault in faults:
            print(f"attempt {fault.number}, kept in {fault.keep(name)}\n{fault.trace}", flush=True)
        failed = failed or bool(faults)
    return int(failed)


def _children_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    sys.exit(main())
