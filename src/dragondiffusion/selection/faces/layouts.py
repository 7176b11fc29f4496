"""Layouts of a face's landmarks: 478 of mediapipe, 68 of iBUG 300-W, and 17 of those for coarse editing.

Convention: left and right are those of the image, as somebody sees it who looks at the face.

Source: C. Sagonas et al., "300 Faces in-the-Wild Challenge", ICCV Workshops 2013 (the 68); the face mesh of mediapipe
(the 478), whose points were chosen here where they stand nearest to the 68.
"""

from ...core.types import PointList

JAW = (127, 234, 93, 132, 58, 136, 150, 176, 152, 400, 379, 365, 288, 361, 323, 454, 356)
BROWS = (70, 63, 105, 66, 107, 336, 296, 334, 293, 300)
NOSE = (168, 197, 5, 4, 98, 97, 2, 326, 327)
EYES = (33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380)
OUTER_LIPS = (61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181)
INNER_LIPS = (78, 81, 13, 311, 308, 402, 14, 178)

LANDMARKS_68 = (*JAW, *BROWS, *NOSE, *EYES, *OUTER_LIPS, *INNER_LIPS)
"""Indices among the 478 of the 68 points, in the order of iBUG 300-W."""

LANDMARKS_17 = (0, 4, 8, 12, 16, 17, 21, 22, 26, 30, 36, 39, 42, 45, 48, 54, 57)
"""Indices among the 68 of the 17 points used for coarse editing: jaw, ends of the brows, nose, eye corners, mouth."""

COUNTS = (17, 68, 478)


def in_layout(points: PointList, count: int) -> PointList:
    """The landmarks of a face in another layout.

    Args:
        points: 478 or 68 of them.
        count: how many are wanted, at most as many.

    Raises:
        ValueError: if there is no such layout, or it does not follow from this one.
    """
    if count not in COUNTS:
        raise ValueError(f"count {count} is no layout of a face; choose from {', '.join(map(str, COUNTS))}")
    if len(points) not in COUNTS or len(points) < count:
        raise ValueError(f"points has {len(points)} landmarks, from which {count} do not follow; give 478 or 68")
    if len(points) == 478 and count < 478:
        points = [points[k] for k in LANDMARKS_68]
    return [points[k] for k in LANDMARKS_17] if count < len(points) else points
