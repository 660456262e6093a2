"""Opening an evaluation: from references to the two sides, ready to be asked, and to what is known about the pair."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_forgetting.answers.facts import NO_EFFECT, effect_fact
from pytest_forgetting.answers.sides import LiveSide, Side, SideName
from pytest_forgetting.answers.store import Store
from pytest_forgetting.answers.stores import Stores
from pytest_forgetting.cache import cache_folder, make_private, on_local_disk
from pytest_forgetting.comparison.participants import Finding
from pytest_forgetting.errors import WrongUsage
from pytest_forgetting.evaluation.cluster import on_cluster
from pytest_forgetting.evaluation.evaluation import Evaluation
from pytest_forgetting.evaluation.found import Found, Live, as_given, find_sides, see_template
from pytest_forgetting.evaluation.interviews import interview_of
from pytest_forgetting.evaluation.opening_sides import open_side, template_kwargs
from pytest_forgetting.evaluation.pair import Pair
from pytest_forgetting.evaluation.recorded_pair import recorded_findings, see_as_asked
from pytest_forgetting.models.audit import audit
from pytest_forgetting.models.local_model import LocalModel
from pytest_forgetting.models.templates import Templates, choose_templates
from pytest_forgetting.models.zero_adapter import is_zero

if TYPE_CHECKING:
    from pytest_forgetting.settings import Settings


def store_folder(chosen: Path | None) -> Path:
    """Where answers are kept: the chosen folder or the user's cache, never on a network file system.

    Raises:
        WrongUsage: the chosen folder cannot be made or written.
    """
    folder = on_local_disk(chosen or cache_folder() / "store", "store")
    try:
        make_private(folder)
    except OSError as error:
        raise WrongUsage(f"--forgetting-store {folder}: cannot be made: {error.strerror}") from None
    if not os.access(folder, os.W_OK | os.X_OK):
        raise WrongUsage(f"--forgetting-store {folder}: cannot be written")
    return folder


def open_evaluation(
    settings: Settings,
    folder: Path,
    given: Mapping[SideName, Found] | None = None,
    temporary: Path | None = None,
) -> Evaluation:
    """Find both models or recordings and make ready to ask; nothing is loaded yet.

    Args:
        settings: what the user asked for.
        folder: of the answer store.
        given: what a caller has at hand already, in the place of a reference.
        temporary: of a store that goes with this run, for answers of servers that do not say which weights they serve.

    Raises:
        WrongUsage: a reference names nothing.
        CannotAnswer: a model cannot be read, or a server does not answer.
    """
    store = Store(folder)
    found = find_sides(settings, given or {})
    see_template(settings.chat_template, found)
    templates = choose_templates(settings.chat_template, _live(found))
    _fingerprint(_live(found).values())
    settings = on_cluster(as_given(settings, found.values()), found.values())
    return Evaluation(_pair(found, templates, settings, Stores(store, temporary or folder)))


def _pair(found: Mapping[SideName, Found], templates: Templates, settings: Settings, stores: Stores) -> Pair:
    sides = {name: open_side(name, each, settings, templates, stores) for name, each in found.items()}
    model = found["model"]
    _notice_zero_adapter(model, sides["model"], stores.lasting)
    see_as_asked(found, templates, template_kwargs(settings))
    told = (*templates.findings, *recorded_findings(sides), *_audit(found, stores.lasting))
    return Pair(
        sides,
        told,
        stores,
        settings,
        interview_of(found, sides, settings, stores.lasting),
        is_adapter=isinstance(model, Live) and model.is_adapter,
        files=tuple(dict.fromkeys(each for each in found.values() if isinstance(each, LocalModel))),
    )


def _live(found: Mapping[SideName, Found]) -> dict[SideName, Live]:
    return {name: each for name, each in found.items() if isinstance(each, Live)}


def _fingerprint(models: Iterable[Live]) -> None:
    """Hash the files of both models side by side; what is hashed is remembered."""
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda model: model.fingerprint, models))


def _audit(found: Mapping[SideName, Found], store: Store) -> tuple[Finding, ...]:
    """What the files of the two tell; a recording has none."""
    baseline, model = found["baseline"], found["model"]
    if not (isinstance(baseline, Live) and isinstance(model, Live)):
        return ()
    with tempfile.TemporaryDirectory(prefix="pytest-forgetting-") as folder:
        return audit(_in_files(baseline, Path(folder, "baseline")), _in_files(model, Path(folder, "model")), store)


def _notice_zero_adapter(model: Found, side: Side, store: Store) -> None:
    """Know before anything is asked that an adapter is without effect, where its files tell."""
    if isinstance(model, LocalModel) and isinstance(side, LiveSide) and model.adapter is not None:
        fact = effect_fact(side)
        if store.fact(fact) is None and is_zero(model.adapter) and not model.is_overwritten():
            store.remember(fact, NO_EFFECT)


def _in_files(found: Live, folder: Path) -> LocalModel:
    """`found` as files that can be compared; of a loaded model they are written into `folder`."""
    return found if isinstance(found, LocalModel) else found.written(folder)
