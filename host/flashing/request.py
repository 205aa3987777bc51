"""What the user wants on boards, checked here before any board is contacted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edgeinfer.boards.files import load_profile, profile_names
from edgeinfer.boards.profile import BoardProfile, ProfileError
from edgeinfer.device.core.errors import UsageError, did_you_mean
from edgeinfer.device.models.bundle.reader import open_bundle
from edgeinfer.host.flashing.board.checks import check_bundle
from edgeinfer.host.flashing.payload import Agent, Blob, bundle_blob, make_agent
from edgeinfer.host.flashing.run_options import RunOptions, check_run_options

VERIFY_TIMEOUT_S = 600
"""How long replaying the golden frames may take; a Pi Zero loads OpenCV for half a minute."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """A release for boards of one kind.

    Attributes:
        profile: the kind of board.
        device_tree: texts with which that board's own name may begin.
        bundle: the model; opened and checked.
        options: the service's options.
        agent: the program that installs it there.
        wheels: wheels that the user names.
        trial_frames: how many answers the trial needs.
        trial_s: how long that may take.
        dry_run: only say what would be done.
    """

    profile: BoardProfile
    device_tree: tuple[str, ...]
    bundle: Blob
    options: RunOptions
    agent: Agent
    wheels: tuple[Path, ...] = ()
    trial_frames: int = 30
    trial_s: float = 120.0
    dry_run: bool = False


def make_order(
    *,
    board: str,
    bundle: Path,
    run: Sequence[str],
    camera_url_file: Path | None = None,
    wheels: Sequence[Path] = (),
    trial_frames: int,
    trial_s: float,
    dry_run: bool,
) -> Order:
    """Check what can be checked here.

    Args:
        board: the profile's name.
        bundle: the file.
        run: options of `edgeinfer run`.
        camera_url_file: see `check_run_options`.
        others: see `Order`.

    Raises:
        UsageError: there is no such board, or a run option is wrong.
        BundleError: the bundle is damaged, or was made for another board.
        CameraError: the file with the camera's URL is not usable.
    """
    options = check_run_options(run, camera_url_file)
    try:
        profile = load_profile(board)
    except ProfileError as error:
        if board in profile_names():
            raise UsageError("--board", got=str(error)) from error
        raise UsageError(
            "--board",
            got=f"'{board}' is not a known board",
            expected=f"one of {', '.join(profile_names())}",
            next_step=did_you_mean(board, profile_names()),
        ) from error
    with open_bundle(bundle) as opened:
        manifest = opened.manifest
    check_bundle(bundle, manifest, profile, options)
    return Order(
        profile=profile,
        device_tree=_device_tree(profile),
        bundle=bundle_blob(bundle, manifest.name),
        options=options,
        agent=make_agent(),
        wheels=tuple(wheels),
        trial_frames=trial_frames,
        trial_s=trial_s,
        dry_run=dry_run,
    )


def _device_tree(profile: BoardProfile) -> tuple[str, ...]:
    """Return how to recognize the board; one with an accelerator plugged in looks like its base."""
    while not profile.device_tree and profile.based_on:
        profile = load_profile(profile.based_on)
    return profile.device_tree
