"""The families of architectures that Droplens knows, one module each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.models.families.alexnet import ALEXNET
from core.models.families.base import GROUPS, Architecture, Family
from core.models.families.cifar_resnet import CIFAR_RESNET
from core.models.families.convnext import CONVNEXT
from core.models.families.densenet import DENSENET
from core.models.families.efficientnet import EFFICIENTNET
from core.models.families.efficientnet_lite import EFFICIENTNET_LITE
from core.models.families.hugging_face_vits import HUGGING_FACE_VIT
from core.models.families.inception import GOOGLENET, INCEPTION
from core.models.families.levit import LEVIT
from core.models.families.maxvit import MAXVIT
from core.models.families.mnasnet import MNASNET
from core.models.families.mobilenet import MOBILENET_V2, MOBILENET_V3
from core.models.families.mobilenet_v1 import MOBILENET_V1
from core.models.families.poolformer import POOLFORMER
from core.models.families.preactivation_resnet import PREACTIVATION_RESNET
from core.models.families.regnet import REGNET
from core.models.families.resnet import RESNET
from core.models.families.shufflenet import SHUFFLENET
from core.models.families.squeezenet import SQUEEZENET
from core.models.families.swin import SWIN
from core.models.families.timm_networks import TIMM
from core.models.families.vgg import VGG
from core.models.families.vit import VIT
from core.models.families.yolo import YOLO, YOLO_ATTENDING

if TYPE_CHECKING:
    from torch import nn

FAMILIES: tuple[Family, ...] = (
    ALEXNET,
    VGG,
    RESNET,
    CIFAR_RESNET,
    PREACTIVATION_RESNET,
    INCEPTION,
    GOOGLENET,
    DENSENET,
    EFFICIENTNET_LITE,
    SQUEEZENET,
    MOBILENET_V1,
    MOBILENET_V2,
    MOBILENET_V3,
    SHUFFLENET,
    MNASNET,
    EFFICIENTNET,
    REGNET,
    CONVNEXT,
    VIT,
    HUGGING_FACE_VIT,
    LEVIT,
    POOLFORMER,
    SWIN,
    MAXVIT,
    YOLO,
    YOLO_ATTENDING,
)
"""In the order in which people are shown them."""

ARCHITECTURES = tuple(
    Architecture(name, title, family)
    for family in FAMILIES
    for name, title in family.titles.items()
)
BY_NAME = {architecture.name: architecture for architecture in ARCHITECTURES}
SHIPPED = {name: shipped for family in FAMILIES for name, shipped in family.shipped.items()}
"""The checkpoint of each architecture that Droplens ships, the default first."""
BUILT_IN = BY_NAME[next(iter(SHIPPED))]
"""Answers where no model was picked."""
EXAMPLE, EXAMPLE_WEIGHTS = "resnet50", "ResNet50_Weights.IMAGENET1K_V2"
"""Names that people may know, for texts that say how names look."""
BY_MODULE = {f"{family.library}.{family.module}": family for family in FAMILIES}

__all__ = [
    "ARCHITECTURES",
    "BUILT_IN",
    "BY_NAME",
    "EXAMPLE",
    "EXAMPLE_WEIGHTS",
    "FAMILIES",
    "GROUPS",
    "SHIPPED",
    "Architecture",
    "Family",
    "built_in",
]


def built_in(architecture: str | None) -> Architecture:
    """Return the architecture whose checkpoint answers where none was picked.

    Args:
        architecture: that was picked; where Droplens ships none of it, the default's is meant.
    """
    return BY_NAME[architecture] if architecture in SHIPPED else BUILT_IN


def family_of_module(module: nn.Module) -> Family | None:
    """Return the family that defines a module; None for torch's own layers.

    Classes of one name differ by the library's file, which the family names.
    """
    place = type(module).__module__
    family = BY_MODULE.get(place)
    return TIMM if family is None and place.startswith(f"{TIMM.library}.") else family


def families_in(network: nn.Module) -> tuple[Family, ...]:
    """Return the families whose modules a network has; one, as a rule."""
    found = (family_of_module(module) for module in network.modules())
    return tuple(dict.fromkeys(family for family in found if family is not None))
