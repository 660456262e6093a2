"""Keys of a suite and of its gate."""

from tests.bad_input.table import suite

ROWS = [
    suite(
        "a kind left out",
        "forgetting:\ncases:\n  - {question: Capital of France?, answer: Paris}\n",
        "s.yaml:1:12: forgetting: wanted qa, checklist, choice or text (found nothing)",
    ),
    suite(
        "an unknown kind",
        "forgetting: quiz\ncases:\n  - {question: Capital of France?, answer: Paris}\n",
        "s.yaml:1:13: forgetting: wanted qa, checklist, choice or text (found 'quiz')",
    ),
    suite(
        "a kind in capitals",
        "forgetting: QA\ncases:\n  - {question: Capital of France?, answer: Paris}\n",
        ("s.yaml:1:13: forgetting: wanted qa, checklist, choice or text (found 'QA'); did you mean 'qa'?"),
    ),
    suite("no cases at all", "forgetting: qa\n", "s.yaml:1:1: the suite is empty; wanted cases, or a source with some"),
    suite(
        "a list of no cases",
        "forgetting: qa\ncases: []\n",
        "s.yaml:1:1: the suite is empty; wanted cases, or a source with some",
    ),
    suite("cases left empty", "forgetting: qa\ncases:\n", "s.yaml:2:7: cases: wanted a list (found nothing)"),
    suite(
        "cases that are no list",
        "forgetting: qa\ncases:\n  question: a\n  answer: b\n",
        "s.yaml:3:3: cases: wanted a list (found {'question': 'a', 'answer': 'b'})",
    ),
    suite(
        "an unknown key",
        ("forgetting: qa\nnmae: x\ncases:\n  - {question: Capital of France?, answer: Paris}\n"),
        "s.yaml:2:1: unknown key 'nmae'; did you mean 'name'?",
    ),
    suite(
        "two typos in one file",
        ("forgetting: qa\nnmae: x\ngate: {max_dorp: 0.1}\ncases:\n  - {question: Capital of France?, answer: Paris}\n"),
        "s.yaml:3:8: unknown key 'max_dorp'; did you mean 'max_drop'?",
        "s.yaml:2:1: unknown key 'nmae'; did you mean 'name'?",
    ),
    suite(
        "a name that is a number",
        ("forgetting: qa\nname: 5\ncases:\n  - {question: Capital of France?, answer: Paris}\n"),
        "s.yaml:2:7: name: wanted a text, in quotes (found 5)",
    ),
    suite(
        "an empty name",
        ("forgetting: qa\nname: ''\ncases:\n  - {question: Capital of France?, answer: Paris}\n"),
        "s.yaml:2:7: name: wanted a text that is not empty (found '')",
    ),
    suite(
        "an unknown role",
        ("forgetting: qa\nrole: targt\ncases:\n  - {question: Capital of France?, answer: Paris}\n"),
        "s.yaml:2:7: role: wanted general or target (found 'targt'); did you mean 'target'?",
    ),
    suite(
        "a gate that is a number",
        ("forgetting: qa\ngate: 0.1\ncases:\n  - {question: Capital of France?, answer: Paris}\n"),
        "s.yaml:2:7: gate: wanted keys with values (found 0.1)",
    ),
    suite(
        "a gate left empty",
        "forgetting: qa\ngate:\ncases:\n  - {question: Capital of France?, answer: Paris}\n",
        "s.yaml:2:6: gate: wanted keys with values (found nothing)",
    ),
    suite(
        "an unknown key of the gate",
        ("forgetting: qa\ngate: {max_dorp: 0}\ncases:\n  - {question: Capital of France?, answer: Paris}\n"),
        "s.yaml:2:8: unknown key 'max_dorp'; did you mean 'max_drop'?",
    ),
    suite(
        "a drop above all",
        ("forgetting: qa\ngate: {max_drop: 10}\ncases:\n  - {question: Capital of France?, answer: Paris}\n"),
        ("s.yaml:2:18: gate.max_drop: wanted a share from 0 to 1, such as 0.1 or 10% (found 10)"),
    ),
    suite(
        "a drop below nothing",
        ("forgetting: qa\ngate: {max_drop: -0.1}\ncases:\n  - {question: Capital of France?, answer: Paris}\n"),
        ("s.yaml:2:18: gate.max_drop: wanted a share from 0 to 1, such as 0.1 or 10% (found -0.1)"),
    ),
    suite(
        "a drop that is no number",
        ("forgetting: qa\ngate: {max_drop: ten}\ncases:\n  - {question: Capital of France?, answer: Paris}\n"),
        ("s.yaml:2:18: gate.max_drop: wanted a share from 0 to 1, such as 0.1 or 10% (found 'ten')"),
    ),
    suite(
        "a drop over nothing",
        ("forgetting: qa\ngate: {max_drop: 1/0}\ncases:\n  - {question: Capital of France?, answer: Paris}\n"),
        ("s.yaml:2:18: gate.max_drop: wanted a share from 0 to 1, such as 0.1 or 10% (found '1/0')"),
    ),
    suite(
        "a drop that is NaN",
        ("forgetting: qa\ngate: {max_drop: .nan}\ncases:\n  - {question: Capital of France?, answer: Paris}\n"),
        "s.yaml:2:18: found .nan; wanted a finite number, or a text in quotes",
    ),
    suite(
        "a drop that is infinite",
        ("forgetting: qa\ngate: {max_drop: 1.0e+999}\ncases:\n  - {question: Capital of France?, answer: Paris}\n"),
        "s.yaml:2:18: found 1.0e+999; wanted a finite number, or a text in quotes",
    ),
    suite(
        "an unknown rule",
        ("forgetting: qa\ngate: {rule: prooven}\ncases:\n  - {question: Capital of France?, answer: Paris}\n"),
        ("s.yaml:2:14: gate.rule: wanted threshold, significant or proven (found 'prooven'); did you mean 'proven'?"),
    ),
    suite(
        "a category's drop above all",
        (
            "forgetting: qa\ngate: {category_max_drop: {general: 2}}\ncases:\n  - "
            "{question: Capital of France?, answer: Paris}\n"
        ),
        (
            "s.yaml:2:27: gate.category_max_drop: of general: wanted a share from 0 to 1, "
            "such as 0.1 or 10%, and not 2 (found {'general': 2})"
        ),
    ),
    suite(
        "a list of categories' drops",
        (
            "forgetting: qa\ngate: {category_max_drop: [0.1]}\ncases:\n  - {question: "
            "Capital of France?, answer: Paris}\n"
        ),
        ("s.yaml:2:27: gate.category_max_drop: wanted a share such as 0.1 or 10% (found [0.1])"),
    ),
    suite(
        "a category that no case has",
        (
            "forgetting: qa\ngate: {category_max_drop: {genral: 0.2}}\ncases:\n  - "
            "{question: Capital of France?, answer: Paris}\n"
        ),
        "s.yaml:2:28: no case has the category 'genral'; did you mean 'general'?",
    ),
    suite(
        "a gate of texts on questions",
        ("forgetting: qa\ngate: {max_increase: 5%}\ncases:\n  - {question: Capital of France?, answer: Paris}\n"),
        "s.yaml:2:8: 'max_increase' is for text suites; wanted 'max_drop'",
    ),
    suite(
        "a gate of questions on texts",
        "forgetting: text\ngate: {max_drop: 0.1}\ncases:\n  - {text: a}\n",
        "s.yaml:2:8: 'max_drop' has no meaning in a text suite; wanted 'max_increase'",
    ),
    suite(
        "an increase beyond all",
        "forgetting: text\ngate: {max_increase: 101}\ncases:\n  - {text: a}\n",
        ("s.yaml:2:22: gate.max_increase: wanted a share from 0 to 100, such as 0.05 or 5% (found 101)"),
    ),
    suite(
        "a number in quotes",
        ("forgetting: qa\nmax_new_tokens: '50'\ncases:\n  - {question: Capital of France?, answer: Paris}\n"),
        "s.yaml:2:17: max_new_tokens: wanted a whole number (found '50')",
    ),
    suite(
        "no tokens",
        ("forgetting: qa\nmax_new_tokens: 0\ncases:\n  - {question: Capital of France?, answer: Paris}\n"),
        "s.yaml:2:17: max_new_tokens: wanted a number above 0 (found 0)",
    ),
    suite(
        "too many tokens",
        ("forgetting: qa\nmax_new_tokens: 1000001\ncases:\n  - {question: Capital of France?, answer: Paris}\n"),
        "s.yaml:2:17: max_new_tokens: wanted a number up to 100000 (found 1000001)",
    ),
    suite(
        "thoughts of less than nothing",
        ("forgetting: qa\nthink_tokens: -5\ncases:\n  - {question: Capital of France?, answer: Paris}\n"),
        "s.yaml:2:15: think_tokens: wanted a number from 0 on (found -5)",
    ),
    suite(
        "samples that are all the same",
        ("forgetting: qa\nsamples: 5\ncases:\n  - {question: Capital of France?, answer: Paris}\n"),
        ("s.yaml:2:10: samples: found 5 without 'temperature'; wanted one above 0, else all samples are the same"),
    ),
    suite(
        "a temperature that is a word",
        ("forgetting: qa\ntemperature: hot\ncases:\n  - {question: Capital of France?, answer: Paris}\n"),
        "s.yaml:2:14: temperature: wanted a number (found 'hot')",
    ),
    suite(
        "a temperature beyond all",
        ("forgetting: qa\ntemperature: 11\ncases:\n  - {question: Capital of France?, answer: Paris}\n"),
        "s.yaml:2:14: temperature: wanted a number up to 10 (found 11)",
    ),
    suite(
        "a stop that is empty",
        ("forgetting: qa\nstop: ''\ncases:\n  - {question: Capital of France?, answer: Paris}\n"),
        "s.yaml:2:7: stop.0: wanted a text that is not empty (found '')",
    ),
    suite(
        "a stop that is a number",
        ("forgetting: qa\nstop: [5]\ncases:\n  - {question: Capital of France?, answer: Paris}\n"),
        "s.yaml:2:8: stop.0: wanted a text, in quotes (found 5)",
    ),
    suite(
        "a template without a question",
        ("forgetting: qa\ntemplate: 'Q:'\ncases:\n  - {question: Capital of France?, answer: Paris}\n"),
        "s.yaml:2:11: template: found 'Q:'; wanted the field '{question}' in it",
    ),
    suite(
        "a template with another field",
        ("forgetting: qa\ntemplate: '{q}'\ncases:\n  - {question: Capital of France?, answer: Paris}\n"),
        "s.yaml:2:11: template: unknown field '{q}'; wanted '{question}' only",
    ),
    suite(
        "a template with a conversion",
        ("forgetting: qa\ntemplate: '{question!z}'\ncases:\n  - {question: Capital of France?, answer: Paris}\n"),
        "s.yaml:2:11: template: found '{question!z}'; wanted '{question}' without a format",
    ),
    suite(
        "a template that fills the memory",
        (
            "forgetting: qa\ntemplate: '{question:>9999999999}'\ncases:\n  - {question: "
            "Capital of France?, answer: Paris}\n"
        ),
        ("s.yaml:2:11: template: found '{question:>9999999999}'; wanted '{question}' without a format"),
    ),
    suite(
        "a template of attributes",
        (
            "forgetting: qa\ntemplate: '{question.__class__}'\ncases:\n  - {question: "
            "Capital of France?, answer: Paris}\n"
        ),
        ("s.yaml:2:11: template: unknown field '{question.__class__}'; wanted '{question}' only"),
    ),
    suite(
        "a template with a lone brace",
        ("forgetting: qa\ntemplate: '{question'\ncases:\n  - {question: Capital of France?, answer: Paris}\n"),
        (
            "s.yaml:2:11: template: found '{question': expected '}' before end of string; "
            "literal braces are written {{ and }}"
        ),
    ),
    suite(
        "a template beside messages",
        (
            "forgetting: qa\ntemplate: '{question}'\nmessages: [{role: user, content: "
            "'{question}'}]\ncases:\n  - {question: Capital of France?, answer: Paris}\n"
        ),
        ("s.yaml:2:1: 'template' has no meaning beside 'messages'; wanted it among the messages"),
    ),
    suite(
        "messages without a question",
        (
            "forgetting: qa\nmessages: [{role: user, content: hi}]\ncases:\n  - {question: "
            "Capital of France?, answer: Paris}\n"
        ),
        "s.yaml:2:11: messages: wanted '{question}' in one of them",
    ),
    suite(
        "an unknown role of a message",
        (
            "forgetting: qa\nmessages: [{role: usr, content: '{question}'}]\ncases:\n  - "
            "{question: Capital of France?, answer: Paris}\n"
        ),
        ("s.yaml:2:19: messages.0.role: wanted system, user or assistant (found 'usr'); did you mean 'user'?"),
    ),
    suite(
        "an unknown key of a message",
        (
            "forgetting: qa\nmessages: [{role: user, content: '{question}', nme: x}]\n"
            "cases:\n  - {question: Capital of France?, answer: Paris}\n"
        ),
        "s.yaml:2:48: unknown key 'nme'; known: role, content",
    ),
    suite(
        "an example without an answer",
        ("forgetting: qa\nfew_shot: [{question: a}]\ncases:\n  - {question: Capital of France?, answer: Paris}\n"),
        "s.yaml:2:12: few_shot.0: no 'answer'; wanted it beside {'question': 'a'}",
    ),
    suite(
        "a key without meaning in this kind",
        ("forgetting: qa\nseverity: high\ncases:\n  - {question: Capital of France?, answer: Paris}\n"),
        "s.yaml:2:1: 'severity' has no meaning in a qa suite; it has one in checklist",
    ),
    suite(
        "a match that is none",
        ("forgetting: qa\nmatch: words\ncases:\n  - {question: Capital of France?, answer: Paris}\n"),
        ("s.yaml:2:8: match: wanted word, exact, number, contains or regex (found 'words'); did you mean 'word'?"),
    ),
]
