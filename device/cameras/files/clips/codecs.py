"""The names by which people know codecs, by the marks that containers give them.

Sources: the registry of the MP4 Registration Authority, Matroska's codec specification, the lists
of FourCCs in FFmpeg's documentation, ISO/IEC 13818-1 table 2-34 (stream types).
"""

from __future__ import annotations

AV1 = "AV1"

_BY_FOURCC = {
    "av01": AV1,
    "avc1": "H.264",
    "avc2": "H.264",
    "avc3": "H.264",
    "avc4": "H.264",
    "h264": "H.264",
    "x264": "H.264",
    "dvav": "H.264",
    "dva1": "H.264",
    "hvc1": "H.265 (HEVC)",
    "hev1": "H.265 (HEVC)",
    "hevc": "H.265 (HEVC)",
    "dvh1": "H.265 (HEVC)",
    "dvhe": "H.265 (HEVC)",
    "vvc1": "H.266 (VVC)",
    "vvi1": "H.266 (VVC)",
    "evc1": "EVC",
    "lvc1": "LCEVC",
    "avs2": "AVS2",
    "avs3": "AVS3",
    "vp08": "VP8",
    "vp80": "VP8",
    "vp09": "VP9",
    "vp90": "VP9",
    "mp4v": "MPEG-4",
    "fmp4": "MPEG-4",
    "xvid": "MPEG-4",
    "divx": "MPEG-4",
    "dx50": "MPEG-4",
    "mp42": "MPEG-4 of Microsoft",
    "mp43": "MPEG-4 of Microsoft",
    "div3": "MPEG-4 of Microsoft",
    "jpeg": "Motion JPEG",
    "mjpg": "Motion JPEG",
    "mjpa": "Motion JPEG",
    "mjp2": "JPEG 2000",
    "jxsm": "JPEG XS",
    "s263": "H.263",
    "h263": "H.263",
    "vc-1": "VC-1",
    "wvc1": "VC-1",
    "wmv1": "WMV 7",
    "wmv2": "WMV 8",
    "wmv3": "WMV 9",
    "ap4h": "ProRes 4444",
    "ap4x": "ProRes 4444 XQ",
    "apch": "ProRes 422 HQ",
    "apcn": "ProRes 422",
    "apcs": "ProRes 422 LT",
    "apco": "ProRes 422 Proxy",
    "aprn": "ProRes RAW",
    "aprh": "ProRes RAW HQ",
    "avdn": "DNxHD",
    "avdh": "DNxHR",
    "cfhd": "CineForm",
    "cvid": "Cinepak",
    "dvsd": "DV",
    "ffv1": "FFV1",
    "hfyu": "HuffYUV",
    "brxq": "Blackmagic RAW",
    "brst": "Blackmagic RAW",
}

_BY_MATROSKA = {
    "V_AV1": AV1,
    "V_MPEG4/ISO/AVC": "H.264",
    "V_MPEGH/ISO/HEVC": "H.265 (HEVC)",
    "V_MPEGI/ISO/VVC": "H.266 (VVC)",
    "V_VP8": "VP8",
    "V_VP9": "VP9",
    "V_MJPEG": "Motion JPEG",
    "V_MPEG1": "MPEG-1",
    "V_MPEG2": "MPEG-2",
    "V_MPEG4/ISO/ASP": "MPEG-4",
    "V_MPEG4/ISO/SP": "MPEG-4",
    "V_MPEG4/ISO/AP": "MPEG-4",
    "V_MPEG4/MS/V3": "MPEG-4 of Microsoft",
    "V_THEORA": "Theora",
    "V_PRORES": "ProRes",
    "V_FFV1": "FFV1",
    "V_AVS2": "AVS2",
    "V_AVS3": "AVS3",
}

BY_STREAM_TYPE = {
    0x01: "MPEG-1",
    0x02: "MPEG-2",
    0x10: "MPEG-4",
    0x1B: "H.264",
    0x21: "JPEG 2000",
    0x24: "H.265 (HEVC)",
    0x32: "JPEG XS",
    0x33: "H.266 (VVC)",
    0x35: "EVC",
    0x36: "LCEVC",
    0xD2: "AVS2",
    0xD4: "AVS3",
    0xEA: "VC-1",
}
"""Those of an MPEG transport stream that are pictures."""


def by_fourcc(mark: bytes) -> str | None:
    """Return the codec of a four-character code, by its name, else as it is."""
    text = mark.decode("latin-1").strip(" \0")
    return _BY_FOURCC.get(text.lower(), text or None)


def by_matroska(codec_id: str) -> str | None:
    """Return the codec that Matroska's CodecID names."""
    return _BY_MATROSKA.get(codec_id, codec_id.removeprefix("V_") or None)
