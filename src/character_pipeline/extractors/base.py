"""The one interface that every extractor implements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

from character_pipeline.data import Evidence, Item

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

Need = Literal["text", "image", "readings"]


@runtime_checkable
class PictureReader(Protocol):
    """Turns pictures into vectors, once and for all: what it found is cached under its key and never read again.

    Attributes:
        key: names the model, its weights, the version and the preprocessing; under one key, the same picture always
            has the same vector, whatever else is in the batch.
        size: the length of a vector.

    A reader may also have, and is then asked for:
        prepare(picture): the small part of a picture that `read` needs, such as a crop of 224 x 224, or numbers found
            in it. It is made beside the reading, in a thread, and `read` is given it instead; both must lead to the
            same vector. Large pictures are then forgotten as soon as they are decoded.
        prepare_small(small): asked instead of `prepare` by those who ask several readers, where what a `SmallPicture`
            shows is enough; it must lead to the same vector. Its pixels are made once for all readers.
        least_side: the pixels of the shorter side that are enough for it: a JPEG may be decoded smaller, down to that.
            Where a reader has none, pictures are decoded in full.
        at_once: how many pictures it likes to be given at once.
        threads: set before the first `read` to the processors that it may use.
        weight: the bytes that each process loads for it when its first picture comes; so many processes are chosen that
            they have room.
        exclusive: True where one process shall have its device for itself, as with a GPU. It is asked before anyone
            knows whether there are pictures, so it must cost nothing: no model, no heavy import.
        describe(): what really spoke, and where, "charpipe-embedded, int8 on cpu, 2 threads"; asked after a `read`.
        introduce(): tells the user what there is to know of it. Called once, in the process of the user, when the
            first pictures were read, wherever that was.
    """

    key: str
    size: int

    def read(self, pictures: Sequence[Image.Image]) -> NDArray[np.float16]:
        """One vector a picture, shape (pictures, size). An exception fails the pictures, one by one."""
        ...


@runtime_checkable
class PipelineStage(Protocol):
    """Reads items and claims what it sees in them.

    Attributes:
        name: short and stable; with `version` it names the source of the evidence ("tag_parser/1").
        version: changes whenever the same input may give another output.
        needs: what an item must have for this stage to be run on it. A stage that needs "readings" also has the
            attribute `readers`, and finds their vectors in `item.readings`; it does not see the picture itself.
    """

    name: str
    version: str
    needs: frozenset[Need]

    def process(self, batch: Sequence[Item]) -> list[tuple[Evidence, ...]]:
        """The evidence for each item of the batch, in its order; independent of what else is in the batch.

        An `ItemError` or any other exception fails this stage, for the items of the batch one by one.
        """
        ...


@runtime_checkable
class ReadingStage(PipelineStage, Protocol):
    """A stage that works on what picture readers found, so that it can be run again without opening a picture."""

    readers: Sequence[PictureReader]
