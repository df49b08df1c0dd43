"""What computes: no Qt here, and nothing that asks the network by itself."""

from __future__ import annotations

import os

# ONNX Runtime keeps a database of its use and reports it to its maker, unless it finds this
# before it is imported; processes that are started from here inherit it.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
