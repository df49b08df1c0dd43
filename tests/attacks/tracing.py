"""Run a command and list the system calls that it makes."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.attacks.measuring import ROOT


def traced(
    command: Sequence[str],
    calls: Sequence[str],
    folder: Path,
    environment: Mapping[str, str] | None = None,
) -> tuple[list[str], subprocess.CompletedProcess[str]]:
    """Run a command under strace, children and threads included.

    Args:
        command: program and arguments.
        calls: names of system calls.
        folder: for the trace.
        environment: of the command; this one's by default.

    Returns:
        The lines of those calls that succeeded, and the finished process.
    """
    trace = folder / "trace"
    done = subprocess.run(
        ["strace", "-f", "-z", "-qq", "-e", f"trace={','.join(calls)}", "-e", "signal=none",
         "-o", str(trace), *command],
        cwd=ROOT, env=dict(environment or os.environ), capture_output=True, text=True, check=False,
    )  # fmt: skip
    lines = trace.read_text(errors="replace").splitlines()
    return [line for line in lines if any(f"{call}(" in line for call in calls)], done
