"""EfficientNet-Lite, EfficientNet without squeeze and excitation; Droplens ships two of them."""

from core.language import lazy
from core.models.families.base import LIGHTWEIGHT, Family, Shipped, no_weights, of_timm
from core.models.families.timm_networks import timm_preset

EFFICIENTNET_LITE = Family(
    {"tf_efficientnet_lite0": "EfficientNet-Lite0", "tf_efficientnet_lite2": "EfficientNet-Lite2"},
    LIGHTWEIGHT,
    "efficientnet_lite",
    "classifier",
    library="timm.models",
    build=of_timm,
    weights=no_weights,
    preset=timm_preset,
    shipped={
        "tf_efficientnet_lite0": Shipped(
            "checkpoints/tf_efficientnet_lite0-imagenet.safetensors", lazy("fast")
        ),
        "tf_efficientnet_lite2": Shipped(
            "checkpoints/tf_efficientnet_lite2-imagenet.safetensors", lazy("more exact")
        ),
    },
)
