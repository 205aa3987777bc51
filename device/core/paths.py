"""What names a file, in calls from outside."""

from __future__ import annotations

import os
from typing import TypeAlias

AnyPath: TypeAlias = str | os.PathLike[str]
"""Text, a `Path`, or what another library has in its place."""
