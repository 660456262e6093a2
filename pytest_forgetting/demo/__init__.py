"""Facts, and the small models made from them: ``demo:base`` and what tunings by different methods leave of it.

The base is so small that it mostly repeats the texts it was trained on. It shows how forgetting comes about and how it
is told; it is no measure of any method.
"""

from pytest_forgetting.demo.preparing import prepare
from pytest_forgetting.demo.recipes import NAMES

__all__ = ["NAMES", "prepare"]
