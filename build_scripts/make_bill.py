"""Write what is in the installers: a bill of materials (CycloneDX), and SHA-256 sums."""

from __future__ import annotations

import hashlib
import json
import sys
import time
import uuid
from pathlib import Path

from shared import DIST, ROOT, epoch, version

sys.path.insert(0, str(ROOT))

from core.licences import bundled, licence_of


def main() -> int:
    """Write both into dist/."""
    path = DIST / f"droplens-{version()}.cdx.json"
    path.write_text(json.dumps(bill(), indent=1, sort_keys=True) + "\n", encoding="utf-8")
    names = sorted(one for one in DIST.iterdir() if one.is_file() and one.name != "SHA256SUMS")
    sums = [f"{_sha256(one)}  {one.name}" for one in names]
    (DIST / "SHA256SUMS").write_text("\n".join(sums) + "\n", encoding="utf-8")
    print("\n".join(sums))
    return 0


def bill() -> dict[str, object]:
    """Return the bill of materials, in the form of CycloneDX 1.6."""
    parts = [one for one in bundled() if one.metadata["Name"] != "droplens"]
    made = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(epoch()))
    names = " ".join(f"{one.metadata['Name']}{one.version}" for one in parts)
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, names)}",
        "version": 1,
        "metadata": {
            "timestamp": made,
            "component": {"type": "application", "name": "droplens", "version": version()},
        },
        "components": [
            {
                "type": "library",
                "name": one.metadata["Name"],
                "version": one.version,
                "purl": f"pkg:pypi/{one.metadata['Name'].lower()}@{one.version}",
                "licenses": [{"license": {"name": licence_of(one) or "not named"}}],
            }
            for one in parts
        ],
    }


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


if __name__ == "__main__":
    sys.exit(main())
