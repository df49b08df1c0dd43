"""The classifiers among Ultralytics' YOLO networks; their sizes are read off the shapes.

YOLO26's classifiers have the layers of YOLO11's.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from core.language import lazy, tr
from core.models.families.base import MODERN, Family, OwnCode, Shape, Shapes, Unopened, no_weights
from core.models.families.blocks import Paths, adding, adding_twice, twice

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor, nn

    from core.images.preprocessing import Preprocessing

_CONVOLUTIONS, _SPLITS, _ATTENTION = (0, 1, 3, 5, 7), (2, 4, 6, 8), 9
"""Where the layers stand; the classifier is the last, with attention before it in YOLO11."""

_FEATURES = 1280
_WIDEST, _MOST_BLOCKS, _DEEPEST = 2**14, 64, 16
_USUAL_SIZE_PX, _LARGEST_SIZE_PX = 224, 4096
_ARGUMENTS = ("train_args", "args")


@dataclass(frozen=True)
class SplitForm:
    """A stage whose maps are split in two.

    Attributes:
        hidden: channels of a half.
        outputs: channels.
        count: of its blocks.
        inner: channels inside a block.
        depth: how many blocks stand in each of its blocks; 0 where they are plain.
    """

    hidden: int
    outputs: int
    count: int
    inner: int
    depth: int = 0


@dataclass(frozen=True)
class YoloForm:
    """What shapes tell of such a network.

    Attributes:
        widths: channels of the five convolutions.
        splits: the four stages.
        attention: blocks of the attention after them; 0 for none, as in YOLOv8.
        is_fused: whether normalisation is part of the convolutions already.
    """

    widths: tuple[int, ...]
    splits: tuple[SplitForm, ...]
    attention: int = 0
    is_fused: bool = False

    @property
    def title(self) -> str:
        """Return the name that it is published under; else with its sizes."""
        size = _sizes().get(replace(self, is_fused=False), "")
        versions = ("YOLO11", "YOLO26") if self.attention else ("YOLOv8",)
        title = " / ".join(f"{version}{size}-cls" for version in versions)
        if not size:
            widths = "-".join(map(str, self.widths))
            title += f" ({widths}, {'-'.join(str(split.count) for split in self.splits)})"
        return f"{title}, fused" if self.is_fused else title

    def shapes(self) -> dict[str, Shape]:
        """Return names and shapes of the state dict, with 1,000 classes."""
        return dict(_shapes(self))

    def build(self, options: Mapping[str, object]) -> nn.Module:
        """Return its network."""
        from core.models.yolo_network import YoloClassifier  # torch, which costs start-up time

        del options
        return YoloClassifier(
            self.widths, self.splits, self.attention, _FEATURES, 1000, fused=self.is_fused
        )


@functools.cache
def _sizes() -> dict[YoloForm, str]:
    """Return the letter of each size that is published."""
    found = {}
    for size, width, depth in zip("nsmlx", (16, 32, 48, 64, 80), (1, 1, 2, 3, 3), strict=True):
        widths = tuple(width * 2**stage for stage in range(5))
        counts = (depth, 2 * depth, 2 * depth, depth)
        splits = (SplitForm(w // 2, w, n, w // 2) for w, n in zip(widths[1:], counts, strict=True))
        found[YoloForm(widths, tuple(splits))] = size
    for size, width, count in zip("nsmlx", (16, 32, 64, 64, 96), (1, 1, 1, 2, 2), strict=True):
        last = 8 if size in "mlx" else 16
        widths = (width, 2 * width, 4 * width, 8 * width, last * width)
        depth = 2 if size in "mlx" else 0
        split = (
            SplitForm(width, 4 * width, count, width // 2, depth),
            SplitForm(2 * width, 8 * width, count, width, depth),
            SplitForm(4 * width, 8 * width, count, 2 * width, 2),
            SplitForm(last // 2 * width, last * width, count, last // 4 * width, 2),
        )
        found[YoloForm(widths, split, attention=count)] = size
    return found


@functools.lru_cache(maxsize=8)
def _shapes(form: YoloForm) -> dict[str, Shape]:
    from core.models.building import build_without_memory  # torch, which costs start-up time

    network = build_without_memory(lambda: form.build({}))
    return {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}


def _read_plain(shapes: Shapes) -> YoloForm | None:
    """Return the form of a network without attention; None where shapes are of no such."""
    return _read(shapes, has_attention=False)


def _read_attending(shapes: Shapes) -> YoloForm | None:
    """Return the form of a network with attention; None where shapes are of no such."""
    return _read(shapes, has_attention=True)


def _read(shapes: Shapes, *, has_attention: bool) -> YoloForm | None:
    last = _ATTENTION + has_attention
    if "0.conv.weight" not in shapes or _count(shapes, "") != last + 1:
        return None
    try:
        form = YoloForm(
            tuple(_side(shapes, f"{at}.conv.weight") for at in _CONVOLUTIONS),
            tuple(_read_split(shapes, at) for at in _SPLITS),
            _count(shapes, f"{_ATTENTION}.m.") if has_attention else 0,
            is_fused="0.conv.bias" in shapes,
        )
        return form if _is_sensible(form) and _has_its_head(form, shapes, last) else None
    except (KeyError, IndexError):
        return None


def _read_split(shapes: Shapes, at: int) -> SplitForm:
    inside = f"{at}.m.0.m."
    return SplitForm(
        hidden=_side(shapes, f"{at}.cv1.conv.weight") // 2,
        outputs=_side(shapes, f"{at}.cv2.conv.weight"),
        count=_count(shapes, f"{at}.m."),
        inner=_side(shapes, f"{at}.m.0.cv1.conv.weight"),
        depth=_count(shapes, inside) if any(name.startswith(inside) for name in shapes) else 0,
    )


def _is_sensible(form: YoloForm) -> bool:
    """Return whether a network of this form can be built and run, and not only with patience."""
    from core.models.yolo_network import heads_of  # torch, which costs start-up time

    widths = [*form.widths, *(one.hidden for one in form.splits)]
    widths += [side for one in form.splits for side in (one.outputs, one.inner)]
    counts = [one.count for one in form.splits]
    half = form.splits[-1].outputs // 2
    heads_fit = not form.attention or half % (2 * heads_of(half)) == 0
    return (
        all(1 <= width <= _WIDEST for width in widths)
        and all(1 <= count <= _MOST_BLOCKS for count in [*counts, form.attention or 1])
        and all(0 <= one.depth <= _DEEPEST for one in form.splits)
        and heads_fit
    )


def _has_its_head(form: YoloForm, shapes: Shapes, last: int) -> bool:
    """Return whether what stands before the last layer is as published; else it is another head."""
    wanted, found = (
        {
            name: shape
            for name, shape in one.items()
            if name.startswith(f"{last}.")
            and not name.startswith(f"{last}.linear.")
            and not name.endswith("num_batches_tracked")
        }
        for one in (form.shapes(), shapes)
    )
    return wanted == found


def _side(shapes: Shapes, name: str) -> int:
    return shapes[name][0]


def _count(shapes: Shapes, start: str) -> int:
    """Return how many parts stand below a name; -1 where they are not numbered from 0 on."""
    numbers = {name[len(start) :].split(".", 1)[0] for name in shapes if name.startswith(start)}
    return len(numbers) if numbers == {str(number) for number in range(len(numbers))} else -1


def _preset(_: str) -> Preprocessing:
    return _of_size(_USUAL_SIZE_PX)


def _of_size(size: int) -> Preprocessing:
    """Return Ultralytics' preprocessing: the middle of the photo, 0 to 1.

    Photos are read with OpenCV, which turns them upright.
    """
    from core.images.preprocessing import Preprocessing

    return Preprocessing(
        resize=size,
        crop=(size, size),
        mean=(0.0, 0.0, 0.0),
        std=(1.0, 1.0, 1.0),
        apply_orientation=True,
        transparency="dropped",
    )


def _carried(places: Iterable[Mapping[Any, Any]]) -> tuple[Preprocessing, list[str]]:
    """Return the preprocessing for the image size that training was given."""
    for place in places:
        for key in _ARGUMENTS:
            arguments = place.get(key)
            values = getattr(arguments, "state", arguments)  # of an inert object
            size = values.get("imgsz") if isinstance(values, Mapping) else None
            if isinstance(size, list | tuple) and len(size) == 2 and size[0] == size[1]:
                size = size[0]
            if type(size) is int and 1 <= size <= _LARGEST_SIZE_PX:
                return _of_size(size), []
    said = tr(
        "The image size does not stand in the file; {size} pixels, the usual one, are assumed.",
        size=_USUAL_SIZE_PX,
    )
    return _of_size(_USUAL_SIZE_PX), [said]


def _run_attention(block: Any, x: Tensor) -> Iterator[Paths]:
    yield from twice(x, block.attn(x), block.ffn)


_CODE = OwnCode(
    package="ultralytics.",
    classes={
        "Conv": "Conv",
        "Bottleneck": "Bottleneck",
        "C2f": "C2f",
        "C3k2": "C2f",
        "C3k": "C3k",
        "C2PSA": "C2PSA",
        "PSABlock": "PSABlock",
        "Attention": "Attention",
        "Classify": "Classify",
    },
    fixed={"f": -1, "add": True},
    same=("num_heads", "head_dim", "key_dim"),
)
_UNTOLD = lazy(
    "Strides, shortcuts, activations and the epsilon of batch normalisation leave no trace in a "
    "state dict; they are taken to be as Ultralytics' classifiers of this layout have them "
    "(epsilon 1e-5)."
)
_LAYER = r"(^|\.)model\.\d+\.(conv|cv1)\."

YOLO = Family(
    {},
    MODERN,
    "yolo_network",
    f"{_ATTENTION}.linear",
    library="core.models",
    weights=no_weights,
    preset=_preset,
    variant=_read_plain,
    blocks={
        "Bottleneck": adding(lambda block, x: block.residual(x)),
        "PSABlock": adding_twice(_run_attention),
    },
    own_code=_CODE,
    untold=_UNTOLD,
    carried=_carried,
    unopened=(
        Unopened(
            lazy(
                "is a YOLO classifier with layers that Droplens does not build; export it as ONNX "
                "and open that"
            ),
            (_LAYER, r"(^|\.)model\.\d+\.linear\.weight$"),
            code=_CODE,
        ),
        Unopened(
            lazy("is a YOLO segmentation network; Droplens opens classifiers of whole photos"),
            (_LAYER, r"(^|\.)model\.\d+\.proto\."),
        ),
        Unopened(
            lazy("is a YOLO network for poses or turned boxes; Droplens opens classifiers"),
            (_LAYER, r"(^|\.)model\.\d+\.(one2one_)?cv4\.\d\.\d\.conv\."),
        ),
        Unopened(lazy("is a YOLO detector; Droplens opens classifiers"), (_LAYER, r"\.m\.\d+\.")),
    ),
)
YOLO_ATTENDING = replace(
    YOLO, head=f"{_ATTENTION + 1}.linear", variant=_read_attending, unopened=()
)
