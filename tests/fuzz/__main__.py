"""`python -m tests.fuzz [TARGET...]`: see README.md beside this file."""

from __future__ import annotations

import argparse
import sys
import time

from tests.fuzz.run import load_target, run_target, target_names


def main() -> int:
    """Run the targets that are named, or all; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", choices=[*target_names(), []], metavar="TARGET")
    parser.add_argument("--attempts", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="number of the first attempt")
    options = parser.parse_args()
    failed = False
    for name in options.targets or target_names():
        target = load_target(name)
        start = time.process_time()
        faults = run_target(
            target, attempts=options.attempts, seed=options.seed, first=options.first
        )
        spent_s = time.process_time() - start
        print(f"{name}: {options.attempts} attempts, {len(faults)} faults, {spent_s:.1f} s of CPU")
        for fault in faults:
            print(f"attempt {fault.number}, kept in {fault.keep(name)}\n{fault.trace}")
        failed = failed or bool(faults)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
