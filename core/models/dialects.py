"""Names that others give to torchvision's layers, where the network is really the same.

Sources: timm's and torchvision's model definitions (parameter names and the order of layers).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from core.models.fingerprints import Fingerprint, fingerprints
from core.models.heads import Shape

_Replacement = str | Callable[[re.Match[str]], str]
Names = Mapping[str, str]
"""torchvision's name → the name in the file."""


@dataclass(frozen=True)
class Dialect:
    """A way of naming.

    Attributes:
        title: for the summary, e.g. "timm's names"; "" for torchvision's own.
        telling: a name that stands in every state dict of this dialect.
        rules: pattern of a whole name and what torchvision says; the first that fits counts.
    """

    title: str
    telling: str
    rules: tuple[tuple[str, _Replacement], ...]

    def translate(self, names: Names) -> dict[str, str]:
        """Return the names as torchvision says them; those without a rule stay."""
        return {self._one(name): old for name, old in names.items()}

    def _one(self, name: str) -> str:
        for pattern, replacement in self.rules:
            said, count = re.subn(f"^{pattern}$", replacement, name, count=1)
            if count:
                return said
        return name


def _stage(offset: int, factor: int, rest: str) -> Callable[[re.Match[str]], str]:
    """Return the replacement "features.N.…" for a stage that others count otherwise."""

    def replace(found: re.Match[str]) -> str:
        place = factor * int(found[1]) + offset
        return found.expand(f"features.{place}.{rest}")

    return replace


TIMM_VIT = Dialect(
    "timm's names",
    "patch_embed.proj.weight",
    (
        ("cls_token", "class_token"),
        ("pos_embed", "encoder.pos_embedding"),
        (r"patch_embed\.proj\.(\w+)", r"conv_proj.\1"),
        (r"blocks\.(\d+)\.norm([12])\.(\w+)", r"encoder.layers.encoder_layer_\1.ln_\2.\3"),
        (
            r"blocks\.(\d+)\.attn\.qkv\.(\w+)",
            r"encoder.layers.encoder_layer_\1.self_attention.in_proj_\2",
        ),
        (
            r"blocks\.(\d+)\.attn\.proj\.(\w+)",
            r"encoder.layers.encoder_layer_\1.self_attention.out_proj.\2",
        ),
        (r"blocks\.(\d+)\.mlp\.fc1\.(\w+)", r"encoder.layers.encoder_layer_\1.mlp.0.\2"),
        (r"blocks\.(\d+)\.mlp\.fc2\.(\w+)", r"encoder.layers.encoder_layer_\1.mlp.3.\2"),
        (r"norm\.(\w+)", r"encoder.ln.\1"),
        (r"head\.(.+)", r"heads.head.\1"),
    ),
)

TIMM_EFFICIENTNET = Dialect(
    "timm's names",
    "blocks.0.0.conv_dw.weight",
    (
        (r"conv_stem\.(\w+)", r"features.0.0.\1"),
        (r"bn1\.(\w+)", r"features.0.1.\1"),
        (r"conv_head\.(\w+)", r"features.8.0.\1"),
        (r"bn2\.(\w+)", r"features.8.1.\1"),
        (r"classifier\.(weight|bias)", r"classifier.1.\1"),
        # The first stage does not expand: depthwise, squeeze and excitation, project.
        (r"blocks\.(0)\.(\d+)\.conv_dw\.(\w+)", _stage(1, 1, r"\2.block.0.0.\3")),
        (r"blocks\.(0)\.(\d+)\.bn1\.(\w+)", _stage(1, 1, r"\2.block.0.1.\3")),
        (r"blocks\.(0)\.(\d+)\.se\.conv_reduce\.(\w+)", _stage(1, 1, r"\2.block.1.fc1.\3")),
        (r"blocks\.(0)\.(\d+)\.se\.conv_expand\.(\w+)", _stage(1, 1, r"\2.block.1.fc2.\3")),
        (r"blocks\.(0)\.(\d+)\.conv_pw\.(\w+)", _stage(1, 1, r"\2.block.2.0.\3")),
        (r"blocks\.(0)\.(\d+)\.bn2\.(\w+)", _stage(1, 1, r"\2.block.2.1.\3")),
        (r"blocks\.(\d)\.(\d+)\.conv_pw\.(\w+)", _stage(1, 1, r"\2.block.0.0.\3")),
        (r"blocks\.(\d)\.(\d+)\.bn1\.(\w+)", _stage(1, 1, r"\2.block.0.1.\3")),
        (r"blocks\.(\d)\.(\d+)\.conv_dw\.(\w+)", _stage(1, 1, r"\2.block.1.0.\3")),
        (r"blocks\.(\d)\.(\d+)\.bn2\.(\w+)", _stage(1, 1, r"\2.block.1.1.\3")),
        (r"blocks\.(\d)\.(\d+)\.se\.conv_reduce\.(\w+)", _stage(1, 1, r"\2.block.2.fc1.\3")),
        (r"blocks\.(\d)\.(\d+)\.se\.conv_expand\.(\w+)", _stage(1, 1, r"\2.block.2.fc2.\3")),
        (r"blocks\.(\d)\.(\d+)\.conv_pwl\.(\w+)", _stage(1, 1, r"\2.block.3.0.\3")),
        (r"blocks\.(\d)\.(\d+)\.bn3\.(\w+)", _stage(1, 1, r"\2.block.3.1.\3")),
    ),
)

TIMM_CONVNEXT = Dialect(
    "timm's names",
    "stages.0.blocks.0.conv_dw.weight",
    (
        (r"stem\.([01])\.(\w+)", r"features.0.\1.\2"),
        (r"stages\.(\d)\.downsample\.([01])\.(\w+)", _stage(0, 2, r"\2.\3")),
        (r"stages\.(\d)\.blocks\.(\d+)\.gamma", _stage(1, 2, r"\2.layer_scale")),
        (r"stages\.(\d)\.blocks\.(\d+)\.conv_dw\.(\w+)", _stage(1, 2, r"\2.block.0.\3")),
        (r"stages\.(\d)\.blocks\.(\d+)\.norm\.(\w+)", _stage(1, 2, r"\2.block.2.\3")),
        (r"stages\.(\d)\.blocks\.(\d+)\.mlp\.fc1\.(\w+)", _stage(1, 2, r"\2.block.3.\3")),
        (r"stages\.(\d)\.blocks\.(\d+)\.mlp\.fc2\.(\w+)", _stage(1, 2, r"\2.block.5.\3")),
        (r"head\.norm\.(\w+)", r"classifier.0.\1"),
        (r"head\.fc\.(weight|bias)", r"classifier.2.\1"),
    ),
)

TIMM_VGG = Dialect(
    "timm's names",
    "pre_logits.fc1.weight",
    (
        (r"pre_logits\.fc1\.(\w+)", r"classifier.0.\1"),
        (r"pre_logits\.fc2\.(\w+)", r"classifier.3.\1"),
        (r"head\.fc\.(\w+)", r"classifier.6.\1"),
    ),
)

CIFAR_RESNET = Dialect(
    "the names of a widespread ResNet for CIFAR",
    "layer2.0.shortcut.0.weight",
    (
        (r"(layer\d\.\d+)\.shortcut\.(.+)", r"\1.downsample.\2"),
        (r"linear\.(\w+)", r"fc.\1"),
    ),
)

_BODIES = ("features", "layers")
"""Parts that are the whole body of their network."""

DIALECTS = (TIMM_VIT, TIMM_EFFICIENTNET, TIMM_CONVNEXT, TIMM_VGG, CIFAR_RESNET)

_LINEAR_AS_CONVOLUTION = re.compile(r"classifier\.[036]\.weight")


def as_torchvision_shapes(dialect: str, name: str, shape: Shape) -> Shape:
    """Return torchvision's shape for a parameter that others keep in another one.

    ConvNeXt's layer scale is flat at timm, and VGG's linear layers are convolutions there.
    """
    if not dialect:
        return shape
    if name.endswith(".layer_scale") and len(shape) == 1:
        return (*shape, 1, 1)
    if len(shape) == 4 and _LINEAR_AS_CONVOLUTION.fullmatch(name):
        return (shape[0], math.prod(shape[1:]))
    return shape


def sequences(names: Names) -> Iterator[tuple[tuple[Fingerprint, ...], dict[str, str]]]:
    """Yield the names as those of ``nn.Sequential(*network.children())`` or of one child alone.

    Yields:
        The architectures that a reading can be of, and the names in it.
    """
    firsts = {name.split(".", 1)[0] for name in names}
    if not any(first.isdecimal() for first in firsts):
        return
    by_children: dict[tuple[str, ...], list[Fingerprint]] = {}
    for one in fingerprints():
        by_children.setdefault(one.children, []).append(one)
    for children, of in by_children.items():
        named = {}
        for name, old in names.items():
            first, dot, rest = name.partition(".")
            is_child = dot and first.isdecimal() and int(first) < len(children)
            named[f"{children[int(first)]}.{rest}" if is_child else name] = old
        yield tuple(of), named
        if children[0] in _BODIES:
            yield tuple(of), {f"{children[0]}.{name}": old for name, old in names.items()}
