"""An RTSP server whose pictures show the sender's clock, for the system's Python and GStreamer.

    python3 clock_server.py PORT

Each picture is drawn at the moment of its capture: `time.monotonic_ns()` in milliseconds, as large
black and white blocks that any encoder keeps. Its RTP time stamp is that moment's as well.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

import gi  # type: ignore[import-not-found]

sys.path.insert(0, str(Path(__file__).parent))
from clock_picture import HEIGHT, WIDTH, draw  # type: ignore[import-not-found]

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer  # type: ignore[import-not-found]  # noqa: E402

FAST = "tune=zerolatency speed-preset=ultrafast bitrate=800"
H264_PAY = "rtph264pay name=pay0 pt=96 config-interval=1"
H265_PAY = "rtph265pay name=pay0 pt=96 config-interval=1"
STREAMS = {
    # name: (frames a second, encoder and payloader)
    "h264": (15, f"x264enc {FAST} key-int-max=15 ! {H264_PAY}"),
    "longgop": (15, f"x264enc {FAST} key-int-max=300 ! {H264_PAY}"),
    "slow": (1, f"x264enc {FAST} key-int-max=1 ! {H264_PAY}"),
    "fast": (30, f"x264enc {FAST} key-int-max=60 ! {H264_PAY}"),
    "bframes": (
        15,
        "x264enc speed-preset=veryfast bitrate=800 key-int-max=30 bframes=2 b-adapt=false"
        " rc-lookahead=0 sync-lookahead=0 sliced-threads=true"
        f" ! video/x-h264,profile=main ! {H264_PAY}",
    ),
    "hevc": (15, f"x265enc {FAST} key-int-max=15 ! {H265_PAY}"),
    "hevc_bframes": (
        15,
        "x265enc speed-preset=ultrafast bitrate=800 key-int-max=30"
        f" option-string=bframes=3:b-adapt=0:rc-lookahead=4 ! {H265_PAY}",
    ),
    "mjpeg": (15, "jpegenc ! rtpjpegpay name=pay0 pt=26"),
}


def add(server: Any, path: str, fps: int, encoder: str, *, only_tcp: bool = False) -> None:
    """Serve one stream; it runs while a client is there."""
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(
        "( appsrc name=camera is-live=true format=time do-timestamp=true block=false"
        f" caps=video/x-raw,format=I420,width={WIDTH},height={HEIGHT},framerate={fps}/1"
        f" ! {encoder} )"
    )
    factory.set_shared(True)
    if only_tcp:
        factory.set_protocols(GstRtsp.RTSPLowerTrans.TCP)
    factory.connect("media-configure", lambda _, media: run(media, fps))
    server.get_mount_points().add_factory(path, factory)


def run(media: Any, fps: int) -> None:
    """Draw a picture at each tick until the media ends."""
    source = media.get_element().get_by_name("camera")
    ended: list[Any] = []

    def tick() -> bool:
        if ended:
            return False
        picture = draw(time.monotonic_ns() // 1_000_000)
        source.emit("push-buffer", Gst.Buffer.new_wrapped(picture))
        return True

    GLib.timeout_add(1000 // fps, tick)
    media.connect("unprepared", ended.append)


def main() -> None:
    """Serve until the starter has ended."""
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_service(sys.argv[1])
    server.set_address("127.0.0.1")
    for name, (fps, encoder) in STREAMS.items():
        add(server, f"/{name}", fps, encoder)
        add(server, f"/{name}-tcp", fps, encoder, only_tcp=True)
    server.attach(None)
    starter = os.getppid()
    loop = GLib.MainLoop()
    GLib.timeout_add(1000, lambda: os.getppid() == starter or loop.quit())
    print(server.get_bound_port(), flush=True)
    loop.run()


main()
