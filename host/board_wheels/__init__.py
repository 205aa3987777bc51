"""Which wheels a board needs, and where they are on this workstation.

A board gets everything from the workstation, so it needs no internet, no compiler and no pip.
`board_wheels` finds everything to send to it.
"""

from edgeinfer.host.board_wheels.find import BoardWheels, board_wheels
from edgeinfer.host.board_wheels.target import (
    SYSTEM_NUMPY_AND_OPENCV,
    WheelTarget,
    wheel_target,
)
from edgeinfer.host.board_wheels.wheel_file import WheelFile

__all__ = [
    "SYSTEM_NUMPY_AND_OPENCV",
    "BoardWheels",
    "WheelFile",
    "WheelTarget",
    "board_wheels",
    "wheel_target",
]
