"""The answers to a folder of pictures, as a table for a spreadsheet.

python folder_to_csv.py photos.edgebundle pictures answers.csv
"""

import csv
import sys
from pathlib import Path

import edgeinfer


def main(model_path: str, folder: str, table: str) -> int:
    """Write a row for each picture; return how many files could not be read."""
    unreadable = 0
    with (
        edgeinfer.Model.open(model_path) as model,
        open(table, "w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.writer(file)
        writer.writerow(["picture", "label", "score"])
        for path in sorted(Path(folder).rglob("*")):
            if not path.is_file():
                continue
            try:
                prediction = model.predict(path)
            except edgeinfer.ImageError as error:
                print(f"left out: {error}", file=sys.stderr)
                unreadable += 1
                continue
            for label, score in prediction.ranked(1):
                writer.writerow([path.relative_to(folder), label, f"{score:.4f}"])
    return unreadable


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    try:
        sys.exit(1 if main(*sys.argv[1:4]) else 0)
    except edgeinfer.EdgeinferError as error:
        sys.exit(f"error: {error}")
