"""Do something with a file in a process of its own, and say what that took.

A server process imports what the job needs once and forks for each file, so that memory counts
from the idle program on.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

ROOT = Path(__file__).resolve().parent.parent.parent
LIMIT_BYTES = 1024 * 2**20
LIMIT_S = 10
_ADDRESS_SPACE_BYTES = 16 * 2**30
_CPU_S = 60


@dataclass(frozen=True)
class Measured:
    """What a job took.

    Attributes:
        status: 0, or the number of the signal that ended it, or 1000 after a traceback.
        cpu_s: processor time.
        grown_bytes: greatest memory over that of the idle program.
        gap_s: longest time for which another thread did not get the interpreter.
        answer: what the job returned, or the traceback's last line.
    """

    status: int
    cpu_s: float
    grown_bytes: int
    gap_s: float
    answer: str

    @property
    def is_harmless(self) -> bool:
        """Return whether it ended in an answer, within the limits."""
        within = self.cpu_s < LIMIT_S and self.grown_bytes < LIMIT_BYTES
        return self.status == 0 and within


class Measuring:
    """Runs one job on many files.

    Args:
        job: "module:function" that takes a path and returns a text.
    """

    def __init__(self, job: str) -> None:
        self._server = subprocess.Popen(
            [sys.executable, "-m", "tests.attacks.measuring", job],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, path: Path) -> Measured:
        """Do the job on one file."""
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.write(json.dumps(os.fspath(path)) + "\n")
        self._server.stdin.flush()
        return Measured(**json.loads(self._server.stdout.readline()))

    def __enter__(self) -> Measuring:
        return self

    def __exit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        assert self._server.stdin is not None
        self._server.stdin.close()
        self._server.wait()
        assert self._server.stdout is not None
        self._server.stdout.close()


def inspect_and_open(path: Path) -> str:
    """Say what a model file is, open it, and let it predict."""
    from core.errors import DroplensError
    from core.inference.classifier import Classifier
    from core.inference.devices import choose_device
    from core.models.sources import source_of
    from core.values.spec import ModelChoice

    source = source_of(path)
    found = source.inspect(path)
    json.dumps([found.summary, found.problems, found.class_names])
    try:
        opened = source.open(ModelChoice(checkpoint=path), None, lambda: False)
        classifier = Classifier(opened, choose_device("cpu"), lambda _: None)
        classifier.check_input()
        classifier.close()
    except DroplensError as error:
        return f"refused: {error}"
    return f"opened: {found.summary}"


def decode(path: Path) -> str:
    """Decode a photo as the viewer does, with what the built-in model sees of it."""
    from core.errors import UnreadableImageError
    from core.images.preprocessing import Preprocessing
    from core.images.thumbnails import make_thumbnail
    from core.images.viewing import view

    try:
        shape = view(path, Preprocessing()).pixels.shape
        make_thumbnail(path, 256)
    except UnreadableImageError as error:
        return f"refused: {error}"
    return f"decoded: {shape}"


def warm_up() -> None:
    """Import what both jobs need, with a file that is as it should be."""
    import resources
    from core.models.sources.checkpoint.source import default_checkpoint

    decode(resources.path("samples/chelsea.png"))
    inspect_and_open(default_checkpoint())


def _serve(job: Callable[[Path], str]) -> None:
    for line in sys.stdin:
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            os.close(reading)
            _measured(job, Path(json.loads(line)), writing)
        os.close(writing)
        with os.fdopen(reading) as answer:
            text = answer.read()
        _, status, used = os.wait4(child, 0)
        if not text:
            killed = {
                "status": os.WTERMSIG(status) if os.WIFSIGNALED(status) else 999,
                "cpu_s": used.ru_utime + used.ru_stime,
                "grown_bytes": used.ru_maxrss * 1024,
                "gap_s": 0.0,
                "answer": "killed",
            }
            text = json.dumps(killed)
        print(text, flush=True)


def _measured(job: Callable[[Path], str], path: Path, writing: int) -> None:
    import torch

    torch.set_num_threads(1)  # threads of OpenMP do not outlive a fork
    resource.setrlimit(resource.RLIMIT_AS, (_ADDRESS_SPACE_BYTES, _ADDRESS_SPACE_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_S, _CPU_S))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    idle = int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
    gap, is_over = [0.0], threading.Event()

    def tick() -> None:
        last = time.thread_time(), time.perf_counter()
        while not is_over.wait(0.005):
            now = time.perf_counter()
            gap[0] = max(gap[0], now - last[1])
            last = 0.0, now

    ticking = threading.Thread(target=tick)
    ticking.start()
    before = time.process_time()
    status = 0
    try:
        answer = job(path)
    except BaseException as error:  # noqa: BLE001 - a traceback is what is looked for
        status, answer = 1000, f"{type(error).__name__}: {error}"
    cpu = time.process_time() - before
    is_over.set()
    ticking.join()
    greatest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    with os.fdopen(writing, "w") as out:
        json.dump(
            {
                "status": status,
                "cpu_s": cpu,
                "grown_bytes": greatest - idle,
                "gap_s": gap[0],
                "answer": answer[:2000],
            },
            out,
        )
    os._exit(0)


if __name__ == "__main__":
    module, _, function = sys.argv[1].partition(":")
    with contextlib.suppress(KeyboardInterrupt):
        warm_up()
        _serve(getattr(importlib.import_module(module), function))
