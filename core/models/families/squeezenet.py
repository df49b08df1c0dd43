"""SqueezeNet, whose head is a convolution over the last maps."""

from core.language import lazy
from core.models.families.base import LIGHTWEIGHT, Family, HeadInput, Shipped

SQUEEZENET = Family(
    {"squeezenet1_0": "SqueezeNet 1.0", "squeezenet1_1": "SqueezeNet 1.1"},
    LIGHTWEIGHT,
    "squeezenet",
    "classifier.1",
    head_input=HeadInput.MAPS,
    ends_in_relu=True,
    shipped={
        "squeezenet1_1": Shipped(
            "checkpoints/squeezenet1_1-imagenet.safetensors", lazy("smallest, least exact")
        )
    },
)
