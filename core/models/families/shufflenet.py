"""ShuffleNet V2."""

from core.models.families.base import LIGHTWEIGHT, Family

SHUFFLENET = Family(
    {f"shufflenet_v2_x{width.replace('.', '_')}": f"ShuffleNet V2 ×{width}"
     for width in ("0.5", "1.0", "1.5", "2.0")},
    LIGHTWEIGHT,
    "shufflenetv2",
    "fc",
)  # fmt: skip
