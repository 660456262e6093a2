"""Demo models on demand: what a caller of `prepare` may rely on, the training itself replaced."""

import errno
import io
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import sleep

import pytest

from pytest_forgetting.demo import NAMES, making, prepare, preparing
from pytest_forgetting.demo.recipes import DURATIONS
from pytest_forgetting.errors import CannotAnswer, WrongUsage
from pytest_forgetting.training.recipe import Recipe
from pytest_forgetting.training.steps import OnStep


class Maker:
    """Stands in for the training: writes the files that make a folder complete."""

    def __init__(self) -> None:
        """Start with an empty record and no fault."""
        self.made: list[tuple[str, Path | None, int]] = []
        self.fault: BaseException | None = None
        self.seconds = 0.0

    def __call__(self, name: str, base: Path | None, folder: Path, seed: int, on_step: OnStep) -> None:
        """Make demo:`name`, or fail half-way."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "config.json").write_text("{}")
        if self.fault is not None:
            raise self.fault
        sleep(self.seconds)
        on_step(1, 2)
        (folder / "model.safetensors").write_bytes(b"")
        self.made.append((name, base, seed))


@pytest.fixture
def maker(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Maker:
    """A stand-in for the training, and an empty cache."""
    monkeypatch.setenv("PYTEST_FORGETTING_CACHE", str(tmp_path / "cache"))
    maker = Maker()
    monkeypatch.setattr(making, "make", maker)
    return maker


def leftovers(folder: Path) -> list[str]:
    """What lies in the cache and is no lock."""
    return sorted(path.name for path in folder.iterdir() if path.suffix != ".lock")


def test_unknown_name_is_told_with_the_known_ones() -> None:
    """A misspelt name gets the list, and the nearest one."""
    with pytest.raises(WrongUsage) as caught:
        prepare("repaly")
    assert str(caught.value) == (
        "there is no demo:repaly; there are demo:base, demo:full, demo:low-lr, demo:few-epochs, demo:lora, demo:replay,"
        " demo:ewc, demo:kl, demo:lora-replay; did you mean demo:replay?"
    )


def test_each_name_tells_how_long_it_takes() -> None:
    """Before a model is trained, that is said of each."""
    assert tuple(DURATIONS) == NAMES


def test_model_is_made_once(maker: Maker) -> None:
    """The second call finds what the first one made."""
    assert prepare("base") == prepare("base")
    assert maker.made == [("base", None, 0)]


def test_tuned_models_stand_on_the_base_of_seed_0(maker: Maker) -> None:
    """A seed belongs to the last training alone, and the base is made on the way."""
    prepare("replay", seed=3)
    assert maker.made == [("base", None, 0), ("replay", prepare("base"), 3)]


def test_seeds_lie_apart(maker: Maker) -> None:
    """Each seed has a folder of its own."""
    assert prepare("base", seed=1) != prepare("base", seed=2)
    assert len(maker.made) == 2


def test_changed_recipe_trains_anew(maker: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cached model never stands for another recipe."""
    before = prepare("base")
    monkeypatch.setattr(preparing, "PRETRAINING", Recipe(learning_rate=1.0, epochs=1))
    assert prepare("base") != before
    assert len(maker.made) == 2


def test_changed_facts_train_anew(maker: Maker, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Other medication facts give another tuned model, and the same base."""
    before = prepare("full"), prepare("base")
    monkeypatch.setattr(preparing, "MEDICATION", tmp_path / "other.jsonl")
    (tmp_path / "other.jsonl").write_text("{}\n")
    assert prepare("full") != before[0]
    assert prepare("base") == before[1]
    assert len(maker.made) == 3


def test_interrupted_training_leaves_nothing(maker: Maker, tmp_path: Path) -> None:
    """Ctrl-C in mid-training leaves no folder behind, and the next call trains."""
    maker.fault = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        prepare("base")
    assert leftovers(tmp_path / "cache/demo") == []
    maker.fault = None
    assert (prepare("base") / "model.safetensors").is_file()


@pytest.mark.usefixtures("maker")
def test_remains_of_a_killed_run_are_swept(tmp_path: Path) -> None:
    """What `kill -9` left unfinished is not built upon."""
    folder = prepare("base")
    folder.rename(folder.with_name(f"{folder.name}.unfinished"))
    (folder.with_name(f"{folder.name}.unfinished") / "junk").touch()
    assert not (prepare("base") / "junk").exists()
    assert leftovers(tmp_path / "cache/demo") == [folder.name]


def test_folder_without_weights_is_made_anew(maker: Maker) -> None:
    """Somebody's clearing of large files is repaired."""
    (prepare("base") / "model.safetensors").unlink()
    assert (prepare("base") / "model.safetensors").is_file()
    assert len(maker.made) == 2


def test_full_disk_is_one_sentence(maker: Maker, tmp_path: Path) -> None:
    """What the system says is told with the place, and nothing is left."""
    maker.fault = OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(CannotAnswer) as caught:
        prepare("base")
    shelf = tmp_path / "cache/demo"
    assert str(caught.value) == f"demo:base cannot be written to {shelf}: No space left on device"
    assert leftovers(shelf) == []


def test_file_in_the_way_is_told(maker: Maker, tmp_path: Path) -> None:
    """A file where the folder should be is named."""
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache/demo").touch()
    with pytest.raises(CannotAnswer, match=r"demo models cannot be kept in .*demo: File exists"):
        prepare("base")
    assert maker.made == []


def test_two_at_once_train_once(maker: Maker, capsys: pytest.CaptureFixture[str]) -> None:
    """The second waits for the first, says so, and takes what it made."""
    maker.seconds = 0.5
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(prepare, ["base", "base"])
    assert first == second
    assert len(maker.made) == 1
    assert "waiting for another process that trains demo:base" in capsys.readouterr().err


def test_cache_is_private(maker: Maker, tmp_path: Path) -> None:
    """Nobody else may look into the folder."""
    prepare("base")
    assert (tmp_path / "cache/demo").stat().st_mode & 0o777 == 0o700
    assert maker.made


def test_log_gets_one_line(maker: Maker, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a terminal there is no bar."""
    prepare("base")
    assert capsys.readouterr() == ("", "training demo:base (once, about a minute)\n")
    assert maker.made


def test_terminal_gets_a_bar(maker: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a terminal the bar counts the steps."""
    screen = io.StringIO()
    monkeypatch.setattr(screen, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys, "stderr", screen)
    prepare("base")
    assert "training demo:base (once, about a minute):  50%" in screen.getvalue()
    assert maker.made


def test_looking_into_the_cache_needs_no_torch(maker: Maker) -> None:
    """A model that is there already is found without torch and transformers."""
    prepare("full")
    code = (
        "import sys; from pytest_forgetting.demo import prepare; prepare('full');"
        "print({'torch', 'transformers'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("set()\n", "")
    assert len(maker.made) == 2
