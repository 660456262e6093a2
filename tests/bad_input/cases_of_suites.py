"""Cases of each kind."""

from tests.bad_input.table import suite

ROWS = [
    suite(
        "a case that is a text",
        "forgetting: qa\ncases:\n  - just words\n",
        "s.yaml:3:5: found 'just words'; wanted a case with its keys",
    ),
    suite("a case left empty", "forgetting: qa\ncases:\n  -\n", "s.yaml:3:4: found None; wanted a case with its keys"),
    suite(
        "no answer",
        "forgetting: qa\ncases:\n  - {question: a}\n",
        "s.yaml:3:5: no answer; wanted 'answer' or 'correct_answer'",
    ),
    suite(
        "an empty answer",
        "forgetting: qa\ncases:\n  - {question: a, answer: ''}\n",
        "s.yaml:3:27: answer: wanted a text or a number (found '')",
    ),
    suite(
        "a list of no answers",
        "forgetting: qa\ncases:\n  - {question: a, answer: []}\n",
        "s.yaml:3:27: answer: wanted a list of at least 1 (found [])",
    ),
    suite(
        "an answer that YAML takes for a truth value",
        "forgetting: qa\ncases:\n  - {question: a, answer: no}\n",
        (
            "s.yaml:3:27: answer: a truth value, as YAML reads an unquoted yes, no, true or false; "
            "wanted a text, in quotes (found False)"
        ),
    ),
    suite(
        "an answer that YAML takes for a date",
        "forgetting: qa\ncases:\n  - {question: a, answer: 2020-01-01}\n",
        "s.yaml:3:27: YAML reads '2020-01-01' as a date; wanted it in quotes, as text",
    ),
    suite(
        "an answer that is NaN",
        "forgetting: qa\ncases:\n  - {question: a, answer: .nan}\n",
        "s.yaml:3:27: found .nan; wanted a finite number, or a text in quotes",
    ),
    suite(
        "an answer with keys",
        "forgetting: qa\ncases:\n  - {question: a, answer: {a: b}}\n",
        "s.yaml:3:27: answer.0: wanted a text or a number (found {'a': 'b'})",
    ),
    suite(
        "an answer by two names",
        "forgetting: qa\ncases:\n  - {question: a, answer: b, target: c}\n",
        "s.yaml:3:30: 'target' is another spelling of 'answer', which is given too",
    ),
    suite(
        "no question",
        "forgetting: qa\ncases:\n  - {answer: a}\n",
        "s.yaml:3:5: found none of them; wanted one of question, prompt, messages",
    ),
    suite(
        "an empty question",
        "forgetting: qa\ncases:\n  - {question: '', answer: a}\n",
        "s.yaml:3:16: question: wanted a text that is not empty (found '')",
    ),
    suite(
        "a question that is a number",
        "forgetting: qa\ncases:\n  - {question: 5, answer: a}\n",
        "s.yaml:3:16: question: wanted a text, in quotes (found 5)",
    ),
    suite(
        "a question and a prompt",
        "forgetting: qa\ncases:\n  - {question: a, prompt: b, answer: c}\n",
        "s.yaml:3:5: found question and prompt; wanted one of question, prompt, messages",
    ),
    suite(
        "a NUL in a question",
        'forgetting: qa\ncases:\n  - {question: "a\\0b", answer: a}\n',
        "s.yaml:3:16: question: wanted a text without control characters (found 'a\\x00b')",
    ),
    suite(
        "two typos in one case",
        "forgetting: qa\ncases:\n  - {question: a, anser: b, catgory: c}\n",
        "s.yaml:3:19: unknown key 'anser'; did you mean 'answer'?",
        "s.yaml:3:29: unknown key 'catgory'; did you mean 'category'?",
    ),
    suite(
        "typos in two cases",
        "forgetting: qa\ncases:\n  - {question: a, anser: b}\n  - {qestion: c, answer: d}\n",
        "s.yaml:3:19: unknown key 'anser'; did you mean 'answer'?",
        "s.yaml:4:6: unknown key 'qestion'; did you mean 'question'?",
    ),
    suite(
        "an id twice",
        ("forgetting: qa\ncases:\n  - {id: x, question: a, answer: b}\n  - {id: x, question: c, answer: d}\n"),
        "s.yaml:4:10: id 'x' given twice (first at s.yaml:3)",
    ),
    suite(
        "a reserved id",
        "forgetting: qa\ncases:\n  - {id: gate, question: a, answer: b}\n",
        "s.yaml:3:10: id 'gate': 'gate' is reserved, and blanks may not stand at the ends",
    ),
    suite(
        "an id that node ids cannot bear",
        "forgetting: qa\ncases:\n  - {id: 'a[1]', question: a, answer: b}\n",
        ("s.yaml:3:10: id: wanted letters, digits, blanks and any of _ . - + = @ (found 'a[1]')"),
    ),
    suite(
        "a category that node ids cannot bear",
        "forgetting: qa\ncases:\n  - {category: a::b, question: a, answer: b}\n",
        ("s.yaml:3:16: category: wanted letters, digits, blanks and any of _ . - + = @ (found 'a::b')"),
    ),
    suite(
        "a tag by which pytest would skip the case",
        "forgetting: qa\ncases:\n  - {tags: [skip], question: a, answer: b}\n",
        (
            "s.yaml:3:13: tags.0: pytest takes this marker for an instruction; skip: REASON leaves a case out (found "
            "'skip')"
        ),
    ),
    suite(
        "a tag by which pytest would take a failure for expected",
        "forgetting: qa\ncases:\n  - {tags: [smoke, xfail], question: a, answer: b}\n",
        "s.yaml:3:20: tags.1: pytest takes this marker for an instruction; wanted another name (found 'xfail')",
    ),
    suite(
        "a tag that is no marker",
        "forgetting: qa\ncases:\n  - {tags: [a-b], question: a, answer: b}\n",
        ("s.yaml:3:13: tags.0: wanted letters, digits and _, with no digit first (found 'a-b')"),
    ),
    suite(
        "a skip without a reason",
        "forgetting: qa\ncases:\n  - {skip: true, question: a, answer: b}\n",
        "s.yaml:3:12: skip: wanted a text, in quotes (found True)",
    ),
    suite(
        "a regular expression as an answer",
        "forgetting: qa\ncases:\n  - {match: regex, question: a, answer: '('}\n",
        "s.yaml:3:41: '(' is no regular expression: missing ) at position 1",
    ),
    suite(
        "a word for a number",
        "forgetting: qa\ncases:\n  - {match: number, question: a, answer: ten}\n",
        "s.yaml:3:42: 'match: number' with the answer 'ten'; wanted a number",
    ),
    suite(
        "two points in a number",
        "forgetting: qa\ncases:\n  - {match: number, question: a, answer: 1.2.3}\n",
        "s.yaml:3:42: 'match: number' with the answer '1.2.3'; wanted a number",
    ),
    suite(
        "a key of another kind",
        "forgetting: qa\ncases:\n  - {question: a, answer: b, checks: [finished]}\n",
        "s.yaml:3:30: 'checks' has no meaning in a qa suite",
    ),
    suite(
        "a message without content",
        "forgetting: qa\ncases:\n  - {messages: [{role: user}], answer: b}\n",
        "s.yaml:3:17: messages.0: no 'content'; wanted it beside {'role': 'user'}",
    ),
    suite(
        "a test without a title",
        "forgetting: checklist\ncases:\n  - {prompt: P, checks: [finished]}\n",
        "s.yaml:3:5: no 'test'; a checklist case needs it",
    ),
    suite(
        "an unknown severity",
        ("forgetting: checklist\ncases:\n  - {test: T, prompt: P, checks: [finished], severity: hgh}\n"),
        ("s.yaml:3:56: severity: wanted critical, high, medium or low (found 'hgh'); did you mean 'high'?"),
    ),
    suite(
        "a choice without choices",
        "forgetting: choice\ncases:\n  - {prompt: a, answer: b}\n",
        "s.yaml:3:5: no 'choices'; a choice case needs it",
    ),
    suite(
        "one choice",
        "forgetting: choice\ncases:\n  - {prompt: a, choices: [b], answer: b}\n",
        "s.yaml:3:26: choices: wanted a list of at least 2 (found ['b'])",
    ),
    suite(
        "a choice twice",
        "forgetting: choice\ncases:\n  - {prompt: a, choices: [b, b], answer: b}\n",
        "s.yaml:3:26: choices: 'b' stands there twice",
    ),
    suite(
        "an answer that is no choice",
        "forgetting: choice\ncases:\n  - {prompt: a, choices: [b, c], answer: d}\n",
        "s.yaml:3:42: correct_answer: found 'd'; wanted one of the choices, or its number from 0 to 1;"
        " where letters stand for choices, 'labels' names them",
    ),
    suite(
        "a choice number out of range",
        "forgetting: choice\ncases:\n  - {prompt: a, choices: [b, c], answer: 2}\n",
        ("s.yaml:3:42: correct_answer: found 2; wanted one of the choices, or its number from 0 to 1"),
    ),
    suite(
        "a number that could be either",
        "forgetting: choice\ncases:\n  - {prompt: a, choices: [2, 0], answer: 0}\n",
        (
            "s.yaml:3:42: correct_answer: found 0, which is choice 1 and the number of "
            "choice 0; wanted '0' in quotes for the one, '2' for the other"
        ),
    ),
    suite(
        "a text without text",
        "forgetting: text\ncases:\n  - {text: ''}\n",
        "s.yaml:3:12: text: wanted a text that is not empty (found '')",
    ),
    suite(
        "a text with a question",
        "forgetting: text\ncases:\n  - {text: a, question: b}\n",
        "s.yaml:3:15: 'question' has no meaning in a text suite",
    ),
]
