"""The networks of ``keras.applications``: how they are known, and what they are given."""

from __future__ import annotations

from dataclasses import dataclass

USUAL_SIDE = 224
"""Pixels that most of them take."""

_LARGER_SIDE = 299


@dataclass(frozen=True)
class Body:
    """A network of ``keras.applications``.

    Attributes:
        title: as papers write it.
        model: pattern for the name that Keras gives it.
        layer: a layer that no other of these has, where its layers stand in a model of any name.
        mode: of Keras's ``preprocess_input``: "tf" (−1..1), "caffe" or "torch"; models that scale
            photos themselves have none.
        side: pixels that it takes where the file does not say.
    """

    title: str
    model: str
    layer: str
    mode: str
    side: int = USUAL_SIDE


BODIES = (
    Body("MobileNet V3", r"mobilenet_?v3.*", "expanded_conv/squeeze_excite/Conv", "tf"),
    Body("MobileNet V2", r"mobilenetv2.*", "expanded_conv_depthwise", "tf"),
    Body("MobileNet", r"mobilenet.*", "conv_dw_1", "tf"),
    Body("Inception-ResNet V2", r"inception_resnet_v2", "mixed_5b", "tf", _LARGER_SIDE),
    Body("Inception V3", r"inception_v3", "mixed10", "tf", _LARGER_SIDE),
    Body("Xception", r"xception", "block2_sepconv1", "tf", _LARGER_SIDE),
    Body("ResNet V2", r"resnet\d+v2", "conv2_block1_preact_bn", "tf"),
    Body("DenseNet", r"densenet\d+", "conv2_block1_0_bn", "torch"),
    Body("ResNet", r"resnet\d+", "conv2_block1_1_conv", "caffe"),
    Body("ResNet", r"resnet\d+", "res2a_branch2a", "caffe"),
    Body("VGG", r"vgg1[69]", "block5_conv3", "caffe"),
    Body("NASNet", r"nasnet.*", "normal_conv_1_0", "tf"),
    Body("EfficientNet V2", r"efficientnetv2.*", "block1a_project_conv ", "tf"),
    Body("EfficientNet", r"efficientnetb\d", "block1a_dwconv", "torch"),
    Body("ConvNeXt", r"convnext.*", "convnext_stem ", "torch"),
)
