"""Where a run keeps answers: in the user's cache or for this run only, shared by xdist's workers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest

    from pytest_forgetting.settings import Settings


class RunFolders:
    """The folders of one process of a run; a worker's are those of its controller."""

    def __init__(self, config: pytest.Config, settings: Settings) -> None:
        """Nothing is made yet."""
        self._config = config
        self._settings = settings
        self._workerinput: dict[str, Any] | None = getattr(config, "workerinput", None)
        self._temporary: Path | None = None

    def store(self) -> Path:
        """Where answers are kept: workers share the controller's."""
        if self._workerinput is not None:
            return Path(self._workerinput["forgetting_store"])
        if self._settings.no_store:
            return self._of_this_run()
        from pytest_forgetting.evaluation.opening import store_folder

        return store_folder(self._settings.store)

    def temporary(self) -> Path | None:
        """Where answers of servers are kept that do not say what they serve; None where there are none such."""
        from pytest_forgetting.models.endpoint import keeps_for_this_run_only

        if not any(map(keeps_for_this_run_only, (self._settings.model, self._settings.baseline))):
            return None
        if self._workerinput is not None:
            return Path(self._workerinput["forgetting_temporary"])
        return self._of_this_run()

    def _of_this_run(self) -> Path:
        if self._temporary is None:
            from pytest_forgetting.session.temporary_folder import temporary_folder

            # Not in pytest_sessionfinish, which is not called where a session cannot start.
            self._temporary = temporary_folder(self._config.add_cleanup)
        return self._temporary
