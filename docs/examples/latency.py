"""How long does this machine take for a picture, with one thread and with more?

python latency.py photos.edgebundle picture.jpg
"""

import statistics
import sys
import time

import edgeinfer

REPEATS = 100


def main(model_path: str, picture: str) -> None:
    """Print the median and the slow end for each number of threads."""
    pixels = edgeinfer.read_image(picture)  # decoded once: a camera's frames are pixels already
    for threads in (1, 2, 4):
        with edgeinfer.Model.open(model_path, edgeinfer.OpenOptions(threads=threads)) as model:
            model.predict(pixels)  # the first one takes longer
            times_ms = []
            for _ in range(REPEATS):
                start = time.perf_counter()
                model.predict(pixels)
                times_ms.append(1000 * (time.perf_counter() - start))
        slow = statistics.quantiles(times_ms, n=20)[-1]
        print(
            f"{threads} threads: median {statistics.median(times_ms):.2f} ms, "
            f"95 % within {slow:.2f} ms"
        )


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    try:
        main(*sys.argv[1:3])
    except edgeinfer.EdgeinferError as error:
        sys.exit(f"error: {error}")
