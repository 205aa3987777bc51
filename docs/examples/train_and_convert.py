"""From photographs in folders, one folder per class, to a verified bundle for a board.

pip install 'edgeinfer[host]'
python train_and_convert.py photos
"""

import sys
from pathlib import Path

import edgeinfer


def main(photos: str, network: str = "efficientnet-lite0", epochs: int = 20) -> Path:
    """Train, quantize to INT8, and print what that costs on pictures that nothing was chosen by."""
    name = Path(photos).name
    run, bundle = Path("runs", name), Path(f"{name}.edgebundle")
    config = edgeinfer.train_config(network, epochs=epochs)
    trained = edgeinfer.train(photos, run, config, force=True)
    print(f"{len(trained.labels)} classes: {', '.join(trained.labels)}")
    result = edgeinfer.convert(run, bundle)
    for precision, evaluation in result.evaluations["test"].items():
        low, high = evaluation.interval
        print(f"{precision}: {evaluation.score:.1%} ({low:.1%} to {high:.1%})")
    return bundle


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    try:
        print(f"next: edgeinfer run --camera --model {main(sys.argv[1])}")
    except edgeinfer.EdgeinferError as error:
        sys.exit(f"error: {error}")
