"""What tests beside other systems, plugins and environments share: the suite of capitals with two recordings."""

from tests.plugin.conftest import capitals

__all__ = ["capitals"]
