"""From a question to the prompt in both of its forms."""

from __future__ import annotations

import string
from collections.abc import Sequence
from dataclasses import dataclass

from pytest_forgetting.suites.cases import THINK_TOKENS, Message, Prompt

DEFAULT_TEMPLATE = "Question: {question}\nAnswer:"


def template_fault(template: str) -> str | None:
    """What is wrong with a template, None if it has the field ``{question}`` and no other."""
    try:
        parts = [part[1:] for part in string.Formatter().parse(template) if part[1] is not None]
    except ValueError as error:
        return f"found {template!r}: {error}; literal braces are written {{{{ and }}}}"
    odd = [name for name, _, _ in parts if name != "question"]
    if odd:
        return f"unknown field '{{{odd[0]}}}'; wanted '{{question}}' only"
    # A width fills memory, and a conversion may not exist.
    dressed = [f"{'!' if how else ''}{how or ''}{':' if spec else ''}{spec}" for _, spec, how in parts if spec or how]
    if dressed:
        return f"found '{{question{dressed[0]}}}'; wanted '{{question}}' without a format"
    return None if parts else f"found {template!r}; wanted the field '{{question}}' in it"


@dataclass(frozen=True)
class Prompting:
    """How a suite's questions become prompts."""

    template: str | None = None
    turns: tuple[Message, ...] = ()
    """The suite's own `messages`, a template in chat form."""
    system: str | None = None
    few_shot: tuple[tuple[str, str], ...] = ()
    stop: tuple[str, ...] | None = None
    max_new_tokens: int = 50
    think_tokens: int = THINK_TOKENS
    samples: int = 1
    temperature: float = 0.0
    delimiter: str = " "
    """Between a question and its answer, in worked examples; before the choices too."""

    def question(self, question: str) -> Prompt:
        """A question through the template."""
        if self.turns:
            turns = [Message(turn.role, turn.content.replace("{question}", question)) for turn in self.turns]
            return self._prompt(transcript(turns), turns, ())
        shown = [f"{self._rendered(asked)}{self.delimiter}{answer}" for asked, answer in self.few_shot]
        text = "\n\n".join([*([self.system] if self.system else []), *shown, self._rendered(question)])
        default_stop = ("\n",) if self.template is None else ()
        return self._prompt(text, [*self._opening(), Message("user", self._asked(question))], default_stop)

    def verbatim(self, text: str) -> Prompt:
        """A prompt that is taken as it is."""
        return self._prompt(text, [Message("user", text)], ())

    def conversation(self, turns: Sequence[Message]) -> Prompt:
        """Messages that are taken as they are."""
        return self._prompt(transcript(turns), list(turns), ())

    def choosing(self, prompt: Prompt, choices: Sequence[str]) -> Prompt:
        """The same prompt with texts to be scored behind it, in the place of an answer."""
        return Prompt(prompt.text, prompt.messages, continuations=tuple(choices), delimiter=self.delimiter)

    def _prompt(self, text: str, turns: Sequence[Message], text_stop: tuple[str, ...]) -> Prompt:
        stops = (text_stop, ()) if self.stop is None else (self.stop, self.stop)
        return Prompt(
            text, tuple(turns), *stops, self.max_new_tokens, self.think_tokens, self.samples, self.temperature
        )

    def _rendered(self, question: str) -> str:
        return (self.template or DEFAULT_TEMPLATE).format(question=question)

    def _asked(self, question: str) -> str:
        """What a chat user would type: the bare question, unless the suite has a template of its own."""
        return question if self.template is None else self._rendered(question)

    def _opening(self) -> list[Message]:
        opening = [Message("system", self.system)] if self.system else []
        for asked, answer in self.few_shot:
            opening += [Message("user", self._asked(asked)), Message("assistant", answer)]
        return opening


def transcript(turns: Sequence[Message]) -> str:
    """Messages for a model without a chat template: a lone user turn as it is, else a transcript."""
    if len(turns) == 1 and turns[0].role == "user":
        return turns[0].content
    return "\n".join([*(f"{turn.role.capitalize()}: {turn.content}" for turn in turns), "Assistant:"])
