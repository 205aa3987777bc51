"""What each board is: one profile a board, and how to tell which one this is."""

from edgeinfer.boards.detect import detect_board as detect_board
from edgeinfer.boards.files import load_profile as load_profile
from edgeinfer.boards.files import profile_names as profile_names
from edgeinfer.boards.profile import BoardProfile as BoardProfile
from edgeinfer.boards.profile import Latency as Latency
from edgeinfer.boards.profile import ProfileError as ProfileError
from edgeinfer.boards.profile import find_system as find_system
from edgeinfer.boards.systems import System as System
