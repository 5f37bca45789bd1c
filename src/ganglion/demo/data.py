"""The handwritten digits that ship with scikit-learn, as sequences of rows, and a baseline on them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

CLASSES = 10
ROWS = COLUMNS = 8
BRIGHTEST = 16.0


@dataclass(frozen=True)
class Digits:
    """1797 images of 8 x 8 pixels in [0, 1], split into training and test images.

    Attributes:
        train_images: (1437, 8, 8) float32; axis 1 is time (rows), axis 2 the pixels of a row.
        train_labels: (1437,) int32, the digits 0 to 9.
        test_images: (360, 8, 8) float32.
        test_labels: (360,) int32.
    """

    train_images: NDArray[np.float32]
    train_labels: NDArray[np.int32]
    test_images: NDArray[np.float32]
    test_labels: NDArray[np.int32]

    @classmethod
    def load(cls) -> Digits:
        """Load the images; a fifth is for testing, always the same one, balanced over the digits."""
        digits = load_digits()
        images = (digits.images / BRIGHTEST).astype(np.float32)
        labels = digits.target.astype(np.int32)
        split = train_test_split(images, labels, test_size=0.2, stratify=labels, random_state=0)
        train_images, test_images, train_labels, test_labels = split
        return cls(train_images, train_labels, test_images, test_labels)

    def logistic_regression(self) -> tuple[float, int]:
        """Test accuracy and number of parameters of logistic regression, which sees all 64 pixels at once."""
        pixels = ROWS * COLUMNS
        model = LogisticRegression(max_iter=1000)
        model.fit(self.train_images.reshape(-1, pixels), self.train_labels)
        accuracy = model.score(self.test_images.reshape(-1, pixels), self.test_labels)
        return float(accuracy), int(model.coef_.size + model.intercept_.size)
