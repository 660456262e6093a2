"""Which device and which precision are chosen, and what is refused."""

import subprocess
import sys

import pytest
import torch

from pytest_forgetting.errors import WrongUsage
from pytest_forgetting.models.devices import LARGE, device_for, dtype_for


@pytest.fixture
def gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with two GPUs."""
    monkeypatch.setattr("pytest_forgetting.models.devices.DRIVERS", ("/dev/null",))
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)


@pytest.fixture
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with a driver, but without any accelerator."""
    monkeypatch.setattr("pytest_forgetting.models.devices.DRIVERS", ("/dev/null",))
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)


@pytest.mark.usefixtures("gpus")
@pytest.mark.parametrize(
    ("choice", "device"), [("auto", "cuda"), ("cuda", "cuda"), ("cuda:1", "cuda:1"), ("cpu", "cpu")]
)
def test_device_with_gpus(choice: str, device: str) -> None:
    """A GPU is preferred, and the CPU can be asked for."""
    assert device_for(choice) == device


@pytest.mark.usefixtures("no_gpu")
def test_device_without_gpu() -> None:
    """Without accelerators the CPU answers."""
    assert device_for("auto") == device_for("cpu") == "cpu"


@pytest.mark.usefixtures("no_gpu")
@pytest.mark.parametrize("choice", ["cuda", "cuda:0", "mps"])
def test_absent_device(choice: str) -> None:
    """A device that is asked for and absent is told with those that are there."""
    with pytest.raises(WrongUsage, match=rf"^--device {choice}: there is no such device here; there are cpu \(1\)$"):
        device_for(choice)


@pytest.mark.usefixtures("gpus")
def test_absent_gpu() -> None:
    """GPUs are counted from 0."""
    with pytest.raises(WrongUsage, match=r"there are cpu \(1\), cuda \(2\)"):
        device_for("cuda:2")


@pytest.mark.parametrize("choice", ["cud", "cuda:", "cuda:x", "cuda:-1", "cuda:1234567890", ""])
def test_unknown_device(choice: str) -> None:
    """What is no device is told with what would be one."""
    with pytest.raises(WrongUsage, match=rf"--device {choice}: is none of auto, cpu, cuda, mps, cuda:N"):
        device_for(choice)


def test_nearest_device_is_named() -> None:
    """A slip of the finger is told with what was probably meant."""
    with pytest.raises(WrongUsage, match=r"did you mean cuda\?"):
        device_for("cudaa")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have their drivers elsewhere")
def test_without_a_driver_torch_is_not_asked() -> None:
    """Where Linux has no driver, there is no device; finding that out imports nothing."""
    code = (
        "import sys; from pytest_forgetting.models import devices; devices.DRIVERS = ('/dev/no-such-driver',);"
        "assert devices.device_for('auto') == 'cpu'; sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_cpu_needs_no_torch() -> None:
    """Choosing the CPU costs no import of torch, nor does importing the module that loads."""
    code = (
        "import sys; from pytest_forgetting.models.loading import LoadedPair, device_for, dtype_for;"
        "dtype_for('auto', device_for('cpu'), None, 1); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("device", "config", "parameters", "dtype"),
    [
        ("cpu", "bfloat16", 7 * LARGE, "float32"),
        ("cuda:0", "bfloat16", LARGE - 1, "float32"),
        ("cuda:0", "bfloat16", LARGE, "bfloat16"),
        ("mps", "float16", LARGE, "float16"),
        ("cuda", "float8_e4m3fn", LARGE, "float32"),
        ("cuda", None, LARGE, "float32"),
    ],
)
def test_automatic_dtype(device: str, config: str | None, parameters: int, dtype: str) -> None:
    """Answers are exact in float32, which only large models on an accelerator go without."""
    assert dtype_for("auto", device, config, parameters) == dtype


def test_chosen_dtype() -> None:
    """A type that is asked for is taken anywhere."""
    assert dtype_for("bfloat16", "cpu", "float32", 1) == "bfloat16"


def test_unknown_dtype() -> None:
    """An unknown type is told with the known ones."""
    with pytest.raises(WrongUsage, match=r"--dtype bf16: is none of auto, float32, bfloat16, float16; did you mean"):
        dtype_for("bf16", "cpu", None, 1)
