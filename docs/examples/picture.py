"""What does a model say of one picture?

python picture.py photos.edgebundle picture.jpg
"""

import sys

import edgeinfer


def main(model_path: str, picture: str) -> None:
    """Print the answer for people, then every class or object with its score."""
    with edgeinfer.Model.open(model_path) as model:
        prediction = model.predict(picture)
    print(f"{picture}: {prediction.text()}")
    for label, score in prediction.ranked(5):
        print(f"{score:8.1%}  {label}")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    try:
        main(*sys.argv[1:3])
    except edgeinfer.EdgeinferError as error:
        sys.exit(f"error: {error}")
