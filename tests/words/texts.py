"""The prose of a file: comments, texts and names of code, and documentation."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_OTHER_CODE = {".c", ".cc", ".h", ".sh", ".toml", ".cmake", ".txt"}
_OTHER_FILES = {"Makefile"}
_LEADING_MARKERS = re.compile(r"^[ \t]*(?:#+|//+|\*+|/\*+)", re.MULTILINE)
# Symbolic links to the source tree, and what tools leave.
_SKIPPED = {"typing", "build", "dist", "__pycache__"}


@dataclass(frozen=True)
class Text:
    """Some prose and the line of the file that it begins on, from 1 on."""

    line: int
    text: str


def files_of(paths: list[Path]) -> Iterator[Path]:
    """Yield the files with prose at and below some paths, in order.

    Raises:
        FileNotFoundError: a path does not exist.
    """
    for path in paths:
        if path.is_dir():
            yield from files_of(
                [
                    each
                    for each in sorted(path.iterdir())
                    if each.name not in _SKIPPED and not each.name.startswith(".")
                ]
            )
        elif not path.exists():
            raise FileNotFoundError(path)
        elif path.suffix in {".py", ".md", *_OTHER_CODE} or path.name in _OTHER_FILES:
            yield path


def texts_of(path: Path) -> Iterator[Text]:
    """Yield the prose of a file, its name included."""
    yield Text(1, _words(path.stem))
    content = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        yield from _comments(content)
        yield from _strings_and_names(content)
    elif path.name == "CHANGELOG.md":
        yield _unreleased(content)
    elif path.suffix == ".md":
        yield Text(1, _without_word_list(content))
    else:
        yield Text(1, _LEADING_MARKERS.sub("", content))


def _comments(content: str) -> Iterator[Text]:
    """Yield comments; those of consecutive lines as one."""
    start, end, lines = 0, 0, list[str]()
    for token in tokenize.generate_tokens(io.StringIO(content).readline):
        if token.type != tokenize.COMMENT:
            continue
        if lines and token.start[0] != end + 1:
            yield Text(start, "\n".join(lines))
            lines = []
        if not lines:
            start = token.start[0]
        end = token.start[0]
        lines.append(token.string.lstrip("#"))
    if lines:
        yield Text(start, "\n".join(lines))


def _strings_and_names(content: str) -> Iterator[Text]:
    """Yield string literals, adjacent ones as one, and each name once."""
    tree = ast.parse(content)
    parts = {
        value for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for value in node.values
    }
    names: dict[str, int] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield Text(node.lineno, "".join(map(_literal, node.values)))
        elif isinstance(node, ast.Constant) and node not in parts and isinstance(node.value, str):
            yield Text(node.lineno, node.value)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.setdefault(node.name, node.lineno)
        elif isinstance(node, ast.arg):
            names.setdefault(node.arg, node.lineno)
        elif isinstance(node, ast.Name):
            names.setdefault(node.id, node.lineno)
        elif isinstance(node, ast.Attribute):
            names.setdefault(node.attr, node.lineno)
    for name, line in names.items():
        yield Text(line, _words(name))


def _literal(node: ast.expr) -> str:
    """Return a part of an f-string; of what is computed, a placeholder that ends a word."""
    return str(node.value) if isinstance(node, ast.Constant) else "{}"


def _words(name: str) -> str:
    """Return the words of a name: `is_broken` and `IsBroken` are "is broken"."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).replace("_", " ").replace("-", " ").strip()


def _unreleased(content: str) -> Text:
    """Return what a changelog says of the version that is not out; nothing of older ones."""
    found = re.search(r"^## [^\n]*unreleased.*?(?=^## |\Z)", content, re.M | re.S | re.I)
    return Text(content[: found.start()].count("\n") + 1, found[0]) if found else Text(1, "")


def _without_word_list(content: str) -> str:
    """Return a page without the rows of the word list, which must name what it bans."""
    return re.sub(r"(?<=^## Words\n).*?(?=^## |\Z)", _blank, content, flags=re.M | re.S)


def _blank(found: re.Match[str]) -> str:
    return "\n" * found[0].count("\n")
