"""What is known of transformers' image classifiers that are told apart by their names.

Those that open have a ``Dialect`` in their family's module; the rest is refused by its right name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """A kind of network of transformers.

    Attributes:
        title: as papers write it.
        patterns: each must be found in some name of its parameters; none for a kind that only its
            configuration tells.
        opens: whether forms of it open.
    """

    title: str
    patterns: tuple[str, ...] = ()
    opens: bool = False

    @property
    def one(self) -> str:
        """Return the title with its article."""
        return f"an {self.title}" if self.title[0] in "AEIO" else f"a {self.title}"


def _kind(title: str, prefix: str, *, opens: bool = False) -> Kind:
    """Return a kind whose parameters stand below a prefix of its own."""
    parts = "embed|encoder|stages|conv|patch_embedd|network|model|vision"
    return Kind(title, (rf"(^|\.){prefix}\.({parts})",), opens)


_CLIP = (r"(^|\.)vision_model\.embeddings\.class_embedding",)
_SIGLIP = (r"(^|\.)vision_model\.embeddings\.", r"(^|\.)vision_model\.(head\.|post_layernorm)")

KINDS: Mapping[str, Kind] = {
    "beit": _kind("BEiT", "beit", opens=True),
    "bit": _kind("BiT", "bit"),
    "clip": Kind("CLIP", _CLIP, opens=True),
    "convnext": _kind("ConvNeXt", "convnext", opens=True),
    "convnextv2": _kind("ConvNeXt V2", "convnextv2"),
    "cvt": _kind("CvT", "cvt"),
    "data2vec-vision": _kind("Data2Vec", "data2vec_vision", opens=True),
    "deit": _kind("DeiT", "deit", opens=True),
    "dinat": _kind("DiNAT", "dinat"),
    "dinov2": _kind("DINOv2", "dinov2", opens=True),
    "dinov2_with_registers": _kind("DINOv2 with registers", "dinov2_with_registers", opens=True),
    "dinov3_convnext": Kind("DINOv3"),
    "dinov3_vit": Kind("DINOv3"),
    "donut-swin": _kind("Donut", "donut"),
    "efficientformer": _kind("EfficientFormer", "efficientformer"),
    "efficientnet": _kind("EfficientNet", "efficientnet", opens=True),
    "focalnet": _kind("FocalNet", "focalnet"),
    "hgnet_v2": Kind("HGNet V2", (r"(^|\.)embedder\.stem1\.",)),
    "hiera": _kind("Hiera", "hiera"),
    "ijepa": _kind("I-JEPA", "ijepa", opens=True),
    "imagegpt": Kind("ImageGPT"),
    "levit": _kind("LeViT", "levit", opens=True),
    "metaclip_2": Kind("MetaCLIP 2", opens=True),
    "mobilenet_v1": _kind("MobileNet V1", "mobilenet_v1", opens=True),
    "mobilenet_v2": _kind("MobileNet V2", "mobilenet_v2", opens=True),
    "mobilevit": _kind("MobileViT", "mobilevit"),
    "mobilevitv2": _kind("MobileViT V2", "mobilevitv2"),
    "nat": _kind("NAT", "nat"),
    "perceiver": Kind("Perceiver", (r"(^|\.)perceiver\.",)),
    "poolformer": _kind("PoolFormer", "poolformer", opens=True),
    "pp_lcnet": Kind("PP-LCNet", (r"(^|\.)last_convolution\.", r"depthwise_convolution\.")),
    "pvt": _kind("PVT", "pvt"),
    "pvt_v2": _kind("PVT V2", "pvt_v2"),
    "regnet": _kind("RegNet", "regnet", opens=True),
    "resnet": Kind("ResNet", (r"(^|\.)resnet\.(embedder|encoder)\.",), opens=True),
    "segformer": _kind("SegFormer", "segformer"),
    "shieldgemma2": Kind("ShieldGemma 2"),
    "siglip": Kind("SigLIP", _SIGLIP, opens=True),
    "siglip2": Kind("SigLIP 2"),
    "swiftformer": _kind("SwiftFormer", "swiftformer"),
    "swin": _kind("Swin", "swin", opens=True),
    "swinv2": _kind("Swin V2", "swinv2", opens=True),
    "textnet": _kind("TextNet", "textnet"),
    "timm_wrapper": Kind("timm network", (r"(^|\.)timm_model\.",)),
    "van": _kind("VAN", "van"),
    "vit": Kind("ViT", (r"(^|\.)vit\.embeddings\.patch_embeddings\.",), opens=True),
    "vit_hybrid": Kind("ViT Hybrid"),
    "vit_msn": Kind("ViT-MSN", opens=True),
}
"""By the ``model_type`` of a config.json."""


@dataclass(frozen=True)
class Processor:
    """What an image processor of transformers takes where its configuration is silent.

    Attributes:
        size: of the resize: a number for the shorter side, two for height and width.
        crops: whether it cuts the middle out.
        crop: sides in pixels of what it cuts out.
        resample: Pillow's number of the filter.
        by_share: whether it resizes to more than its size, which is then cut out, up to this size.
        enlarged: how many times its size it resizes the shorter side to.
        share: its size as a share of what it resizes to, where its configuration is silent; 0 for
            one that has no such field.
        normalises_twice: whether it may divide by the std a second time.
    """

    size: int | tuple[int, int]
    crops: bool = False
    crop: int = 224
    resample: int = 2
    by_share: int = 0
    enlarged: float = 1.0
    share: float = 0.0
    normalises_twice: bool = False


_BILINEAR, _BICUBIC = 2, 3

PROCESSORS: Mapping[str, Processor] = {
    "ViT": Processor((224, 224)),
    "DeiT": Processor((256, 256), crops=True, resample=_BICUBIC),
    "Beit": Processor((224, 224), resample=_BICUBIC),
    "Siglip": Processor((224, 224), resample=_BICUBIC),
    "Bit": Processor(224, crops=True, resample=_BICUBIC),
    "CLIP": Processor(224, crops=True, resample=_BICUBIC),
    "ConvNext": Processor(384, resample=_BICUBIC, by_share=384),
    "Levit": Processor(224, crops=True, resample=_BICUBIC, enlarged=256 / 224),
    "PoolFormer": Processor(224, crops=True, resample=_BICUBIC, share=0.9),
    "MobileNetV1": Processor(256, crops=True),
    "MobileNetV2": Processor(256, crops=True),
    "EfficientNet": Processor((346, 346), crop=289, resample=_BICUBIC, normalises_twice=True),
}
"""By the beginning of their classes' names. Source: transformers 5.24."""
UNNAMED_PROCESSOR, UNNAMED_BY_SHARE = "ViT", "ConvNext"
"""Read configurations that name no processor; the latter those with a share to cut out."""
