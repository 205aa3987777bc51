"""What kind of model a file or folder is, by its content and then its name, and reading it."""

from edgeinfer.device.core.model_file.kinds import CONVERTIBLE, IN_WORDS, ModelKind
from edgeinfer.device.core.model_file.magic import HEAD_BYTES, TFLITE_IDENTIFIER, kind_of
from edgeinfer.device.core.model_file.meant import command_line, meant_command
from edgeinfer.device.core.model_file.reading import (
    MAX_MODEL_BYTES,
    path_advice,
    read_model_file,
    unreadable,
)
from edgeinfer.device.core.model_file.recognize import (
    TRAINED_FILE,
    Found,
    is_bundle,
    model_kind,
    recognize,
    recognize_content,
)
from edgeinfer.device.core.model_file.zips import MODEL_SUFFIXES, zip_members

__all__ = [
    "CONVERTIBLE",
    "HEAD_BYTES",
    "IN_WORDS",
    "MAX_MODEL_BYTES",
    "MODEL_SUFFIXES",
    "TFLITE_IDENTIFIER",
    "TRAINED_FILE",
    "Found",
    "ModelKind",
    "command_line",
    "is_bundle",
    "kind_of",
    "meant_command",
    "model_kind",
    "path_advice",
    "read_model_file",
    "recognize",
    "recognize_content",
    "unreadable",
    "zip_members",
]
