"""Pictures that belong together: frames of one video, shots of one minute. A split never parts
them, or a model would be tested on neighbours of what it has learned."""

from __future__ import annotations

import os
import re
from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from edgeinfer.converters.run_folder.samples import Sample, file_of
from edgeinfer.converters.run_folder.trained_run import SPLITS, Split
from edgeinfer.converters.tasks.task import MeasuredTask
from edgeinfer.device.core.errors import DataError, UsageError
from edgeinfer.host.data.labels.name_pattern import NamePattern, parse_pattern

OPTION = "--split-by"
DEFAULT_GAP_S = 60.0
"""Pictures with less time between them belong together."""

_TIME = re.compile(
    r"(?<!\d)(?P<date>(?:19|20)\d{2}[-_.]?[01]\d[-_.]?[0-3]\d)[T _-]*"
    r"(?P<time>[0-2]\d[-_.:h]?[0-5]\d(?:[-_.:m]?[0-5]\d)?)?(?!\d{4})"
)
_NUMBERED = re.compile(r"(?P<stem>.+?)[ ._-]*(?:frame|img|f)?[ ._-]*(?P<number>\d+)", re.IGNORECASE)

_OFFERED_SHARE = 0.9
_OFFERED_PICTURES = 3
"""Groups are offered where they have this many pictures each, on average, or more."""


@dataclass(frozen=True, kw_only=True)
class SplitBy:
    """Which pictures belong together.

    Attributes:
        pattern: pictures with the same text in its braces do; None for time.
        gap_s: pictures with less time between them do, in seconds.
    """

    pattern: NamePattern | None = None
    gap_s: float = DEFAULT_GAP_S


def parse_split_by(text: str) -> SplitBy:
    """Read `group:PATTERN`, `time` or `time:SECONDS`.

    Raises:
        UsageError: it is none of these.
    """
    kind, colon, rest = text.partition(":")
    if kind == "group" and rest:
        return SplitBy(pattern=parse_pattern(rest, OPTION, numbers=False))
    if kind == "time" and (rest or not colon):
        try:
            gap_s = float(rest or DEFAULT_GAP_S)
        except ValueError:
            gap_s = -1.0
        if 0 < gap_s < float("inf"):
            return SplitBy(gap_s=gap_s)
    raise UsageError(
        OPTION,
        got=repr(text),
        expected="group:PATTERN such as group:{video}_*, time or time:SECONDS",
    )


def groups_of(samples: Sequence[Sample], root: str, by: SplitBy) -> list[Hashable]:
    """Return the group of each sample.

    Raises:
        DataError: a name has no group or no time.
    """
    paths = [os.path.relpath(file_of(sample.source), root) for sample in samples]
    if by.pattern is not None:
        matches = [by.pattern.match(path) for path in paths]
        _require_all(root, paths, matches, "have a name that the pattern fits", "names it fits")
        return list(matches)
    times = [time_of(path) for path in paths]
    _require_all(root, paths, times, "have a time in their names", "such as 20261124_120305.jpg")
    return list(_sessions([time for time in times if time is not None], by.gap_s))


def time_of(path: str) -> float | None:
    """Return the time in a picture's name, in seconds from any start; None without one.

    >>> time_of("a/IMG_20261124_120305.jpg") - time_of("2026-11-24T12-03-00.png")
    5.0
    """
    found = _TIME.search(os.path.splitext(os.path.basename(path))[0])
    if found is None or found["time"] is None:
        return None
    date, time = (re.sub(r"\D", "", found[part]) for part in ("date", "time"))
    try:
        return (
            datetime.strptime(date + time.ljust(6, "0"), "%Y%m%d%H%M%S") - _EPOCH
        ).total_seconds()
    except ValueError:
        return None


_EPOCH = datetime(2000, 1, 1)


def split_groups(
    samples: Sequence[Sample],
    groups: Sequence[Hashable],
    *,
    task: MeasuredTask,
    seed: int,
    validation_share: float,
    test_share: float,
) -> dict[Split, list[Sample]]:
    """Put whole groups into splits, so that each split has about its share of each stratum.

    The largest groups are placed first, each where it is needed most; the same seed gives the same
    split.

    Args:
        samples: all of them.
        groups: of each sample.
        task: defines the strata, such as classes.
        seed: 0 or more.
        validation_share: of the pictures, above 0.
        test_share: the same for the test; both together below 1.

    Raises:
        DataError: there are fewer groups than splits.
    """
    members: dict[str, list[Sample]] = defaultdict(list)
    for sample, group in zip(samples, groups, strict=True):
        members[repr(group)].append(sample)
    shares: dict[Split, float] = {
        "train": 1 - validation_share - test_share,
        "validation": validation_share,
        "test": test_share,
    }
    wanted = {split: share for split, share in shares.items() if share > 0}
    if len(members) < len(wanted):
        raise DataError(
            OPTION,
            got=f"gives {len(members)} group{'s' * (len(members) != 1)} of pictures that belong "
            "together",
            expected=f"at least {len(wanted)}, one for each split",
            next_step="take more recordings, or divide them into smaller groups",
        )
    counts = {
        name: Counter(task.group(one.target) for one in found) for name, found in members.items()
    }
    totals = sum(counts.values(), Counter())
    missing = {
        split: {stratum: share * total for stratum, total in totals.items()}
        for split, share in wanted.items()
    }
    result: dict[Split, list[Sample]] = {split: [] for split in SPLITS}
    ordered = _order(members, seed)
    for number, name in enumerate(ordered):
        empty = [split for split in wanted if not result[split]]
        # The last groups go to splits that have none yet.
        free = empty if len(ordered) - number <= len(empty) else list(wanted)
        # There the squared distance to the wanted numbers falls most.
        chosen = max(
            free, key=lambda split: sum(n * missing[split][s] for s, n in counts[name].items())
        )
        result[chosen] += members[name]
        for stratum, count in counts[name].items():
            missing[chosen][stratum] -= count
    for found in result.values():
        found.sort(key=lambda sample: (str(task.group(sample.target)), sample.source))
    return result


def offer(paths: Sequence[str]) -> str | None:
    """Return the option that keeps neighbouring pictures together, or None.

    It is offered where nearly all names have times, many of them close together, or are a text and
    a number, with several pictures for each text.

    Args:
        paths: of the pictures, from their folder.
    """
    names = [os.path.splitext(os.path.basename(path))[0] for path in paths]
    times = [time for time in map(time_of, paths) if time is not None]
    if times and len(times) >= _OFFERED_SHARE * len(paths):
        sessions = len(set(_sessions(times, DEFAULT_GAP_S)))
        if sessions >= 3 and _OFFERED_PICTURES * sessions <= len(paths):
            return "time"
        return None
    matches = [found for found in map(_NUMBERED.fullmatch, names) if found]
    stems = Counter(found["stem"] for found in matches)
    if len(matches) < _OFFERED_SHARE * len(paths) or len(stems) < 3:
        return None
    if _OFFERED_PICTURES * len(stems) > len(paths):
        return None
    separators = {found.string[found.end("stem") : found.start("number")] for found in matches}
    if len(separators) != 1 or not (mark := separators.pop()):
        return None
    return f"group:{{group}}{mark}*"


def _sessions(times: Sequence[float], gap_s: float) -> list[int]:
    """Return the number of the session of each time: a longer gap begins a new one."""
    order = np.argsort(times, kind="stable")
    numbers = np.zeros(len(times), np.int64)
    sorted_times = np.array(times)[order]
    numbers[order] = np.concatenate([[0], np.cumsum(np.diff(sorted_times) >= gap_s)])
    return [int(number) for number in numbers]


def _order(members: Mapping[str, Sequence[Sample]], seed: int) -> list[str]:
    """Return the groups, the largest first, equally large ones in an order that the seed draws."""
    names = sorted(members)
    keys = np.random.PCG64([seed, len(names)]).random_raw(len(names))
    drawn = [names[place] for place in np.argsort(keys, kind="stable")]
    return sorted(drawn, key=lambda name: -len(members[name]))


def _require_all(
    root: str, paths: Sequence[str], found: Sequence[object], what: str, expected: str
) -> None:
    """Refuse names without a group."""
    without = [path for path, one in zip(paths, found, strict=True) if one is None]
    if without:
        raise DataError(
            root,
            got=f"{len(paths) - len(without):,} of {len(paths):,} pictures {what}; one that does "
            f"not is {without[0]}",
            expected=f"all of them: {expected}",
            next_step=f"choose another {OPTION}, or remove the others",
        )
