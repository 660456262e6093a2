"""Concurrent requests to servers, in a thread of their own; their results come back one by one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, TypeVar

T = TypeVar("T")
U = TypeVar("U")

POLL = 0.5
"""Seconds after which an interrupt is seen where waiting is not interrupted by itself."""
_END = object()


def as_they_come(work: Callable[[Callable[[T], None]], Coroutine[Any, Any, None]]) -> Iterator[T]:
    """What `work` puts out, as it comes.

    It runs in a thread of its own: a notebook's has an event loop already. Whoever stops listening, be it for Ctrl-C,
    stops the work at once, with all that is on its way.

    Args:
        work: is given what takes its results.

    Raises:
        Exception: what `work` raises, behind all that it has put out.
    """
    results: SimpleQueue[Any] = SimpleQueue()
    thread = _Worker(lambda: work(results.put), results)
    thread.start()
    try:
        while (result := _next(results)) is not _END:
            yield result
    finally:
        thread.stop()
    if thread.error is not None:
        raise thread.error


class _Worker(Thread):
    def __init__(self, work: Callable[[], Coroutine[Any, Any, None]], results: SimpleQueue[Any]) -> None:
        super().__init__(name="forgetting-servers", daemon=True)
        self._work = work
        self._results = results
        self._loop = asyncio.new_event_loop()
        self._task: asyncio.Task[None] | None = None
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
                runner.run(self._remembered())
        except asyncio.CancelledError:
            pass
        except BaseException as error:
            self.error = error
        finally:
            self._results.put(_END)

    async def _remembered(self) -> None:
        self._task = asyncio.current_task()
        await self._work()

    def stop(self) -> None:
        if self.is_alive() and self._task is not None:
            with suppress(RuntimeError):  # the loop has been closed meanwhile: there is nothing to stop any more
                self._loop.call_soon_threadsafe(self._task.cancel)
        self.join(timeout=5)


def _next(results: SimpleQueue[Any]) -> Any:
    while True:
        try:
            return results.get(timeout=POLL)
        except Empty:
            continue


async def for_each(items: Iterable[U], at_once: int, do: Callable[[U], Awaitable[None]]) -> None:
    """`do` all of `items`, at most `at_once` at a time; the first error stops all others.

    Raises:
        Exception: what `do` raises first.
    """
    left = iter(items)

    async def worker() -> None:
        for item in left:
            await do(item)

    tasks = [asyncio.ensure_future(worker()) for _ in range(at_once)]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
