"""Lines for the end of the run: figures and transcripts, which no test judges.

The processes that run tests hand theirs to the one that prints.
"""

from __future__ import annotations

from typing import Any

import pytest

_TOLD: pytest.StashKey[list[tuple[str, str]]] = pytest.StashKey()


def tell(config: pytest.Config, section: str, text: str) -> None:
    """Print the text once the tests are done, below the section's title."""
    config.stash.setdefault(_TOLD, []).append((section, text))


@pytest.hookimpl
def pytest_sessionfinish(session: pytest.Session) -> None:
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["told"] = session.config.stash.get(_TOLD, [])


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    for section, text in getattr(node, "workeroutput", {}).get("told", []):
        tell(node.config, section, text)


@pytest.hookimpl
def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    told = config.stash.get(_TOLD, [])
    for section in dict.fromkeys(section for section, _ in told):
        terminalreporter.section(section)
        for text in dict.fromkeys(text for name, text in told if name == section):
            terminalreporter.write_line(text)
