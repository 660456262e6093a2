"""One model that tests of one's own can ask, in the same way as suites ask it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pytest_forgetting.errors import CannotAnswer, WrongUsage
from pytest_forgetting.grading.thoughts import without_thoughts

if TYPE_CHECKING:
    from pytest_forgetting.answers.answer import Answer
    from pytest_forgetting.answers.requests import Request
    from pytest_forgetting.answers.served_interview import AnyInterview
    from pytest_forgetting.answers.sides import Side, SideName
    from pytest_forgetting.suites.cases import Prompt

Messages = Sequence[Mapping[str, str]]
"""A chat: ``[{"role": "user", "content": "…"}]``."""
MAX_NEW_TOKENS = 50
_ROLES = ("system", "user", "assistant")


class LanguageModel:
    """A model named on the command line; the fixtures `candidate` and `baseline` are such.

    It is asked greedily, in batches, through its own chat template where it has one, and answers are kept in the
    store: the same question is asked once, whichever test, worker or later run asks it.
    """

    def __init__(
        self,
        name: SideName,
        side: Side,
        interview: AnyInterview | None,
        *,
        keep_thoughts: bool = False,
        guarded: Callable[[], AbstractContextManager[object]] = nullcontext,
    ) -> None:
        """Nothing is asked yet.

        Args:
            name: which of the two it is.
            side: its answers, as far as they are at hand.
            interview: asks live models; None where there is none.
            keep_thoughts: leave what stands between ``<think>`` and ``</think>`` in the texts.
            guarded: what is to stand around asking.
        """
        self._name: SideName = name
        self._side = side
        self._interview = interview
        self._keep_thoughts = keep_thoughts
        self._guarded = guarded

    @property
    def ref(self) -> str:
        """As it was named."""
        return self._side.participant.ref

    @property
    def fingerprint(self) -> str:
        """Of weights, adapter and tokenizer: SHA-256, hex."""
        return self._side.participant.fingerprint

    def __repr__(self) -> str:
        """Which it is."""
        return f"<LanguageModel {self.ref}>"

    def generate(
        self,
        prompts: Iterable[str | Messages],
        *,
        max_new_tokens: int = MAX_NEW_TOKENS,
        stop: str | Sequence[str] = (),
    ) -> list[str]:
        """The likeliest answer to each of `prompts`.

        Args:
            prompts: texts, which a model with a chat template is asked as a user's turn, as a suite's ``prompt:`` is;
                or chats, lists of messages with ``role`` (system, user, assistant) and ``content``.
            max_new_tokens: at which an answer is cut, thoughts left out.
            stop: strings that end an answer; they are left out of it.

        Returns:
            A text for each prompt, in their order, without thoughts.

        Raises:
            WrongUsage: something of this cannot be meant, or the model is a recording.
            CannotAnswer: the model does not load, or cannot answer a prompt, such as one longer than its context.
        """
        stops = (stop,) if isinstance(stop, str) or not isinstance(stop, Iterable) else tuple(stop)
        counts = isinstance(max_new_tokens, int) and not isinstance(max_new_tokens, bool) and max_new_tokens > 0
        _see("max_new_tokens", max_new_tokens, counts, "a whole number above 0")
        _see("stop", stop, all(isinstance(each, str) and each for each in stops), "texts")
        asked = [_prompt(prompt, stops, max_new_tokens) for prompt in _listed("prompts", prompts, "['…']")]
        answers = self._answers([request for prompt in asked for request in self._requests(prompt)])
        return [answer.text if self._keep_thoughts else without_thoughts(answer.text) for answer in answers]

    def loglikelihood(self, pairs: Iterable[tuple[str | Messages, str]]) -> list[float]:
        """How likely the model holds a text behind another one.

        Args:
            pairs: of a context (a text or a chat, as in `generate`) and what is to come behind it, taken as it is:
                behind a plain text it mostly begins with a blank.

        Returns:
            Log-likelihoods of the whole continuations in nats, as lm-evaluation-harness defines them.

        Raises:
            WrongUsage: something of this cannot be meant, or the model is a recording.
            CannotAnswer: the model does not load, or cannot score a pair.
        """
        listed = _listed("pairs", pairs, "[('The capital of France is', ' Paris')]")
        requests: list[Request] = []
        for pair in listed:
            fits = isinstance(pair, Sequence) and not isinstance(pair, str) and len(pair) == 2
            _see("pairs", pair, fits and isinstance(pair[1], str) and bool(pair[1]), "a context and a continuation")
            prompt = replace(_prompt(pair[0], (), 1), continuations=(pair[1],))
            requests += self._requests(prompt)
        return [answer.loglikelihoods[0] for answer in self._answers(requests)]

    def _requests(self, prompt: Prompt) -> tuple[Request, ...]:
        from pytest_forgetting.answers.requests import requests_for

        return requests_for(prompt, chat=self._side.source.asks_chat(prompt))

    def _answers(self, requests: Sequence[Request]) -> Iterator[Answer]:
        from pytest_forgetting.answers.progress import Silent
        from pytest_forgetting.answers.sides import StoredSide

        side, interview = self._side, self._interview
        if not isinstance(side, StoredSide) or interview is None:
            raise WrongUsage(f"{self.ref} is a recording: it has no other answers than those to the recorded suites")
        with self._guarded(), interview.apart():
            interview.ask_requests({self._name: requests}, Silent())
        for request, answer in zip(requests, side.stored(requests), strict=True):
            if answer is None or answer.finish == "unanswered":
                reason = "its answer was not kept" if answer is None else answer.reason
                raise CannotAnswer(f"{self.ref} gave no answer to {request.shown!r:.60}: {reason}")
            yield answer


def _listed(name: str, given: Any, such_as: str) -> Sequence[Any]:
    fits = isinstance(given, Iterable) and not isinstance(given, str | bytes | Mapping)
    _see(name, given, fits, f"a list, such as {such_as}")
    return list(given)


def _prompt(given: Any, stop: tuple[str, ...], max_new_tokens: int) -> Prompt:
    from pytest_forgetting.suites.cases import Message
    from pytest_forgetting.suites.prompts import Prompting

    prompting = Prompting(stop=stop, max_new_tokens=max_new_tokens)
    if isinstance(given, str):
        return prompting.verbatim(given)
    wanted = "a text, or messages with 'role' (system, user, assistant) and 'content'"
    _see("prompt", given, isinstance(given, Sequence) and bool(given) and all(map(_is_message, given)), wanted)
    return prompting.conversation([Message(turn["role"], turn["content"]) for turn in given])


def _is_message(turn: Any) -> bool:
    keys = isinstance(turn, Mapping) and turn.keys() == {"role", "content"}
    return keys and turn["role"] in _ROLES and isinstance(turn["content"], str)


def _see(name: str, given: object, fits: bool, wanted: str) -> None:
    if not fits:
        raise WrongUsage(f"{name}: found {given!r:.60}; wanted {wanted}")
