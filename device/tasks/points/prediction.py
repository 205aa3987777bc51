"""Things in a picture of which only the centre is known."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from edgeinfer.device.tasks.detection.prediction import Detections


@dataclass(frozen=True, kw_only=True)
class Points(Detections):
    """The answer of a network that knows centres: each is that of a box, all of one size.

    A box is smaller where the picture ends: its centre stays the thing's.
    """

    def in_frame(self, size: tuple[int, int]) -> Points:
        """Return the things in pixels of a frame of (width, height), without those outside it."""
        if self.placing is None:
            return self
        corners = self.placing(size).to_frame(self.boxes.reshape(-1, 2, 2))
        centres, reach = corners.mean(axis=1), (corners[:, 1] - corners[:, 0]) / 2
        reach = np.minimum(reach, np.minimum(centres, size - centres))
        kept = np.flatnonzero((reach > 0).all(axis=1))
        centres, reach = centres[kept], reach[kept]
        return replace(
            self,
            boxes=np.concatenate([centres - reach, centres + reach], axis=1),
            classes=self.classes[kept],
            scores=self.scores[kept],
            size=size,
            placing=None,
        )
