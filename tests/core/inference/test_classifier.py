from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from core.errors import DeviceUnavailableError, PreprocessingError
from core.images.preprocessing import Preprocessing
from core.inference import devices
from core.inference.backends import filled_size, size_within
from core.inference.classifier import TOO_LARGE, Classifier
from core.inference.devices import Device, choose_device, processor
from core.inference.memory import is_out_of_memory
from core.models.building import Blueprint
from core.models.recognition.fingerprints import fingerprint_of
from core.models.sources.checkpoint.source import OpenedModel
from core.values.spec import ModelSpec
from tests.specs import make_spec


def spec(classes: int) -> ModelSpec:
    names = tuple(f"class {index}" for index in range(classes))
    return make_spec(
        architecture="tiny",
        names=names,
        preprocessing=Preprocessing(
            resize=None, crop=(2, 2), scale=255.0, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0)
        ),
    )


class FixedNetwork(nn.Module):
    """Gives the mean of each channel as logit; forgets memory beyond a batch size."""

    def __init__(self, classes: int = 3, fits: int = 1000) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))
        self.classes, self.fits = classes, fits
        self.batches: list[int] = []

    def forward(self, batch: Tensor) -> Tensor:
        if len(batch) > self.fits:
            raise torch.OutOfMemoryError("CUDA out of memory")
        self.batches.append(len(batch))
        return batch.mean(dim=(2, 3))[:, : self.classes] * self.weight


def classifier(network: nn.Module, notices: list[str], device: str = "cpu") -> Classifier:
    classes = getattr(network, "classes", 3)
    opened = OpenedModel(spec(classes), network, Blueprint(fingerprint_of("resnet18"), None, {}))
    return Classifier(opened, Device(device, device, ""), notices.append)


def inputs(*colours: tuple[int, int, int]) -> np.ndarray:
    means = np.array(colours, np.uint8)[:, None, None, :]
    return np.ascontiguousarray(np.broadcast_to(means, (len(colours), 2, 2, 3)))


def test_top_k_is_the_softmax_of_the_logits() -> None:
    (top,) = classifier(FixedNetwork(), []).classify(inputs((1, 3, 2)), top_k=5)
    expected = torch.tensor([1.0, 3.0, 2.0]).softmax(0)
    assert [one.class_index for one in top] == [1, 2, 0]
    assert [one.class_name for one in top] == ["class 1", "class 2", "class 0"]
    assert [one.probability for one in top] == pytest.approx(expected[[1, 2, 0]].tolist())


def test_one_output_is_a_sigmoid() -> None:
    ((only,),) = classifier(FixedNetwork(classes=1), []).classify(inputs((0, 9, 9)), top_k=5)
    assert only.probability == pytest.approx(0.5)


def test_a_batch_that_does_not_fit_is_halved_and_the_run_goes_on() -> None:
    notices: list[str] = []
    network = FixedNetwork(fits=2)
    used = classifier(network, notices)
    colours = [(index, 0, 6 - index) for index in range(7)]
    tops = used.classify(inputs(*colours), top_k=1)
    alone = [classifier(FixedNetwork(), []).classify(inputs(one), 1)[0] for one in colours]
    assert tops == alone
    assert max(network.batches) <= 2
    assert used.batch_size(None) <= 2
    assert notices
    assert "groups of" in notices[0]


def test_one_photo_that_does_not_fit_on_the_gpu_goes_to_the_processor(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: None)
    notices: list[str] = []
    network = FixedNetwork(fits=0)
    used = classifier(network, notices)
    used.device = Device("cuda:0", "Small GPU", "")
    monkeypatch.setattr(Tensor, "to", lambda self, _: self)

    def move(_: str) -> nn.Module:
        network.fits = 1
        return network

    monkeypatch.setattr(network, "to", move)
    assert len(used.classify(inputs((1, 2, 3)), 1)) == 1
    assert used.device.name == "cpu"
    assert "Small GPU" in used.device.reason
    assert "goes on with the processor" in notices[0]


def test_one_photo_that_fits_nowhere_is_a_failure_of_its_own() -> None:
    assert classifier(FixedNetwork(fits=0), []).classify(inputs((1, 2, 3), (0, 0, 1)), 1) == [
        TOO_LARGE,
        TOO_LARGE,
    ]


def test_a_model_that_computes_no_numbers_says_so() -> None:
    network = FixedNetwork()
    with torch.no_grad():
        network.weight.fill_(float("nan"))
    (said,) = classifier(network, []).classify(inputs((1, 2, 3)), 1)
    assert "no numbers" in said


def test_the_users_batch_size_counts_until_memory_runs_out() -> None:
    used = classifier(FixedNetwork(fits=5), [])
    assert (used.batch_size(None), used.batch_size(32)) == (8, 32)
    used.classify(inputs(*[(1, 2, 3)] * 8), 1)
    assert (used.batch_size(None), used.batch_size(32), used.batch_size(2)) == (4, 4, 2)


def test_an_input_that_the_network_cannot_take_is_refused_at_once() -> None:
    with pytest.raises(PreprocessingError, match="cannot take photos of 2×2 pixels"):
        classifier(nn.Linear(5, 2), []).check_input()


def test_other_errors_pass_through() -> None:
    with pytest.raises(RuntimeError, match=r"shape|size"):
        classifier(nn.Linear(5, 2), []).classify(inputs((1, 2, 3)), 1)
    assert not is_out_of_memory(RuntimeError("size mismatch"))
    assert is_out_of_memory(RuntimeError("DefaultCPUAllocator: can't allocate memory"))
    assert is_out_of_memory(RuntimeError("DefaultCPUAllocator: not enough memory: you tried"))
    assert is_out_of_memory(MemoryError())


def test_auto_names_the_reason_for_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    chosen = choose_device("auto")
    assert chosen.name == "cpu"
    assert chosen.reason == "no NVIDIA graphics card with a working driver was found"


def test_a_gpu_whose_probe_fails_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: "Old GPU")
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    real_ones = torch.ones

    def ones(*shape: int, device: str = "cpu") -> Tensor:
        if device.startswith("cuda"):
            raise RuntimeError("CUDA error: no kernel image is available\nmore lines")
        return real_ones(*shape, device=device)

    monkeypatch.setattr(torch, "ones", ones)
    chosen = choose_device("auto")
    assert chosen == processor("Old GPU failed its test (CUDA error: no kernel image is available)")
    with pytest.raises(DeviceUnavailableError, match="Old GPU failed its test"):
        choose_device("cuda")
    assert [one.name for one in devices.working_devices()] == ["cpu"]


@pytest.mark.parametrize("wanted", ["cuda:99", "mps", "tpu", "cuda:x", ""])
def test_devices_that_do_not_exist_are_refused(wanted: str) -> None:
    if wanted == "mps" and torch.backends.mps.is_available():
        pytest.skip("this computer has it")
    with pytest.raises(DeviceUnavailableError, match="cannot be used"):
        choose_device(wanted)


def test_the_processor_can_be_chosen() -> None:
    assert choose_device("cpu").title == "Processor"


def test_batches_on_cuda_have_few_sizes() -> None:
    assert [filled_size(count, 32) for count in (1, 8, 9, 32, 33)] == [8, 8, 32, 32, 33]
    assert filled_size(3, 4) == 3


def test_what_patience_and_memory_hold_is_one_of_few_sizes() -> None:
    assert [size_within(most) for most in (0, 5, 8, 31, 32, 500)] == [1, 5, 8, 8, 32, 128]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")
def test_cuda_agrees_with_the_processor() -> None:
    from core.models.sources.checkpoint.source import open_model
    from core.values.spec import ModelChoice

    photos = np.random.default_rng(0).integers(0, 256, (40, 224, 224, 3), np.uint8)
    on_cpu = Classifier(open_model(ModelChoice()), processor(""), print)
    expected = on_cpu.classify(photos, 5)
    for mixed, tolerance in ((False, 1e-5), (True, 5e-2)):
        device = choose_device("cuda")
        on_gpu = Classifier(open_model(ModelChoice()), device, print, mixed_precision=mixed)
        on_gpu.check_input()
        assert 1 <= on_gpu.batch_size(None) <= 256
        assert ("mixed precision" in on_gpu.device.reason) == mixed
        first, second = on_gpu.begin(photos[:20], 5), on_gpu.begin(photos[20:], 5)
        for here, there in zip(expected, first() + second(), strict=True):
            assert not isinstance(here, str)
            assert not isinstance(there, str)
            assert there[0].probability == pytest.approx(here[0].probability, abs=tolerance)
