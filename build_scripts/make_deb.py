"""Make the package for Debian and Ubuntu; where there are the rights, install, try, remove it."""

from __future__ import annotations

import datetime
import email.utils
import gzip
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from environment import QT_LIBRARIES, need_programs
from file_types import mime_info, mime_types
from shared import DIST, FROZEN, PACKAGING, ROOT, epoch, filled, fresh, try_program, version

TREE = ROOT / "build" / "deb"
LINUX = PACKAGING / "linux"
ICON_SIZES = (16, 22, 24, 32, 48, 64, 128, 256, 512)
_OTHERS = "made by others; their files are taken as they are"
_OWN_WORLD = "the program brings its own Python, torch and Qt, which were tested together"
OVERRIDES = {
    "dir-or-file-in-opt": _OWN_WORLD,
    "embedded-library": _OWN_WORLD,
    "package-installs-python-bytecode": _OWN_WORLD,
    "unstripped-binary-or-object": _OTHERS,
    "shared-library-is-executable": _OTHERS,
    "custom-library-search-path": _OTHERS,
    "hardening-no-pie": _OTHERS,
    "hardening-no-relro": _OTHERS,
    "library-not-linked-against-libc": _OTHERS,
    "shared-library-lacks-prerequisites": _OTHERS,
    "sharedobject-in-library-directory-missing-soname": _OTHERS,
    "elf-error": _OTHERS,
    "elf-warning": _OTHERS,
    "script-not-executable": _OTHERS,
    "unusual-interpreter": _OTHERS,
    "incorrect-path-for-interpreter": _OTHERS,
    "wrong-path-for-interpreter": _OTHERS,
    "missing-dep-for-interpreter": _OTHERS,
    "missing-depends-on-sensible-utils": _OTHERS,
    "national-encoding": _OTHERS,
    "extra-license-file": "each part keeps its licence beside it",
}
"""lintian's tags that are meant, each with its reason."""


def main() -> int:
    """Build, check, try."""
    need_programs(
        {
            "dpkg-deb": "dpkg",
            "lintian": "lintian",
            "desktop-file-validate": "desktop-file-utils",
            "appstreamcli": "appstream",
        }
    )
    _lay_out()
    package = DIST / f"droplens_{version()}_{_architecture()}.deb"
    _set_times()
    subprocess.run(
        ["dpkg-deb", "--root-owner-group", "-Zxz", "-z6", "--build", str(TREE), str(package)],
        check=True,
    )
    print(f"{package}: {package.stat().st_size / 1e6:,.0f} MB")
    _check(package)
    if os.geteuid() == 0:
        _install_and_remove(package)
    else:
        print("not installed: that needs root")
    return 0


def _architecture() -> str:
    command = ["dpkg", "--print-architecture"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def _lay_out() -> None:
    """Put every file where it will lie."""
    fresh(TREE)
    program = TREE / "opt" / "droplens"
    shutil.copytree(FROZEN, program, symlinks=True)
    for path in program.rglob("*"):
        if not path.is_symlink():
            runs = path.is_dir() or path.name in ("droplens", "torch_shm_manager")
            path.chmod(0o755 if runs else 0o644)
    share = TREE / "usr" / "share"
    binaries = TREE / "usr" / "bin"
    binaries.mkdir(parents=True)
    for name in ("droplens", "droplens-cli"):
        (binaries / name).symlink_to(f"/opt/droplens/{name}")
        _write_packed(share / "man" / "man1" / f"{name}.1.gz", filled(LINUX / f"{name}.1"))
    desktop = filled(LINUX / "droplens.desktop", MIME_TYPES=mime_types())
    _write(share / "applications" / "droplens.desktop", desktop)
    metainfo = "io.github.droplens.droplens.metainfo.xml"
    _write(share / "metainfo" / metainfo, filled(LINUX / metainfo))
    _write(share / "mime" / "packages" / "droplens.xml", mime_info())
    _draw_icons(share / "icons" / "hicolor")
    documents = share / "doc" / "droplens"
    _write(documents / "copyright", filled(LINUX / "copyright"))
    when = email.utils.format_datetime(datetime.datetime.fromtimestamp(epoch(), datetime.UTC))
    _write_packed(documents / "changelog.gz", filled(LINUX / "changelog", WHEN=when))
    news = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    _write_packed(documents / "NEWS.gz", news)
    said = [f"# {reason}\ndroplens: {tag}" for tag, reason in OVERRIDES.items()]
    _write(share / "lintian" / "overrides" / "droplens", "\n".join(said) + "\n")
    size = sum(one.stat().st_size for one in TREE.rglob("*") if one.is_file()) // 1024
    depends = ", ".join(sorted({"libc6 (>= 2.28)", "zlib1g", *QT_LIBRARIES.values()}))
    control = filled(
        LINUX / "control", ARCHITECTURE=_architecture(), SIZE=str(size), DEPENDS=depends
    )
    sums = [
        f"{hashlib.md5(one.read_bytes()).hexdigest()}  {one.relative_to(TREE).as_posix()}"
        for one in sorted(TREE.rglob("*"))
        if one.is_file() and not one.is_symlink()
    ]
    _write(TREE / "DEBIAN" / "control", control)
    _write(TREE / "DEBIAN" / "md5sums", "\n".join(sums) + "\n")


def _draw_icons(folder: Path) -> None:
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    from PySide6.QtGui import QGuiApplication, QImage, QPainter
    from PySide6.QtSvg import QSvgRenderer

    application = QGuiApplication([])
    drawing = ROOT / "resources" / "icons" / "app.svg"
    _write(folder / "scalable" / "apps" / "droplens.svg", drawing.read_text(encoding="utf-8"))
    for size in ICON_SIZES:
        picture = QImage(size, size, QImage.Format.Format_ARGB32)
        picture.fill(0)
        painter = QPainter(picture)
        QSvgRenderer(str(drawing)).render(painter)
        painter.end()
        target = folder / f"{size}x{size}" / "apps" / "droplens.png"
        target.parent.mkdir(parents=True)
        if not picture.save(str(target)):
            raise SystemExit(f"{target} could not be drawn")
    application.quit()


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o644)


def _write_packed(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text.encode(), 9, mtime=0))


def _set_times() -> None:
    for path in [TREE, *TREE.rglob("*")]:
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o755)
        os.utime(path, (epoch(), epoch()), follow_symlinks=False)


def _check(package: Path) -> None:
    share = TREE / "usr" / "share"
    for command in (
        ["desktop-file-validate", str(share / "applications" / "droplens.desktop")],
        ["appstreamcli", "validate", "--no-net", str(next((share / "metainfo").iterdir()))],
        [
            "lintian",
            "--fail-on",
            "error,warning",
            "--suppress-tags",
            "no-manual-page",
            str(package),
        ],
    ):
        print("> " + " ".join(command[:2]), flush=True)
        if subprocess.run(command, check=False).returncode != 0:
            raise SystemExit(f"{command[0]} has found something")


def _install_and_remove(package: Path) -> None:
    """Install it, start what is installed, remove it, and look what is left."""
    before = _files_of_droplens()
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "--yes", "--no-install-recommends", "--quiet", str(package)]
    subprocess.run(install, env=environment, check=True, stdout=subprocess.DEVNULL)
    try:
        try_program("/usr/bin/droplens")
    finally:
        remove = ["apt-get", "purge", "--yes", "--quiet", "droplens"]
        subprocess.run(remove, env=environment, check=True, stdout=subprocess.DEVNULL)
    left = _files_of_droplens() - before
    if left:
        raise SystemExit(f"left behind after its removal: {sorted(left)}")
    print("installed, tried, removed; nothing is left")


def _files_of_droplens() -> set[str]:
    places = ("/opt", "/usr/bin", "/usr/share", "/etc", "/var/lib/dpkg/info")
    command = ["find", *places, "-iname", "*droplens*"]
    return set(subprocess.run(command, capture_output=True, text=True, check=False).stdout.split())


if __name__ == "__main__":
    sys.exit(main())
