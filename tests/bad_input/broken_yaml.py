"""YAML that is broken, or more than plain data."""

from tests.bad_input.table import suite

ROWS = [
    suite(
        "a tab",
        "forgetting: qa\n\tname: x\n",
        (
            "s.yaml:2:1: found a tab character that violates indentation while scanning a "
            "plain scalar, which begins on line 1; wanted blanks"
        ),
    ),
    suite(
        "an indented key",
        "forgetting: qa\n  name: x\n",
        (
            "s.yaml:2:7: mapping values are not allowed in this context; wanted quotes "
            "around a text that holds ': ', or other indentation"
        ),
    ),
    suite(
        "an unclosed quote",
        ("forgetting: qa\nname: 'x\ncases:\n  - {question: Capital of France?, answer: Paris}\n"),
        (
            "s.yaml:5:1: found unexpected end of stream while scanning a quoted scalar, "
            "which begins on line 2; wanted plain YAML"
        ),
    ),
    suite(
        "an unclosed list",
        "forgetting: qa\ncases: [{question: a, answer: b}\n",
        (
            "s.yaml:3:1: did not find expected ',' or ']' while parsing a flow sequence, "
            "which begins on line 2; wanted plain YAML"
        ),
    ),
    suite(
        "a colon in a text",
        ("forgetting: qa\nname: a: b\ncases:\n  - {question: Capital of France?, answer: Paris}\n"),
        (
            "s.yaml:2:8: mapping values are not allowed in this context; wanted quotes "
            "around a text that holds ': ', or other indentation"
        ),
    ),
    suite(
        "an @ before a text",
        ("forgetting: qa\nname: @x\ncases:\n  - {question: Capital of France?, answer: Paris}\n"),
        (
            "s.yaml:2:7: found character that cannot start any token; wanted quotes around "
            "a text that begins with such a character"
        ),
    ),
    suite(
        "a * before a text",
        ("forgetting: qa\nname: *x\ncases:\n  - {question: Capital of France?, answer: Paris}\n"),
        "s.yaml:2:7: found undefined alias; wanted quotes around a text that begins with *",
    ),
    suite(
        "an escape that is none",
        ('forgetting: qa\nname: "\\q"\ncases:\n  - {question: Capital of France?, answer: Paris}\n'),
        "s.yaml:2:8: found unknown escape character; wanted plain YAML",
    ),
    suite(
        "a lone surrogate",
        'forgetting: qa\ncases:\n  - {question: "a\\ud800b", answer: a}\n',
        "s.yaml:3:20: found invalid Unicode character escape code; wanted the character itself",
    ),
    suite(
        "a key twice",
        ("forgetting: qa\nname: a\nname: b\ncases:\n  - {question: Capital of France?, answer: Paris}\n"),
        "s.yaml:3:1: key 'name' given twice (first on line 2)",
    ),
    suite(
        "a key of a case twice",
        "forgetting: qa\ncases:\n  - {question: a, answer: b, answer: c}\n",
        "s.yaml:3:30: key 'answer' given twice (first on line 3)",
    ),
    suite(
        "an alias",
        ("forgetting: qa\nx: &a [1]\ny: *a\ncases:\n  - {question: Capital of France?, answer: Paris}\n"),
        "s.yaml:2:4: found an alias; wanted every value written out",
    ),
    suite(
        "an alias bomb",
        (
            "forgetting: qa\na: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nd: [*c, *c]\n"
            "cases:\n  - {question: Capital of France?, answer: Paris}\n"
        ),
        "s.yaml:2:4: found an alias; wanted every value written out",
        "s.yaml:3:4: found an alias; wanted every value written out",
        "s.yaml:4:4: found an alias; wanted every value written out",
    ),
    suite(
        "an alias of itself",
        ("forgetting: qa\na: &a [*a]\ncases:\n  - {question: Capital of France?, answer: Paris}\n"),
        "s.yaml:2:4: found an alias; wanted every value written out",
    ),
    suite(
        "a tag that runs code",
        (
            "forgetting: qa\nname: !!python/object/apply:os.system [x]\ncases:\n  - "
            "{question: Capital of France?, answer: Paris}\n"
        ),
        "s.yaml:2:7: found the tag !!python/object/apply:os.system; suites are plain data",
    ),
    suite(
        "a tag of somebody's own",
        ("forgetting: qa\nname: !mine x\ncases:\n  - {question: Capital of France?, answer: Paris}\n"),
        "s.yaml:2:7: found the tag !mine; suites are plain data",
    ),
    suite(
        "bytes",
        ("forgetting: qa\nname: !!binary aGk=\ncases:\n  - {question: Capital of France?, answer: Paris}\n"),
        "s.yaml:2:7: found the tag !!binary; suites are plain data",
    ),
    suite(
        "a tag that does not fit",
        ("forgetting: qa\nname: !!int x\ncases:\n  - {question: Capital of France?, answer: Paris}\n"),
        "s.yaml:2:7: found 'x' under the tag !!int; wanted it in quotes, as text",
    ),
    suite(
        "a date that is none",
        ("forgetting: qa\nname: 2020-13-45\ncases:\n  - {question: Capital of France?, answer: Paris}\n"),
        "s.yaml:2:7: YAML reads '2020-13-45' as a date; wanted it in quotes, as text",
    ),
    suite(
        "a merged mapping",
        ("forgetting: qa\n<<: {name: x}\ncases:\n  - {question: Capital of France?, answer: Paris}\n"),
        "s.yaml:2:1: found a merge of mappings (<<); wanted every value written out",
    ),
    suite(
        "a key that is a number",
        "forgetting: qa\n1: x\ncases:\n  - {question: Capital of France?, answer: Paris}\n",
        ("s.yaml:2:1: found the key 1, which YAML does not read as text; wanted it in quotes, as text"),
    ),
    suite(
        "a key that is nothing",
        ("forgetting: qa\nnull: x\ncases:\n  - {question: Capital of France?, answer: Paris}\n"),
        ("s.yaml:2:1: found the key null, which YAML does not read as text; wanted it in quotes, as text"),
    ),
    suite(
        "a key that is a truth value",
        "forgetting: qa\ncases:\n  - {question: a, answer: b, yes: c}\n",
        ("s.yaml:3:30: found the key yes, which YAML does not read as text; wanted it in quotes, as text"),
    ),
    suite(
        "a key that is a list",
        ("forgetting: qa\n? [a]\n: b\ncases:\n  - {question: Capital of France?, answer: Paris}\n"),
        "s.yaml:2:3: found a key that is no text",
    ),
    suite(
        "deep nesting",
        "forgetting: qa\nname: " + "[" * 60 + "]" * 60 + "\n",
        "s.yaml:2:56: nested deeper than 50; wanted plain keys and lists",
    ),
    suite(
        "nesting that would end the process",
        "forgetting: qa\nname: " + "[" * 100_000 + "]" * 100_000 + "\n",
        "s.yaml:2:56: nested deeper than 50; wanted plain keys and lists",
    ),
    suite(
        "two documents",
        (
            "forgetting: qa\ncases:\n  - {question: Capital of France?, answer: Paris}\n"
            "---\nforgetting: qa\ncases:\n  - {question: Capital of France?, answer: "
            "Paris}\n"
        ),
        "s.yaml:4:1: found a second document; wanted plain YAML",
    ),
    suite(
        "another version of YAML",
        ("%YAML 3.0\n---\nforgetting: qa\ncases:\n  - {question: Capital of France?, answer: Paris}\n"),
        "s.yaml:1:1: found incompatible YAML document; wanted plain YAML",
    ),
    suite(
        "a list at the top",
        '- x\n- forgetting\n"forgetting": qa\n',
        (
            "s.yaml:3:1: did not find expected '-' indicator while parsing a block "
            "collection, which begins on line 1; wanted plain YAML"
        ),
    ),
    suite(
        "a line that is no key",
        "forgetting: qa\nfoo\n",
        (
            "s.yaml:3:1: could not find expected ':' while scanning a simple key, which "
            "begins on line 2; wanted plain YAML"
        ),
    ),
    suite("a NUL byte", b"forgetting: qa\nname: a\x00b\n", "s.yaml:2:8: found the character U+0000; wanted plain text"),
    suite("another encoding", b"forgetting: qa\nname: \xe9\n", "s.yaml:1:1: byte 21 is not UTF-8"),
    suite(
        "UTF-16 inside",
        b"forgetting: qa\n\xff\xfen\x00a\x00m\x00e\x00:\x00 \x00x\x00\n\x00",
        "s.yaml:1:1: byte 15 is not UTF-8",
    ),
]
