"""Transfer learning as Keras's own guide does it, with the backbone that `edgeinfer train` takes.

    python -m tests.benchmarks.training.plain_keras FOLDER SEED

FOLDER has train/CLASS and test/CLASS. A tenth of the training pictures is for validation. The head
is trained for five epochs on the frozen backbone, then everything for two at a hundredth of the
rate, with mirrored and turned pictures; the last line is JSON.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from edgeinfer.host.models import build_model

HEAD_EPOCHS, FINE_TUNE_EPOCHS, BATCH, SIDE = 5, 2, 32, 224


def main(folder: Path, seed: int) -> None:
    """Train, and print the share of right answers on the test pictures."""
    import keras

    keras.utils.set_random_seed(seed)
    labels = sorted(place.name for place in (folder / "train").iterdir())
    parts = {
        name: _pictures(folder / "train", subset=name, validation_split=0.1, seed=seed)
        for name in ("training", "validation")
    }
    tested = _pictures(folder / "test", shuffle=False)
    shape = (SIDE, SIDE, 3)
    pretrained = build_model(
        "efficientnet-lite0", input_shape=shape, classes=len(labels), initializer="pretrained"
    )
    backbone = keras.Model(pretrained.input, pretrained.get_layer("pool").output)
    backbone.trainable = False
    inputs = keras.Input(shape)
    x = keras.layers.RandomFlip("horizontal")(inputs)
    x = keras.layers.RandomRotation(0.1)(x)
    x = keras.layers.Rescaling(1 / 128, offset=-127 / 128)(x)
    x = keras.layers.Dropout(0.2)(backbone(x, training=False))
    model = keras.Model(inputs, keras.layers.Dense(len(labels))(x))
    for epochs, rate in ((HEAD_EPOCHS, 1e-3), (FINE_TUNE_EPOCHS, 1e-5)):
        model.compile(
            optimizer=keras.optimizers.Adam(rate),
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            metrics=["accuracy"],
        )
        model.fit(parts["training"], validation_data=parts["validation"], epochs=epochs, verbose=0)
        backbone.trainable = True
    result = model.evaluate(tested, verbose=0, return_dict=True)
    print(json.dumps({"accuracy": float(result["accuracy"])}))


def _pictures(folder: Path, **options: Any) -> Any:
    import keras

    return keras.utils.image_dataset_from_directory(
        folder, image_size=(SIDE, SIDE), batch_size=BATCH, verbose=False, **options
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
