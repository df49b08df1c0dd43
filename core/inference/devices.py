"""Choose the device: one that has just run a convolution, not one that merely reports itself."""

from __future__ import annotations

import logging
import platform
from dataclasses import dataclass

import torch

from core.errors import DeviceUnavailableError
from core.language import tr

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Device:
    """A device that works, and why it was chosen.

    Attributes:
        name: torch's, e.g. "cpu", "cuda:0", "mps".
        title: for people, e.g. "NVIDIA GeForce RTX 3060".
        reason: for people, e.g. "no NVIDIA graphics card was found".
    """

    name: str
    title: str
    reason: str


def choose_device(wanted: str) -> Device:
    """Return the device for "auto", "cpu", "cuda", "cuda:N" or "mps".

    "auto" takes CUDA where a probe convolution runs, else Apple's GPU, else the processor.

    Raises:
        DeviceUnavailableError: the device was named and does not work here.
    """
    if wanted == "auto":
        return _automatic()
    if wanted == "cpu":
        return Device("cpu", "Processor", tr("chosen in the settings"))
    name = "cuda:0" if wanted == "cuda" else wanted
    reason = _why_not(name)
    if reason is not None:
        raise DeviceUnavailableError(
            "The device {wanted!r} cannot be used: {reason}. Use 'auto'.",
            wanted=wanted,
            reason=reason,
        )
    return Device(name, _title(name), tr("chosen in the settings"))


def processor(reason: str) -> Device:
    """Return the processor, with why it is not something faster."""
    return Device("cpu", "Processor", reason)


def working_devices() -> tuple[Device, ...]:
    """Return every device that passes its probe, the processor last."""
    names = [f"cuda:{number}" for number in range(torch.cuda.device_count())]
    names += ["mps"] if torch.backends.mps.is_available() else []
    found = [Device(name, _title(name), "") for name in names if _why_not(name) is None]
    return (*found, processor(""))


def _automatic() -> Device:
    why_not_cuda = _why_not("cuda:0")
    if why_not_cuda is None:
        return Device("cuda:0", _title("cuda:0"), tr("the fastest device of this computer"))
    if torch.backends.mps.is_available() and _why_not("mps") is None:
        return Device("mps", _title("mps"), tr("the fastest device of this computer"))
    return processor(why_not_cuda)


def _why_not(name: str) -> str | None:
    """Return why a device cannot be used, or None where it can."""
    kind, _, number = name.partition(":")
    if number and not number.isdecimal():
        return tr("there is no such device")
    if kind == "cuda":
        if torch.version.cuda is None and torch.version.hip is None:
            return tr("this copy of Droplens is built for the processor alone")
        if not torch.cuda.is_available():
            return tr("no NVIDIA graphics card with a working driver was found")
        if number and int(number) >= torch.cuda.device_count():
            return tr("there is no graphics card number {number}", number=number)
    elif kind == "mps":
        if not torch.backends.mps.is_available():
            return tr("this computer has no Apple GPU that PyTorch can use")
    elif kind != "cpu":
        return tr("there is no such kind of device")
    return _probe(name)


def _probe(name: str) -> str | None:
    """Run one convolution; a driver or GPU too old or too new fails here, not in a run."""
    try:
        with torch.inference_mode():
            image = torch.ones(1, 3, 8, 8, device=name)
            kernel = torch.ones(4, 3, 3, 3, device=name)
            value = torch.nn.functional.conv2d(image, kernel).sum().item()
    except RuntimeError as error:
        log.warning("probe of %s failed", name, exc_info=True)
        first_line = str(error).splitlines()[0] if str(error) else type(error).__name__
        return tr(
            "{title} failed its test ({first_line})", title=_title(name), first_line=first_line
        )
    return None if value == 4 * 36 * 27 else tr("{title} computes wrong values", title=_title(name))


def _title(name: str) -> str:
    if name.startswith("cuda"):
        return torch.cuda.get_device_name(name)
    if name == "mps":
        return f"Apple GPU ({platform.machine()})"
    return "Processor"
