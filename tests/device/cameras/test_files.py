"""Videos and folders of images as sources."""

from __future__ import annotations

import os
import subprocess
import threading
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from edgeinfer.device.cameras.files.folder import FolderCamera
from edgeinfer.device.cameras.files.labelled import image_paths
from edgeinfer.device.cameras.files.video import VideoCamera
from edgeinfer.device.cameras.open import open_camera
from edgeinfer.device.core.errors import CameraError
from edgeinfer.device.pictures.frame import Frame


def frames_of(source: VideoCamera | FolderCamera) -> list[Frame]:
    with source:
        frames = []
        while (frame := source.read()) is not None:
            frames.append(frame)
        assert source.read() is None  # the end stays the end
        return frames


def test_video_gives_every_frame_in_order(video: Path) -> None:
    camera = VideoCamera(video)
    assert not camera.live
    assert camera.description == f"{video}, 64x48, 25 frames/s"
    frames = frames_of(camera)
    assert [frame.sequence for frame in frames] == list(range(12))
    assert [round(float(frame.pixels.mean()) / 20) for frame in frames] == list(range(12))
    assert {frame.name for frame in frames} == {"clip.avi"}


def test_video_in_real_time_is_live_and_takes_its_time(video: Path) -> None:
    start = time.monotonic()
    camera = VideoCamera(video, realtime=True)
    assert camera.live
    assert len(frames_of(camera)) == 12
    # 12 frames at 25 a second: the last is due 0.44 s after the first.
    assert time.monotonic() - start >= 0.43


def test_shared_clip_has_all_its_frames(shared_data: Path) -> None:
    clip = next((shared_data / "video").glob("car*.mp4"))
    assert len(frames_of(VideoCamera(clip))) == 377


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", "is empty"), (b"no video at all" * 100, "no frame can be decoded")],
)
def test_damaged_video_is_refused(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], content: bytes, said: str
) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(content)
    with pytest.raises(CameraError, match=said):
        VideoCamera(path)
    assert capfd.readouterr().err == ""


def test_frames_of_absurd_size_are_refused(tmp_path: Path) -> None:
    import cv2

    path = tmp_path / "large.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 25.0, (8000, 4600))
    writer.write(np.zeros((4600, 8000, 3), np.uint8))
    writer.release()
    with pytest.raises(CameraError, match="has frames of 8000 x 4600 pixels, expected at most"):
        VideoCamera(path)


def test_video_out_of_a_pipe_keeps_its_beginning(video: Path, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.avi"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes(video.read_bytes()))
    writer.start()
    try:
        assert len(frames_of(VideoCamera(pipe))) == 12
    finally:
        writer.join()


def test_cut_video_is_named(shared_data: Path, tmp_path: Path, logged: list[str]) -> None:
    whole = next((shared_data / "video").glob("car*.mp4")).read_bytes()
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole[: len(whole) // 2])
    frames = frames_of(VideoCamera(cut))
    assert 0 < len(frames) < 377
    assert logged == [
        f"{cut}: ended after {len(frames)} of 377 frames; the file is damaged or truncated"
    ]


def test_colon_in_a_name_is_not_taken_for_a_protocol(
    video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    video.rename(tmp_path / "12:30.avi")
    monkeypatch.chdir(tmp_path)
    assert len(frames_of(VideoCamera(Path("12:30.avi")))) == 12


def test_folder_gives_every_image_with_its_class(class_folder: Path) -> None:
    camera = FolderCamera(class_folder)
    assert camera.labelled
    assert not camera.live
    frames = frames_of(camera)
    assert [(frame.label, frame.name) for frame in frames] == [
        (label, f"{label}/{index}.png") for label in ("bright", "dark") for index in range(3)
    ]
    assert [int(frame.pixels[0, 0, 0]) for frame in frames] == [220, 221, 222, 20, 21, 22]


def test_split_folders_are_not_taken_for_classes(class_folder: Path) -> None:
    root = class_folder.parent / "set"
    root.mkdir()
    class_folder.rename(root / "test")
    assert {frame.label for frame in frames_of(FolderCamera(root))} == {"dark", "bright"}


def test_folder_without_classes(class_folder: Path) -> None:
    camera = FolderCamera(class_folder / "dark")
    assert not camera.labelled
    assert [frame.label for frame in frames_of(camera)] == [None] * 3


def test_damaged_image_is_named_counted_and_skipped(class_folder: Path, logged: list[str]) -> None:
    whole = (class_folder / "dark" / "1.png").read_bytes()
    (class_folder / "dark" / "1.png").write_bytes(whole[:40])
    (class_folder / "bright" / "empty.jpg").touch()
    camera = FolderCamera(class_folder)
    frames = frames_of(camera)
    assert [frame.sequence for frame in frames] == list(range(5))
    assert camera.skipped_files == 2
    assert ["empty.jpg" in logged[0], "1.png" in logged[1]] == [True, True]


def test_folder_of_nothing_but_damaged_images_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"no image")
    (tmp_path / "b.png").touch()
    with FolderCamera(tmp_path) as camera, pytest.raises(CameraError, match="none of its 2 images"):
        camera.read()


def test_folder_without_images_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(CameraError, match=r"holds no images, expected .*jpg"):
        FolderCamera(tmp_path)


def test_links_in_a_circle_end(class_folder: Path) -> None:
    (class_folder / "dark" / "up").symlink_to(class_folder, target_is_directory=True)
    assert len(frames_of(FolderCamera(class_folder))) == 6


def test_linked_classes_are_followed_and_leftovers_named_once(
    class_folder: Path, tmp_path: Path, logged: list[str]
) -> None:
    (class_folder / "dark").rename(tmp_path / "elsewhere")
    (class_folder / "dark").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    picture = (class_folder / "bright" / "0.png").read_bytes()
    for label in ("dark", "bright"):
        (class_folder / label / "@eaDir").mkdir()
        (class_folder / label / "@eaDir" / "0.png").write_bytes(picture)
    (class_folder / "dark" / "gone.png").symlink_to("nowhere.png")
    camera = FolderCamera(class_folder)
    assert [frame.label for frame in frames_of(camera)] == ["bright"] * 3 + ["dark"] * 3
    assert camera.skipped_files == 1
    assert logged == [
        f"{class_folder}/bright/@eaDir: is left over from a Synology system; left out, like all "
        "others of its kind",
        f"{class_folder}/dark/gone.png: is a broken link; skipped",
    ]


@pytest.mark.parametrize("wrapping", ["training_set/training_set", "archive/val", "images"])
def test_wrappings_are_not_taken_for_classes(class_folder: Path, wrapping: str) -> None:
    root = class_folder.parent / "set"
    (root / wrapping).parent.mkdir(parents=True)
    class_folder.rename(root / wrapping)
    assert {frame.label for frame in frames_of(FolderCamera(root))} == {"dark", "bright"}


def test_a_walk_keeps_no_list_of_what_it_passed(tmp_path: Path) -> None:
    for number in range(3000):
        (tmp_path / f"{number:04}").mkdir()
        (tmp_path / f"{number:04}" / "1.jpg").touch()
    next(image_paths(tmp_path))
    tracemalloc.start()
    try:
        paths = image_paths(tmp_path)
        next(paths)
        first = tracemalloc.get_traced_memory()[0]
        assert sum(1 for _ in paths) == 2999
        assert tracemalloc.get_traced_memory()[1] < first + 100_000
    finally:
        tracemalloc.stop()


def test_folders_may_be_nested_deeper_than_calls(class_folder: Path, tmp_path: Path) -> None:
    deep = tmp_path / "deep"
    deep.mkdir()
    place = os.open(deep, os.O_RDONLY)
    for _ in range(1200):
        os.mkdir("a", dir_fd=place)
        inner = os.open("a", os.O_RDONLY, dir_fd=place)
        os.close(place)
        place = inner
    picture = (class_folder / "dark" / "0.png").read_bytes()
    with os.fdopen(os.open("x.png", os.O_CREAT | os.O_WRONLY, dir_fd=place), "wb") as file:
        file.write(picture)
    os.close(place)
    assert len(frames_of(FolderCamera(deep))) == 1
    with pytest.raises(CameraError, match="nested too deeply"):
        open_camera(f"{deep}/**/*.png")
    # pytest and the standard library do not remove it.
    subprocess.run(["rm", "-r", str(deep)], check=True)


def test_open_camera_chooses_by_what_the_source_is(video: Path, class_folder: Path) -> None:
    with open_camera(str(video)) as camera:
        assert isinstance(camera, VideoCamera)
    with open_camera(str(class_folder), realtime=True, fps=50) as camera:
        assert isinstance(camera, FolderCamera)
        assert camera.live
    with open_camera(f"simulated:{class_folder}") as camera:
        assert camera.labelled


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("photos/dark/0.png", "single photograph.*edgeinfer predict"),
        ("nothing-here", "no such camera, file or folder"),
        ("simulated", "does not contain pictures.*simulated:FOLDER"),
        ("simulated:nothing-here", "is not a folder"),
    ],
)
def test_open_camera_says_what_is_wrong(
    class_folder: Path, monkeypatch: pytest.MonkeyPatch, source: str, said: str
) -> None:
    monkeypatch.chdir(class_folder.parent)
    with pytest.raises(CameraError, match=said):
        open_camera(source, pictures=list)


def test_a_videos_colours_are_in_their_order(tmp_path: Path) -> None:
    import cv2

    path = tmp_path / "red.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 25.0, (64, 48))
    writer.write(np.full((48, 64, 3), (0, 0, 255), dtype=np.uint8))
    writer.release()
    red, green, blue = frames_of(VideoCamera(path))[0].rgb()[24, 32]
    assert red > 240
    assert max(green, blue) < 15


def test_pattern_gives_what_it_names_with_its_class(
    class_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (class_folder / "dark" / "notes.txt").touch()
    with open_camera(f"{class_folder}/*/[01].*") as camera:
        assert isinstance(camera, FolderCamera)
        assert camera.labelled
        assert not camera.live
        frames = frames_of(camera)
    assert [(frame.label, frame.name) for frame in frames] == [
        (label, f"{label}/{index}.png") for label in ("bright", "dark") for index in range(2)
    ]
    monkeypatch.chdir(class_folder / "dark")
    with open_camera("*.png") as camera:
        assert not camera.labelled
        assert camera.description == "3 images, *.png"
    with open_camera(f"{class_folder}/**/*", realtime=True, fps=50) as camera:
        assert camera.live
        assert len(frames_of(camera)) == 6  # type: ignore[arg-type]


def test_pattern_that_names_nothing(class_folder: Path) -> None:
    with pytest.raises(CameraError, match=r"names no file, .*; check the folder and the pattern"):
        open_camera(f"{class_folder}/*.png")
    with pytest.raises(CameraError, match="names 2 files, but no image"):
        open_camera(f"{class_folder}/*")


def test_file_with_a_wildcard_in_its_name_comes_first(video: Path) -> None:
    odd = video.rename(video.parent / "clip[1].avi")
    with open_camera(str(odd)) as camera:
        assert isinstance(camera, VideoCamera)
