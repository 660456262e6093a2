"""Checks, and the values that they take."""

from tests.bad_input.table import suite

ROWS = [
    suite(
        "no checks",
        "forgetting: checklist\ncases:\n  - {test: T, prompt: P}\n",
        "s.yaml:3:5: no 'checks'; a checklist case needs it",
    ),
    suite(
        "a list of no checks",
        "forgetting: checklist\ncases:\n  - {test: T, prompt: P, checks: []}\n",
        "s.yaml:3:34: checks: wanted a list of at least 1 (found [])",
    ),
    suite(
        "a check that is a number",
        "forgetting: checklist\ncases:\n  - {test: T, prompt: P, checks: [5]}\n",
        "s.yaml:3:35: checks: found 5; wanted a check such as {contains: text}",
    ),
    suite(
        "an unknown check",
        "forgetting: checklist\ncases:\n  - {test: T, prompt: P, checks: [{contans: a}]}\n",
        "s.yaml:3:35: checks: unknown check 'contans'; did you mean 'contains'?",
    ),
    suite(
        "an unknown twin of a check",
        ("forgetting: checklist\ncases:\n  - {test: T, prompt: P, checks: [{not-contans: a}]}\n"),
        "s.yaml:3:35: checks: unknown check 'not-contans'; did you mean 'contains'?",
    ),
    suite(
        "two unknown checks",
        ("forgetting: checklist\ncases:\n  - {test: T, prompt: P, checks: [{contans: a}, finishd]}\n"),
        "s.yaml:3:35: checks: unknown check 'contans'; did you mean 'contains'?",
        "s.yaml:3:49: checks: unknown check 'finishd'; did you mean 'finished'?",
    ),
    suite(
        "two checks in one",
        ("forgetting: checklist\ncases:\n  - {test: T, prompt: P, checks: [{contains: a, icontains: b}]}\n"),
        "s.yaml:3:35: checks: found the keys contains, icontains; wanted one check",
    ),
    suite(
        "an unknown key of a check",
        ("forgetting: checklist\ncases:\n  - {test: T, prompt: P, checks: [{type: contains, value: a, vale: b}]}\n"),
        ("s.yaml:3:35: checks: unknown key 'vale'; wanted type and value; did you mean 'value'?"),
    ),
    suite(
        "a check without its value",
        "forgetting: checklist\ncases:\n  - {test: T, prompt: P, checks: [contains]}\n",
        "s.yaml:3:35: checks: found None; wanted a text",
    ),
    suite(
        "a value for a check that takes none",
        "forgetting: checklist\ncases:\n  - {test: T, prompt: P, checks: [{finished: 1}]}\n",
        "s.yaml:3:35: checks: found 1; this check takes no value",
    ),
    suite(
        "an empty text to contain",
        ("forgetting: checklist\ncases:\n  - {test: T, prompt: P, checks: [{contains: ''}]}\n"),
        "s.yaml:3:35: checks: found '', which is in every answer; wanted a text",
    ),
    suite(
        "a list for a text",
        ("forgetting: checklist\ncases:\n  - {test: T, prompt: P, checks: [{contains: [a]}]}\n"),
        "s.yaml:3:35: checks: found ['a']; wanted a text",
    ),
    suite(
        "a text for a list",
        ("forgetting: checklist\ncases:\n  - {test: T, prompt: P, checks: [{contains-any: a}]}\n"),
        "s.yaml:3:35: checks: found 'a'; wanted a list of texts",
    ),
    suite(
        "a regular expression that is none",
        ("forgetting: checklist\ncases:\n  - {test: T, prompt: P, checks: [{regex: '(a+'}]}\n"),
        "s.yaml:3:35: checks: '(a+' is no regular expression: missing ) at position 3",
    ),
    suite(
        "a JSON Schema that is none",
        ("forgetting: checklist\ncases:\n  - {test: T, prompt: P, checks: [{is-json: {type: thing}}]}\n"),
        ("s.yaml:3:35: checks: is no JSON Schema: 'thing' is not valid under any of the given schemas"),
    ),
    suite(
        "a JSON Schema with a pattern that is none",
        ("forgetting: checklist\ncases:\n  - {test: T, prompt: P, checks: [{is-json: {pattern: '('}}]}\n"),
        "s.yaml:3:35: checks: is no JSON Schema: '(' is not a 'regex'",
    ),
    suite(
        "a JSON Schema that is a number",
        "forgetting: checklist\ncases:\n  - {test: T, prompt: P, checks: [{is-json: 5}]}\n",
        "s.yaml:3:35: checks: found 5; wanted a JSON Schema",
    ),
    suite(
        "a reference to the network",
        ("forgetting: checklist\ncases:\n  - {test: T, prompt: P, checks: [{is-json: {$ref: 'http://x/y'}}]}\n"),
        "s.yaml:3:35: checks: is no JSON Schema: '$ref: http://x/y' leads nowhere in it",
    ),
    suite(
        "a reference to nothing",
        ("forgetting: checklist\ncases:\n  - {test: T, prompt: P, checks: [{is-json: {$ref: '#/nope'}}]}\n"),
        "s.yaml:3:35: checks: is no JSON Schema: '$ref: #/nope' leads nowhere in it",
    ),
    suite(
        "a count of less than nothing",
        ("forgetting: checklist\ncases:\n  - {test: T, prompt: P, checks: [{word-count: -1}]}\n"),
        "s.yaml:3:35: checks: found -1; wanted a whole number, or {min: …, max: …}",
    ),
    suite(
        "a span that nothing meets",
        ("forgetting: checklist\ncases:\n  - {test: T, prompt: P, checks: [{word-count: {min: 5, max: 2}}]}\n"),
        ("s.yaml:3:35: checks: found min 5 above max 2, which no answer meets; wanted min up to max"),
    ),
    suite(
        "an unknown key of a span",
        ("forgetting: checklist\ncases:\n  - {test: T, prompt: P, checks: [{sentence-count: {mn: 5}}]}\n"),
        "s.yaml:3:35: checks: unknown key 'mn'; did you mean 'min'?",
    ),
    suite(
        "a number that is NaN",
        ("forgetting: checklist\ncases:\n  - {test: T, prompt: P, checks: [{number: .nan}]}\n"),
        "s.yaml:3:44: found .nan; wanted a finite number, or a text in quotes",
    ),
    suite(
        "a number that is infinite",
        ("forgetting: checklist\ncases:\n  - {test: T, prompt: P, checks: [{number: {value: .inf}}]}\n"),
        "s.yaml:3:52: found .inf; wanted a finite number, or a text in quotes",
    ),
    suite(
        "a number that is a word",
        "forgetting: checklist\ncases:\n  - {test: T, prompt: P, checks: [{number: ten}]}\n",
        "s.yaml:3:35: checks: found 'ten'; wanted a number, or {value: …, tolerance: …}",
    ),
    suite(
        "a tolerance below nothing",
        ("forgetting: checklist\ncases:\n  - {test: T, prompt: P, checks: [{number: {value: 5, tolerance: -1}}]}\n"),
        "s.yaml:3:35: checks: tolerance: found -1; wanted a number from 0 on",
    ),
    suite(
        "an unknown key of a number",
        ("forgetting: checklist\ncases:\n  - {test: T, prompt: P, checks: [{number: {value: 5, tolrance: 1}}]}\n"),
        "s.yaml:3:35: checks: unknown key 'tolrance'; did you mean 'tolerance'?",
    ),
    suite(
        "mentions of nothing",
        ("forgetting: checklist\ncases:\n  - {test: T, prompt: P, checks: [{mentions: {values: []}}]}\n"),
        "s.yaml:3:35: checks: mentions: wanted a list of values",
    ),
    suite(
        "more mentions than values",
        ("forgetting: checklist\ncases:\n  - {test: T, prompt: P, checks: [{mentions: {values: [a], at_least: 2}}]}\n"),
        "s.yaml:3:35: checks: at_least: found 2; wanted a whole number from 1 to 1",
    ),
    suite(
        "an unknown key of mentions",
        ("forgetting: checklist\ncases:\n  - {test: T, prompt: P, checks: [{mentions: {values: [a], atleast: 1}}]}\n"),
        "s.yaml:3:35: checks: unknown key 'atleast'; did you mean 'at_least'?",
    ),
    suite(
        "a distance below nothing",
        ("forgetting: checklist\ncases:\n  - {test: T, prompt: P, checks: [{levenshtein: a, threshold: -1}]}\n"),
        "s.yaml:3:35: checks: threshold: found -1; wanted a whole number",
    ),
    suite(
        "a misspelt distance",
        ("forgetting: checklist\ncases:\n  - {test: T, prompt: P, checks: [{levenshtein: a, treshold: 3}]}\n"),
        ("s.yaml:3:35: checks: found the keys levenshtein, treshold; wanted one check; did you mean 'threshold'?"),
    ),
    suite(
        "a function of Python",
        ("forgetting: checklist\ncases:\n  - {test: T, prompt: P, checks: [{python: os:system}]}\n"),
        ("s.yaml:3:35: checks: 'python' runs code that a suite names: refused without --forgetting-allow-python"),
    ),
]
