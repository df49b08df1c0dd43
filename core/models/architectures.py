"""The architectures that Droplens knows: torchvision's classifiers, grouped as people know them."""

from __future__ import annotations

from dataclasses import dataclass

GROUPS = ("Classic", "Lightweight", "Found by search", "Modern convolution", "Transformers")


@dataclass(frozen=True)
class Architecture:
    """A network family member, without weights.

    Attributes:
        name: torchvision's, e.g. "resnet50".
        title: as papers write it, e.g. "ResNet-50".
        group: one of ``GROUPS``.
        head: dotted name of the layer that torchvision's documentation says to replace for
            another number of classes.
    """

    name: str
    title: str
    group: str
    head: str


ARCHITECTURES = (
    Architecture("alexnet", "AlexNet", "Classic", "classifier.6"),
    Architecture("vgg11", "VGG-11", "Classic", "classifier.6"),
    Architecture("vgg13", "VGG-13", "Classic", "classifier.6"),
    Architecture("vgg16", "VGG-16", "Classic", "classifier.6"),
    Architecture("vgg19", "VGG-19", "Classic", "classifier.6"),
    Architecture("vgg11_bn", "VGG-11 with batch norm", "Classic", "classifier.6"),
    Architecture("vgg13_bn", "VGG-13 with batch norm", "Classic", "classifier.6"),
    Architecture("vgg16_bn", "VGG-16 with batch norm", "Classic", "classifier.6"),
    Architecture("vgg19_bn", "VGG-19 with batch norm", "Classic", "classifier.6"),
    Architecture("resnet18", "ResNet-18", "Classic", "fc"),
    Architecture("resnet34", "ResNet-34", "Classic", "fc"),
    Architecture("resnet50", "ResNet-50", "Classic", "fc"),
    Architecture("resnet101", "ResNet-101", "Classic", "fc"),
    Architecture("resnet152", "ResNet-152", "Classic", "fc"),
    Architecture("wide_resnet50_2", "Wide ResNet-50-2", "Classic", "fc"),
    Architecture("wide_resnet101_2", "Wide ResNet-101-2", "Classic", "fc"),
    Architecture("resnext50_32x4d", "ResNeXt-50 32×4d", "Classic", "fc"),
    Architecture("resnext101_32x8d", "ResNeXt-101 32×8d", "Classic", "fc"),
    Architecture("resnext101_64x4d", "ResNeXt-101 64×4d", "Classic", "fc"),
    Architecture("inception_v3", "Inception v3", "Classic", "fc"),
    Architecture("googlenet", "GoogLeNet", "Classic", "fc"),
    Architecture("densenet121", "DenseNet-121", "Classic", "classifier"),
    Architecture("densenet161", "DenseNet-161", "Classic", "classifier"),
    Architecture("densenet169", "DenseNet-169", "Classic", "classifier"),
    Architecture("densenet201", "DenseNet-201", "Classic", "classifier"),
    Architecture("squeezenet1_0", "SqueezeNet 1.0", "Lightweight", "classifier.1"),
    Architecture("squeezenet1_1", "SqueezeNet 1.1", "Lightweight", "classifier.1"),
    Architecture("mobilenet_v2", "MobileNet V2", "Lightweight", "classifier.1"),
    Architecture("mobilenet_v3_small", "MobileNet V3 Small", "Lightweight", "classifier.3"),
    Architecture("mobilenet_v3_large", "MobileNet V3 Large", "Lightweight", "classifier.3"),
    Architecture("shufflenet_v2_x0_5", "ShuffleNet V2 ×0.5", "Lightweight", "fc"),
    Architecture("shufflenet_v2_x1_0", "ShuffleNet V2 ×1.0", "Lightweight", "fc"),
    Architecture("shufflenet_v2_x1_5", "ShuffleNet V2 ×1.5", "Lightweight", "fc"),
    Architecture("shufflenet_v2_x2_0", "ShuffleNet V2 ×2.0", "Lightweight", "fc"),
    Architecture("mnasnet0_5", "MNASNet 0.5", "Found by search", "classifier.1"),
    Architecture("mnasnet0_75", "MNASNet 0.75", "Found by search", "classifier.1"),
    Architecture("mnasnet1_0", "MNASNet 1.0", "Found by search", "classifier.1"),
    Architecture("mnasnet1_3", "MNASNet 1.3", "Found by search", "classifier.1"),
    Architecture("efficientnet_b0", "EfficientNet-B0", "Found by search", "classifier.1"),
    Architecture("efficientnet_b1", "EfficientNet-B1", "Found by search", "classifier.1"),
    Architecture("efficientnet_b2", "EfficientNet-B2", "Found by search", "classifier.1"),
    Architecture("efficientnet_b3", "EfficientNet-B3", "Found by search", "classifier.1"),
    Architecture("efficientnet_b4", "EfficientNet-B4", "Found by search", "classifier.1"),
    Architecture("efficientnet_b5", "EfficientNet-B5", "Found by search", "classifier.1"),
    Architecture("efficientnet_b6", "EfficientNet-B6", "Found by search", "classifier.1"),
    Architecture("efficientnet_b7", "EfficientNet-B7", "Found by search", "classifier.1"),
    Architecture("efficientnet_v2_s", "EfficientNet V2 S", "Found by search", "classifier.1"),
    Architecture("efficientnet_v2_m", "EfficientNet V2 M", "Found by search", "classifier.1"),
    Architecture("efficientnet_v2_l", "EfficientNet V2 L", "Found by search", "classifier.1"),
    Architecture("regnet_x_400mf", "RegNetX 400MF", "Found by search", "fc"),
    Architecture("regnet_x_800mf", "RegNetX 800MF", "Found by search", "fc"),
    Architecture("regnet_x_1_6gf", "RegNetX 1.6GF", "Found by search", "fc"),
    Architecture("regnet_x_3_2gf", "RegNetX 3.2GF", "Found by search", "fc"),
    Architecture("regnet_x_8gf", "RegNetX 8GF", "Found by search", "fc"),
    Architecture("regnet_x_16gf", "RegNetX 16GF", "Found by search", "fc"),
    Architecture("regnet_x_32gf", "RegNetX 32GF", "Found by search", "fc"),
    Architecture("regnet_y_400mf", "RegNetY 400MF", "Found by search", "fc"),
    Architecture("regnet_y_800mf", "RegNetY 800MF", "Found by search", "fc"),
    Architecture("regnet_y_1_6gf", "RegNetY 1.6GF", "Found by search", "fc"),
    Architecture("regnet_y_3_2gf", "RegNetY 3.2GF", "Found by search", "fc"),
    Architecture("regnet_y_8gf", "RegNetY 8GF", "Found by search", "fc"),
    Architecture("regnet_y_16gf", "RegNetY 16GF", "Found by search", "fc"),
    Architecture("regnet_y_32gf", "RegNetY 32GF", "Found by search", "fc"),
    Architecture("regnet_y_128gf", "RegNetY 128GF", "Found by search", "fc"),
    Architecture("convnext_tiny", "ConvNeXt Tiny", "Modern convolution", "classifier.2"),
    Architecture("convnext_small", "ConvNeXt Small", "Modern convolution", "classifier.2"),
    Architecture("convnext_base", "ConvNeXt Base", "Modern convolution", "classifier.2"),
    Architecture("convnext_large", "ConvNeXt Large", "Modern convolution", "classifier.2"),
    Architecture("vit_b_16", "ViT-B/16", "Transformers", "heads.head"),
    Architecture("vit_b_32", "ViT-B/32", "Transformers", "heads.head"),
    Architecture("vit_l_16", "ViT-L/16", "Transformers", "heads.head"),
    Architecture("vit_l_32", "ViT-L/32", "Transformers", "heads.head"),
    Architecture("vit_h_14", "ViT-H/14", "Transformers", "heads.head"),
    Architecture("swin_t", "Swin-T", "Transformers", "head"),
    Architecture("swin_s", "Swin-S", "Transformers", "head"),
    Architecture("swin_b", "Swin-B", "Transformers", "head"),
    Architecture("swin_v2_t", "Swin V2-T", "Transformers", "head"),
    Architecture("swin_v2_s", "Swin V2-S", "Transformers", "head"),
    Architecture("swin_v2_b", "Swin V2-B", "Transformers", "head"),
    Architecture("maxvit_t", "MaxViT-T", "Transformers", "classifier.5"),
)

BY_NAME = {architecture.name: architecture for architecture in ARCHITECTURES}
