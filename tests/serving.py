"""A server on loopback that speaks as vLLM does, with real tiny models behind it; it misbehaves where it is told to."""

from __future__ import annotations

import json
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

Json = dict[str, Any]


@dataclass
class Asked:
    """One request that came in."""

    path: str
    headers: Mapping[str, str]
    body: Json


@dataclass
class Said:
    """What is sent back: `body` as JSON, or as it is where it is bytes."""

    body: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    drip: float = 0.0
    """Seconds between the body's bytes."""


Fault = Callable[[Asked], Said | None]


class Refused(Exception):
    """What vLLM answers with status 400; the message is what it says."""


class TinyVLLM:
    """Completions, chats where the tokenizer has a template, log-likelihoods of the prompt (`echo`), seeds."""

    def __init__(
        self, models: Mapping[str, Path], *, echo: bool = True, seeds: bool = True, latency: float = 0
    ) -> None:
        """Load `models`, by the name that each is served under.

        Args:
            models: folders of checkpoints.
            echo: heed `echo`; else it is left out of account, as llama.cpp does.
            seeds: heed `seed`.
            latency: seconds that each answer takes at least.
        """
        self._models = {
            name: (AutoModelForCausalLM.from_pretrained(path).eval(), AutoTokenizer.from_pretrained(path))
            for name, path in models.items()
        }
        self._echo = echo
        self._seeds = seeds
        self._latency = latency
        self._lock = threading.Lock()
        self.asked: list[Asked] = []
        self.in_flight = self.most_in_flight = 0
        self.fault: Fault = lambda _: None
        """Looks at a request first, and answers it in the server's place."""
        self.url = ""

    def ref(self, name: str) -> str:
        """How ``--model`` names a model of it."""
        return f"{self.url}#{name}"

    @property
    def prompts(self) -> list[Any]:
        """What was asked, without probes and lists."""
        asked = [each.body.get("prompt", each.body.get("messages")) for each in self.asked if each.body]
        return [each for each in asked if each not in ([{"role": "user", "content": "Hello"}], "Hello")]

    def answer(self, asked: Asked) -> Said:
        """Answer one request."""
        self.asked.append(asked)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            time.sleep(self._latency)
            return self.fault(asked) or self._answered(asked)
        except Refused as error:
            return Said({"error": {"message": str(error), "type": "BadRequestError", "code": 400}}, 400)
        finally:
            self.in_flight -= 1

    def _answered(self, asked: Asked) -> Said:
        if asked.path == "/v1/models":
            return Said({"object": "list", "data": [{"id": name, "object": "model"} for name in self._models]})
        name = asked.body.get("model")
        if name not in self._models:
            message = f"The model `{name}` does not exist."
            return Said({"error": {"message": message, "type": "NotFoundError", "code": 404}}, 404)
        with self._lock, torch.inference_mode():
            chat = asked.path == "/v1/chat/completions"
            choice, prompted, completed = self._completed(*self._models[name], asked.body, chat=chat)
        usage = {"prompt_tokens": prompted, "completion_tokens": completed, "total_tokens": prompted + completed}
        return Said({"id": "cmpl-1", "object": "text_completion", "model": name, "choices": [choice], "usage": usage})

    def _completed(self, model: Any, tokenizer: Any, body: Json, *, chat: bool) -> tuple[Json, int, int]:
        ids = self._ids(tokenizer, body, chat=chat)
        if len(ids) + body["max_tokens"] > 128:
            raise Refused(
                f"This model's maximum context length is 128 tokens. However, you requested {body['max_tokens']} output"
                f" tokens and your prompt contains {len(ids)} input tokens."
            )
        logits = model(torch.tensor([ids])).logits[0]
        text, new, reason, stop = self._generated(model, tokenizer, ids, logits[-1], body)
        choice: Json = {"index": 0, "finish_reason": reason, "stop_reason": stop, "logprobs": None}
        if chat:
            return {**choice, "message": {"role": "assistant", "content": text}}, len(ids), len(new)
        if self._echo and body.get("echo"):
            choice["logprobs"] = _logprobs(tokenizer, [*ids, *new], model(torch.tensor([[*ids, *new]])).logits[0])
            text = body["prompt"] + text
        elif body.get("logprobs"):
            choice["logprobs"] = {"tokens": [text], "token_logprobs": [-0.5], "top_logprobs": [{}], "text_offset": [0]}
        return {**choice, "text": text}, len(ids), len(new)

    def _ids(self, tokenizer: Any, body: Json, *, chat: bool) -> list[int]:
        if not chat:
            return list(tokenizer(body["prompt"])["input_ids"]) or [tokenizer.bos_token_id]
        if tokenizer.chat_template is None:
            raise Refused("default chat template is no longer allowed, so you must provide a chat template")
        told = body.get("chat_template_kwargs", {})
        text = tokenizer.apply_chat_template(body["messages"], tokenize=False, add_generation_prompt=True, **told)
        return list(tokenizer(text, add_special_tokens=False)["input_ids"])

    def _generated(
        self, model: Any, tokenizer: Any, ids: list[int], logits: torch.Tensor, body: Json
    ) -> tuple[str, list[int], str, str | None]:
        generator = torch.Generator()
        if self._seeds and "seed" in body:
            generator.manual_seed(body["seed"])
        else:
            generator.seed()
        new: list[int] = []
        text = ""
        while len(new) < body["max_tokens"]:
            heat = body.get("temperature", 1.0)
            drawn = (
                torch.multinomial(torch.softmax(logits / heat, -1), 1, generator=generator) if heat else logits.argmax()
            )
            new.append(int(drawn))
            if new[-1] == tokenizer.eos_token_id:
                return text, new, "stop", None
            text = tokenizer.decode(new, skip_special_tokens=True)
            found = [string for string in body.get("stop", ()) if string in text]
            if found:
                return text[: min(map(text.index, found))], new, "stop", found[0]
            logits = model(torch.tensor([[*ids, *new]])).logits[0, -1]
        return text, new, "length", None


def _logprobs(tokenizer: Any, ids: list[int], logits: torch.Tensor) -> Json:
    """As vLLM gives them: none for the first token, offsets counted in the characters of single tokens."""
    scores = torch.log_softmax(logits.float(), -1)
    tokens = [tokenizer.decode([token]) for token in ids]
    told = [None, *(float(scores[n, token]) for n, token in enumerate(ids[1:]))]
    offsets = [sum(map(len, tokens[:n])) for n in range(len(tokens))]
    top = [None if score is None else {token: score} for token, score in zip(tokens, told, strict=True)]
    return {"tokens": tokens, "token_logprobs": told, "top_logprobs": top, "text_offset": offsets}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else the body waits for the header to be acknowledged, 40 ms
    served: TinyVLLM

    def do_GET(self) -> None:
        self._answer({})

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        if raw:  # else whoever asked has gone
            self._answer(json.loads(raw))

    def _answer(self, body: Json) -> None:
        said = self.served.answer(Asked(self.path, dict(self.headers), body))
        raw = said.body if isinstance(said.body, bytes) else json.dumps(said.body).encode()
        self.send_response(said.status)
        headers = {"Content-Type": "application/json", "Content-Length": str(len(raw)), **said.headers}
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        try:
            self._send(raw, said.drip)
        except OSError:  # whoever asked has gone
            self.close_connection = True

    def _send(self, raw: bytes, drip: float) -> None:
        if not drip:
            self.wfile.write(raw)
        for byte in raw if drip else b"":
            self.wfile.write(bytes([byte]))
            self.wfile.flush()
            time.sleep(drip)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever asked may go away; anything else is an error of these tests."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


@contextmanager
def serving(served: TinyVLLM, tls: ssl.SSLContext | None = None) -> Iterator[TinyVLLM]:
    """Let `served` answer on a free port of loopback until the block ends, by https where there is a context for it."""
    server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"served": served}))
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    served.url = f"http{'' if tls is None else 's'}://127.0.0.1:{server.server_address[1]}/v1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
