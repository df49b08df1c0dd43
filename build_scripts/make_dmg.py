"""Make the disk image for macOS: an app bundle, signed and notarised where the keys are given.

Environment: DROPLENS_SIGN_AS, the name of a Developer ID certificate; DROPLENS_NOTARY_PROFILE, a
profile of `xcrun notarytool store-credentials`. Without them the bundle is signed ad hoc, and
macOS asks before its first start.
"""

from __future__ import annotations

import os
import plistlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from file_types import document_types
from shared import DIST, FROZEN, PACKAGING, ROOT, fresh, try_program, version

BUNDLE = DIST / "Droplens.app"
OLDEST_MACOS = "12.0"


def main() -> int:
    """Lay out, sign, pack, try what the image holds."""
    contents = fresh(BUNDLE) / "Contents"
    shutil.copytree(FROZEN, contents / "MacOS", symlinks=True)
    (contents / "Resources").mkdir()
    _draw_icon(contents / "Resources" / "droplens.icns")
    (contents / "Info.plist").write_bytes(plistlib.dumps(information(), sort_keys=True))
    _sign()
    image = DIST / f"droplens-{version()}-macos-{os.uname().machine}.dmg"
    image.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        shutil.copytree(BUNDLE, Path(scratch) / BUNDLE.name, symlinks=True)
        (Path(scratch) / "Applications").symlink_to("/Applications")
        command = ["hdiutil", "create", "-volname", "Droplens", "-srcfolder", scratch]
        subprocess.run([*command, "-format", "ULFO", str(image)], check=True)
    _notarise(image)
    _try(image)
    return 0


def information() -> dict[str, object]:
    """Return what Info.plist says of the bundle."""
    return {
        "CFBundleName": "Droplens",
        "CFBundleIdentifier": "io.github.droplens.droplens",
        "CFBundleExecutable": "droplens",
        "CFBundleIconFile": "droplens",
        "CFBundlePackageType": "APPL",
        "CFBundleShortVersionString": version(),
        "CFBundleVersion": version(),
        "LSMinimumSystemVersion": OLDEST_MACOS,
        "LSApplicationCategoryType": "public.app-category.photography",
        "NSHighResolutionCapable": True,
        "NSRequiresAquaSystemAppearance": False,  # dark mode
        "CFBundleDocumentTypes": document_types(),
    }


def _draw_icon(target: Path) -> None:
    """Draw the icon in all of Apple's sizes."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6.QtGui import QGuiApplication, QImage, QPainter
    from PySide6.QtSvg import QSvgRenderer

    application = QGuiApplication([])
    with tempfile.TemporaryDirectory(suffix=".iconset") as folder:
        for size in (16, 32, 128, 256, 512):
            for factor in (1, 2):
                picture = QImage(size * factor, size * factor, QImage.Format.Format_ARGB32)
                picture.fill(0)
                painter = QPainter(picture)
                QSvgRenderer(str(ROOT / "resources" / "icons" / "app.svg")).render(painter)
                painter.end()
                suffix = "@2x" if factor == 2 else ""
                picture.save(f"{folder}/icon_{size}x{size}{suffix}.png")
        subprocess.run(["iconutil", "-c", "icns", folder, "-o", str(target)], check=True)
    application.quit()


def _sign() -> None:
    signer = os.environ.get("DROPLENS_SIGN_AS", "-")
    command = ["codesign", "--force", "--deep", "--sign", signer]
    if signer != "-":
        command += ["--timestamp", "--options", "runtime"]
        command += ["--entitlements", str(PACKAGING / "macos" / "entitlements.plist")]
    subprocess.run([*command, str(BUNDLE)], check=True)


def _notarise(image: Path) -> None:
    profile = os.environ.get("DROPLENS_NOTARY_PROFILE")
    if not profile:
        print("not notarised: DROPLENS_NOTARY_PROFILE names no profile")
        return
    submit = ["xcrun", "notarytool", "submit", str(image), "--keychain-profile", profile, "--wait"]
    subprocess.run(submit, check=True)
    subprocess.run(["xcrun", "stapler", "staple", str(image)], check=True)


def _try(image: Path) -> None:
    with tempfile.TemporaryDirectory() as place:
        attach = ["hdiutil", "attach", "-nobrowse", "-mountpoint", place, str(image)]
        subprocess.run(attach, check=True)
        try:
            try_program(Path(place) / BUNDLE.name / "Contents" / "MacOS" / "droplens")
        finally:
            subprocess.run(["hdiutil", "detach", place], check=False)


if __name__ == "__main__":
    sys.exit(main())
