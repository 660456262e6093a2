"""What all tests share: pytester, and a cache folder of their own."""

import gc
from pathlib import Path

import pytest
from hypothesis import Phase, settings

# How long an example takes says nothing on a machine that does other things too.
settings.register_profile("untimed", deadline=None)
# `make mutants` runs the tests thousands of times: each time the same few examples, and no search for the smallest one.
settings.register_profile(
    "mutants", deadline=None, derandomize=True, database=None, max_examples=25, phases=(Phase.explicit, Phase.generate)
)
settings.load_profile("untimed")

pytest_plugins = ["pytester"]


def pytest_collection_finish() -> None:
    """What was imported by now stays: looking through a million objects hundreds of times took a fifth of all time."""
    gc.freeze()


@pytest.fixture(autouse=True, scope="session")
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> object:
    """No test reads or writes the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTEST_FORGETTING_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture
def pytester(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """Runs without pytest-rerunfailures, whose server for workers stays behind each run within this process."""
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p no:rerunfailures")
    return pytester


@pytest.fixture(scope="session")
def beside() -> Path:
    """The folder of real models and data that may lie beside a checkout; tests that need it skip without."""
    folder = Path(__file__).parents[2] / "shared"
    if not (folder / "models").is_dir():
        pytest.skip("no real models beside this checkout")
    return folder
