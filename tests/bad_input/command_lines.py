"""Command lines that cannot be meant as given."""

from __future__ import annotations

from tests.bad_input.table import PAIR, BadInput
from tests.recordings import CAPITALS

GOOD = "capitals.yaml"
LINES = "a model is a folder, a Hub id ([org/]name[@revision]), demo:NAME, a recording (.json), or a server's"


def usage(name: str, *told: str, command: tuple[str, ...]) -> BadInput:
    """A command that is refused before anything is asked."""
    return BadInput(name, told, command=command, code=4)


def option(name: str, given: str, *told: str) -> BadInput:
    """One bad option beside a good command."""
    return usage(name, *told, command=(*PAIR, given, GOOD))


ROWS = [
    usage(
        "a suite without a model",
        "capitals.yaml is a forgetting suite: name the model to test, --model REF",
        command=(GOOD,),
    ),
    usage(
        "training data without the lint",
        "--forgetting-training-data without --forgetting-lint",
        command=(*PAIR, "--forgetting-training-data=x.jsonl", GOOD),
    ),
    usage(
        "overwriting without an import",
        "--forgetting-overwrite without --forgetting-import",
        command=("--forgetting-overwrite", *PAIR, GOOD),
    ),
    usage(
        "starter suites for an empty name",
        "--forgetting-init is empty: name a folder, or leave the value out",
        command=("--forgetting-init=",),
    ),
    usage(
        "starter suites for a file",
        "{here}/capitals.yaml cannot be written: File exists",
        command=("--forgetting-init=capitals.yaml",),
    ),
    usage(
        "training data of no name",
        "training data is empty; wanted a file or a folder",
        command=("--forgetting-lint", GOOD, "--forgetting-training-data="),
    ),
    usage("questions without a model", "file or directory not found: x.jsonl", command=("x.jsonl",)),
    usage(
        "an empty model",
        "--model is empty: give a value, or leave the option out",
        command=("--model=", "--baseline=old.json", GOOD),
    ),
    usage(
        "a blank model",
        "--model is empty: give a value, or leave the option out",
        command=("--model= ", "--baseline=old.json", GOOD),
    ),
    usage(
        "an empty baseline",
        "--baseline is empty: give a value, or leave the option out",
        command=("--model=new.json", "--baseline=", GOOD),
    ),
    usage(
        "a baseline alone",
        ("--baseline without --model: name the model to compare, or --forgetting-record PATH to record"),
        command=("--baseline=old.json", GOOD),
    ),
    usage(
        "a recording without a baseline",
        "--model new.json is no adapter: name the model it was tuned from, --baseline REF",
        command=("--model=new.json", GOOD),
    ),
    usage(
        "a folder that is not there",
        (
            "./chkpt: no such folder; a model is a folder, a Hub id "
            "([org/]name[@revision]), demo:NAME, a recording (.json), or a server's "
            "(http://HOST/v1#NAME)"
        ),
        command=("--model=./chkpt", "--baseline=old.json", GOOD),
    ),
    usage(
        "a file that is no model",
        (
            "capitals.yaml: is a file; a model is a folder, a Hub id "
            "([org/]name[@revision]), demo:NAME, a recording (.json), or a server's "
            "(http://HOST/v1#NAME)"
        ),
        command=("--model=capitals.yaml", "--baseline=old.json", GOOD),
    ),
    usage(
        "a name that is none",
        (
            "a b: no such folder; a model is a folder, a Hub id ([org/]name[@revision]), "
            "demo:NAME, a recording (.json), or a server's (http://HOST/v1#NAME)"
        ),
        command=("--model=a b", "--baseline=old.json", GOOD),
    ),
    usage(
        "an unknown demo model",
        (
            "there is no demo:ful; there are demo:base, demo:full, demo:low-lr, "
            "demo:few-epochs, demo:lora, demo:replay, demo:ewc, demo:kl, demo:lora-replay; "
            "did you mean demo:full?"
        ),
        command=("--model=demo:ful", "--baseline=old.json", GOOD),
    ),
    usage(
        "a base of nothing",
        ("'base' is the model that --model records as its base, and there is none; give --baseline REF"),
        command=("--model=base", "--baseline=old.json", GOOD),
    ),
    usage(
        "a server without a name",
        ("http://localhost:1/v1: names no model; wanted http(s)://HOST/v1#NAME, or …#NAME@REVISION"),
        command=("--model=http://localhost:1/v1", "--baseline=old.json", GOOD),
    ),
    usage(
        "a recording that is not there",
        "nw.json: no such recording; did you mean 'new.json'?",
        command=("--model=nw.json", "--baseline=old.json", GOOD),
    ),
    option(
        "a drop that is a word",
        "--max-drop=lots",
        "--max-drop: found 'lots', wanted a share from 0 to 1, such as 0.1 or 10%",
    ),
    option(
        "a drop above all in a command",
        "--max-drop=10",
        "--max-drop: found '10', wanted a share from 0 to 1, such as 0.1 or 10%",
    ),
    option(
        "a drop that is NaN in a command",
        "--max-drop=nan",
        "--max-drop: found 'nan', wanted a share from 0 to 1, such as 0.1 or 10%",
    ),
    option("an empty drop", "--max-drop=", "--max-drop: found '', wanted a share from 0 to 1, such as 0.1 or 10%"),
    option(
        "an unknown rule in a command",
        "--forgetting-rule=prooven",
        (
            "argument --forgetting-rule: found 'prooven', wanted one of threshold, "
            "significant, proven; did you mean 'proven'?"
        ),
    ),
    option(
        "a confidence in per cent",
        "--forgetting-confidence=95",
        ("--forgetting-confidence: found '95', wanted a number between 0.5 and 1, such as 0.95"),
    ),
    option(
        "a confidence that is NaN",
        "--forgetting-confidence=nan",
        ("--forgetting-confidence: found 'nan', wanted a number between 0.5 and 1, such as 0.95"),
    ),
    option(
        "a misspelt way of not deciding",
        "--forgetting-inconclusive=fial",
        ("argument --forgetting-inconclusive: found 'fial', wanted one of warn, fail, pass; did you mean 'fail'?"),
    ),
    option("a limit of none", "--forgetting-limit=0", "--forgetting-limit: found '0', wanted a whole number above 0"),
    option(
        "a limit that is no whole number",
        "--forgetting-limit=1.5",
        "--forgetting-limit: found '1.5', wanted a whole number above 0",
    ),
    option(
        "a report without a suffix",
        "--forgetting-report=report",
        ("--forgetting-report: found 'report', wanted a name that ends in .json or .jsonl or .html or .md"),
    ),
    option(
        "a report in another format",
        "--forgetting-report=report.xml",
        ("--forgetting-report: found 'report.xml', wanted a name that ends in .json or .jsonl or .html or .md"),
    ),
    BadInput(
        "a report that is a folder",
        ("--forgetting-report {here}/folder.json: cannot be written: it is a folder",),
        prepare=lambda here: (here / "folder.json").mkdir(),
        command=(*PAIR, "--forgetting-report=folder.json", GOOD),
        code=4,
    ),
    option(
        "a report below a file",
        "--forgetting-report=capitals.yaml/report.json",
        (
            "--forgetting-report {here}/capitals.yaml/report.json: cannot be written: "
            "{here}/capitals.yaml: Not a directory"
        ),
    ),
    option(
        "a report over a recording",
        "--forgetting-report=old.json",
        ("--forgetting-report {here}/old.json: is the recording of --baseline; name another file"),
    ),
    BadInput(
        "a report over the cases",
        ("--forgetting-report {here}/x.jsonl: holds cases of this run; name another file",),
        {
            "x.jsonl": "".join(
                f'{{"id": "{c}", "question": "Capital of {c}?", "answer": "{a}"}}\n' for c, a in CAPITALS.items()
            )
        },
        command=(*PAIR, "--forgetting-report=x.jsonl", "x.jsonl"),
        code=4,
    ),
    option(
        "a recording without a suffix",
        "--forgetting-record=answers",
        "--forgetting-record: found 'answers', wanted a name that ends in .json",
    ),
    option(
        "a recording over the baseline",
        "--forgetting-record=old.json",
        (
            "--forgetting-record {here}/old.json: is the baseline that the model is "
            "compared with, and would be replaced by the model's answers; name another "
            "file, or record the baseline without --model"
        ),
    ),
    BadInput(
        "a recording over another file",
        ("{here}/package.json: is no recording: it has no 'recording: 2', as --forgetting-record writes it",),
        {"package.json": "{}"},
        command=(*PAIR, "--forgetting-record=package.json", GOOD),
        code=4,
    ),
    usage(
        "a recording of some cases",
        "--forgetting-limit with --forgetting-record: a recording holds whole suites; leave one out",
        command=(*PAIR, "--forgetting-record=answers.json", "--forgetting-limit=2", GOOD),
    ),
    option(
        "a store that is a file",
        "--forgetting-store=capitals.yaml",
        "--forgetting-store {here}/capitals.yaml: cannot be made: File exists",
    ),
    option(
        "an unknown device",
        "--device=gpu",
        "--device gpu: is none of auto, cpu, cuda, mps, cuda:N; did you mean 'cpu'?",
    ),
    option(
        "an unknown dtype",
        "--dtype=fp16",
        "--forgetting-dtype: found 'fp16', wanted one of auto, float32, bfloat16, float16",
    ),
    option(
        "an unknown quantization",
        "--quantization=4bits",
        ("--forgetting-quantization: found '4bits', wanted one of none, 8bit, 4bit; did you mean '4bit'?"),
    ),
    option("a batch of none", "--batch-size=0", "--batch-size: found '0', wanted a whole number above 0"),
    option("a batch that is a word", "--batch-size=atuo", "--batch-size: found 'atuo', wanted a whole number above 0"),
    option(
        "a template that is no file",
        "--chat-template=bsae",
        ("--chat-template: found 'bsae', wanted own, baseline, model, none, or a file that exists"),
    ),
    option(
        "a template of a recording",
        "--chat-template=baseline",
        ("--chat-template baseline: the baseline is a recording, which has no template to give"),
    ),
    option(
        "arguments that are no JSON",
        "--chat-template-kwargs={",
        (
            "--chat-template-kwargs: found '{', wanted a JSON object (Expecting property "
            "name enclosed in double quotes: line 1 column 2 (char 1))"
        ),
    ),
    option(
        "arguments that are a list",
        "--chat-template-kwargs=[1]",
        ("--chat-template-kwargs: found '[1]', wanted a JSON object such as '{\"key\": true}'"),
    ),
    option(
        "an unknown way of thinking",
        "--think=stirp",
        ("argument --think: found 'stirp', wanted one of strip, keep, off; did you mean 'strip'?"),
    ),
    option(
        "an unknown engine",
        "--forgetting-engine=rya",
        ("argument --forgetting-engine: found 'rya', wanted one of local, ray; did you mean 'ray'?"),
    ),
    option(
        "actors without a cluster",
        "--forgetting-ray-actors=2",
        "--forgetting-ray-actors without --forgetting-engine ray",
    ),
    option(
        "a time limit of none",
        "--forgetting-request-timeout=0",
        "--forgetting-request-timeout: found '0', wanted a number of seconds above 0",
    ),
    option(
        "an unknown schema",
        "--forgetting-schema=sute",
        ("argument --forgetting-schema: found 'sute', wanted one of suite, report; did you mean 'suite'?"),
    ),
    option(
        "an option that there is not",
        "--forgetting-modl=x",
        "unknown option --forgetting-modl; did you mean '--forgetting-model'?",
    ),
    option("a misspelt short option", "--max-dorp=0.1", "unknown option --max-dorp; did you mean '--max-drop'?"),
]
