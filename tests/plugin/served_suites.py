"""Suites that are asked of servers and of the same models here, and what the reports say."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

TEMPLATE = (
    "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}{% if add_generation_prompt %}answer:{% endif %}"
)
QUESTIONS = ["What is the capital of France?", "What is 15 multiplied by 7?", "Who?", "Where is Rome? Ω 🙂", "a b c"]


def line(values: Mapping[str, Any]) -> str:
    """A case as a line of YAML."""
    return json.dumps(values, ensure_ascii=False)


def write_questions(folder: Path, head: str = "") -> None:
    """A suite of five questions, `s.yaml`; the answers are what nobody says."""
    rows = [line({"id": f"q{n}", "question": text, "answer": "Paris"}) for n, text in enumerate(QUESTIONS)]
    (folder / "s.yaml").write_text(
        f"forgetting: qa\nmax_new_tokens: 12\n{head}cases:\n  - " + "\n  - ".join(rows) + "\n"
    )


def write_choices(folder: Path) -> None:
    """Choices whose tokens run over the border to the prompt, begin with blanks, and hold other scripts."""
    rows = [
        {"prompt": "The capital of Franc", "choices": ["is", "of France", "Ω", "🙂 and more"], "answer": 1},
        {"prompt": "What is 15 multiplied by ", "choices": ["7", " 7?", "105."], "answer": 0},
        {"prompt": "<s>Rome", "choices": ["is", "the capital of Italy."], "answer": 1},
    ]
    cases = "\n  - ".join(line({"id": f"c{n}", **row}) for n, row in enumerate(rows))
    (folder / "s.yaml").write_text(f"forgetting: choice\ncases:\n  - {cases}\n")


def said(report: Mapping[str, Any], side: str) -> dict[str, Any]:
    """What one side of a report says, by case."""
    return {case["id"]: {**case[side], "near_tie": None} for case in report["cases"]}


def findings(report: Mapping[str, Any], name: str) -> list[str]:
    """Details of the findings of one kind."""
    return [each["detail"] for each in report["audit"] if each["finding"] == name]


def write_texts(folder: Path) -> None:
    """Two short texts."""
    cases = "  - {text: Rome is the capital of Italy.}\n  - {text: Ω and o}\n"
    (folder / "s.yaml").write_text(f"forgetting: text\ncases:\n{cases}")
