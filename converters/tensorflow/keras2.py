"""tf_keras, which reads the files of Keras 2, in a separate package folder.

It asks for the whole `tensorflow`, which would be installed over `tensorflow-cpu`. TensorFlow is
here already, so tf_keras alone is fetched, once, and a worker gets its folder on the path.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

from edgeinfer.converters.common.progress import Progress
from edgeinfer.converters.importers.environment import EnvironmentPlan, make_environment
from edgeinfer.device.core.errors import MissingExtraError

TF_KERAS = EnvironmentPlan(
    name="tf_keras",
    purpose="reads the files of Keras 2",
    packages=("tf_keras==2.21.0",),  # of the TensorFlow in the [host] extra; Apache-2.0
    python=None,
    size_mb=18,
    time_s=10,
)


def tf_keras_folder(
    subject: object, *, written_by: str, progress: Progress, home: Path | None = None
) -> Path | None:
    """Return the folder to import tf_keras from; None where it can be imported already.

    Args:
        subject: the model, for errors.
        written_by: the Keras that wrote it, for errors.
        progress: told before tf_keras is fetched, which is done once.
        home: where package folders are; by default in edgeinfer's cache.

    Raises:
        MissingExtraError: it is not here and cannot be fetched.
        StorageError: the cache cannot be written.
    """
    if importlib.util.find_spec("tf_keras") is not None:
        return None
    try:
        return make_environment(TF_KERAS, progress, home=home).import_path
    except MissingExtraError as error:
        raise MissingExtraError(
            subject,
            got=f"is a file of {written_by}, which tf_keras reads, and tf_keras {error.got}",
            next_step=f"{error.next_step}; or run "
            f"`pip install --no-deps {' '.join(TF_KERAS.packages)}`",
        ) from error
