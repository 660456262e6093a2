"""Shares of work for several who work at the same time."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pytest_forgetting.answers.planning import longest_first, share_of, shares_of, weight
from pytest_forgetting.answers.requests import Request

REQUESTS = st.lists(st.builds(Request, st.text("ab", max_size=6)), max_size=60, unique=True)


@given(REQUESTS, st.integers(1, 4), st.integers(1, 8), st.none() | st.integers(1, 12))
def test_shares_are_what_each_would_take_of_the_rest(
    requests: list[Request], parts: int, least: int, most: int | None
) -> None:
    """All requests once, the longest first, in the shares that come of asking anew each time."""
    shares = list(shares_of(requests, parts, least, most))
    assert [request for share in shares for request in share] == longest_first(requests, weight)
    left = list(requests)
    for share in shares:
        assert share == share_of(left, parts, least, most)
        left = [request for request in left if request not in share]
