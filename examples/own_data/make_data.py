"""Write bars.npz: images of 12 x 12 pixels with one bright bar, in four classes by its direction.

Usage: python make_data.py [FOLDER]
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

SIDE, WIDTH, NOISE = 12, 3, 40
ROWS, COLS = np.indices((SIDE, SIDE))
#: How far a pixel is from the middle of the bar: horizontal, vertical, falling and rising diagonal.
DISTANCES = (ROWS - 5.5, COLS - 5.5, (ROWS - COLS) / 1.4, (ROWS + COLS - 11) / 1.4)


def draw_images(num: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return images [num, rows, cols] of 0 to 255, and the class of each, 0 to 3."""
    labels = (np.arange(num) % len(DISTANCES)).astype(np.uint8)
    random.shuffle(labels)
    images = random.integers(0, NOISE, (num, SIDE, SIDE))
    for image, label in zip(images, labels, strict=True):
        shift = random.integers(-1, 2)
        image[np.abs(DISTANCES[label] - shift) < WIDTH / 2] = random.integers(180, 256)
    return images.astype(np.uint8), labels


def main(folder: Path) -> None:
    """Write 400 training and 200 test images."""
    random = np.random.default_rng(0)
    train_images, train_labels = draw_images(400, random)
    test_images, test_labels = draw_images(200, random)
    np.savez_compressed(
        folder / "bars.npz",
        train_images=train_images,
        train_labels=train_labels,
        test_images=test_images,
        test_labels=test_labels,
    )


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
