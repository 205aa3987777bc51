"""`python -m tests.words [PATH...]`: the word list of docs/contributing.md, held against the tree.

Without paths, all code and documentation. Ends with 1 where a text breaks a rule.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path

from tests.words.texts import files_of, texts_of
from tests.words.word_list import PAGE, WordList, read_rules

ROOT = PAGE.parents[1]
PATHS = (
    *("boards", "converters", "device", "host", "tests", "docs"),
    *("README.md", "CHANGELOG.md", "SECURITY.md", "Makefile", "CMakeLists.txt", "pyproject.toml"),
)


def main(arguments: list[str] | None = None) -> int:
    """Print each place that breaks a rule; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.words", description=__doc__)
    parser.add_argument("paths", nargs="*", type=Path, metavar="PATH")
    parser.add_argument("--count", action="store_true", help="how often each phrase, and no places")
    options = parser.parse_args(arguments)
    words = WordList(read_rules(PAGE.read_text(encoding="utf-8")))
    found: Counter[str] = Counter()
    for path in files_of(options.paths or [ROOT / each for each in PATHS]):
        for part in texts_of(path):
            for match in words.search(part.text):
                found[match.rule.phrase] += 1
                line = part.line + part.text.count("\n", 0, match.start)
                if not options.count:
                    shown = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
                    phrase, write = match.rule.phrase, match.rule.write
                    print(f"{shown}:{line}: '{phrase}': write: {write}")
    for phrase, count in found.most_common() if options.count else ():
        print(f"{count:5} {phrase}")
    if found:
        print(f"{found.total()} places break the word list, docs/contributing.md", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
