"use strict";

// Shows the cases: all that models said is put in as text, never as mark-up.

(() => {
  const CHUNK = 60;
  const MOST_PRINTED = 1000;
  const FOLDED = 160;
  const OUTCOMES = ["forgotten", "unanswered", "learned", "unknown", "measured", "retained"];
  const CHOICES = ["suite", "category", "severity", "cause"];
  const FILTERS = [...CHOICES, "outcome", "text", "fails", "case"];

  const suites = JSON.parse(document.getElementById("suite-data").textContent);
  const cases = JSON.parse(document.getElementById("case-data").textContent);
  for (const each of cases) {
    // What is empty is left out of the data.
    each.answers ??= [];
    each.expected ??= "";
    const suite = suites[each.suite];
    each.nodeid = `${suite.nodeid}::${each.category}::${each.id}`;
    each.suite = suite.name;
  }

  const form = document.getElementById("filters");
  const body = document.getElementById("rows");
  const chips = document.getElementById("outcomes");
  const more = document.getElementById("more");
  const told = document.getElementById("told");
  let wanted = {};
  let matching = [];
  let drawn = 0;

  // Control characters by the signs that Unicode has for them, so that nothing is hidden.
  const visible = (text) =>
    text
      .replace(/[\u0000-\u0008\u000b-\u001f]/g, (sign) => String.fromCharCode(0x2400 + sign.charCodeAt(0)))
      .replace(/\u007f/g, "\u2421")
      .replace(/[\u0080-\u009f]/g, "\ufffd");

  function element(name, properties = {}, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(properties)) {
      if (key in made) {
        made[key] = value;
      } else {
        made.setAttribute(key, value);
      }
    }
    made.append(...children.map((child) => (typeof child === "string" ? visible(child) : child)));
    return made;
  }

  // Filters

  function readAddress() {
    const given = new URLSearchParams(location.hash.slice(1));
    return Object.fromEntries(FILTERS.filter((name) => given.get(name)).map((name) => [name, given.get(name)]));
  }

  function writeAddress() {
    const address = new URLSearchParams(wanted).toString();
    history.replaceState(null, "", address ? `#${address}` : location.pathname + location.search);
  }

  function haystack(each) {
    if (each.haystack === undefined) {
      const said = each.answers.map((piece) => piece.slice(1));
      const parts = [each.title, each.id, each.prompt, each.place, each.expected, ...said];
      each.haystack = parts.join("\n").toLowerCase();
    }
    return each.haystack;
  }

  function fits(each, but) {
    for (const name of CHOICES) {
      if (name !== but && wanted[name] && (each[name] || "") !== wanted[name]) {
        return false;
      }
    }
    return (
      (but === "outcome" || !wanted.outcome || wanted.outcome === each.outcome) &&
      (!wanted.fails || each.fails) &&
      (!wanted.case || wanted.case === each.nodeid) &&
      (!wanted.text || haystack(each).includes(wanted.text.toLowerCase()))
    );
  }

  function tally(key, but) {
    const counts = new Map();
    for (const each of cases) {
      if (each[key] && fits(each, but)) {
        counts.set(each[key], (counts.get(each[key]) || 0) + 1);
      }
    }
    return counts;
  }

  function fillChoices() {
    for (const name of CHOICES) {
      const select = form.elements[name];
      const counts = tally(name, name);
      if (wanted[name] && !counts.has(wanted[name])) {
        counts.set(wanted[name], 0);
      }
      const options = [...counts].map(([value, count]) => element("option", { value }, `${value} (${count})`));
      select.replaceChildren(element("option", { value: "" }, "all"), ...options);
      select.value = wanted[name] || "";
      select.closest("label").hidden = counts.size < 2 && !wanted[name];
    }
    form.elements.text.value = wanted.text || "";
  }

  function fillChips() {
    const counts = tally("outcome", "outcome");
    const all = [...counts.values()].reduce((sum, count) => sum + count, 0);
    const present = new Set(cases.map((each) => each.outcome));
    const chip = (outcome, count) =>
      element(
        "button",
        { type: "button", className: outcome, "aria-pressed": String((wanted.outcome || "") === outcome), value: outcome },
        `${outcome || "all"} ${count}`,
      );
    const names = OUTCOMES.filter((outcome) => present.has(outcome));
    const focused = chips.contains(document.activeElement) ? document.activeElement.value : null;
    chips.replaceChildren(chip("", all), ...names.map((outcome) => chip(outcome, counts.get(outcome) || 0)));
    if (focused !== null) {
      [...chips.children].find((each) => each.value === focused)?.focus();
    }
  }

  // Rows

  function answer(pieces, mark, tag) {
    const own = pieces.filter((piece) => piece[0] === "=" || piece[0] === mark);
    const alike = pieces.some((piece) => piece[0] === "=");
    const parts = own.map((piece) =>
      piece[0] === "=" || !alike ? visible(piece.slice(1)) : element(tag, {}, piece.slice(1)),
    );
    if (!parts.length) {
      return element("span", { className: "text empty" }, "(empty)");
    }
    const length = own.reduce((sum, piece) => sum + piece.length - 1, 0);
    return folding(element("span", { className: "text", dir: "auto" }, ...parts), length);
  }

  function folding(text, length) {
    if (length <= FOLDED) {
      return text;
    }
    const button = element("button", { type: "button", className: "plain", "aria-expanded": "false" }, `Show all ${length} characters`);
    text.classList.add("folded");
    button.addEventListener("click", () => {
      const folded = text.classList.toggle("folded");
      button.setAttribute("aria-expanded", String(!folded));
      button.textContent = folded ? `Show all ${length} characters` : "Show less";
    });
    return element("span", {}, text, button);
  }

  const folded = (text) => folding(block(text), text.length);
  const block = (text) => element("span", { className: "text", dir: "auto" }, text);

  function scored(each, side) {
    const scores = each.outcome === "measured" && each.scores ? each.scores[side] : null;
    return scores ? block(`${nats(scores[0])} nats`) : null;
  }

  function said(each, side, mark, tag) {
    const cell = element("td", { "data-label": side === 0 ? "baseline said" : "model says" });
    cell.append(scored(each, side) || answer(each.answers, mark, tag));
    if (each.shares && each.shares[side] !== null) {
      cell.append(element("span", { className: "meta" }, `${Math.round(each.shares[side] * 100)} % of the samples right`));
    }
    // Of a question it would only repeat what was expected.
    if (each.why && each.why[side] && (each.severity || each.choices || each.outcome === "unanswered")) {
      cell.append(element("span", { className: "meta text" }, each.why[side]));
    }
    return cell;
  }

  function row(each) {
    const outcome = element("td", {}, element("span", { className: `outcome ${each.outcome}` }, each.outcome));
    if (each.fails) {
      outcome.append(element("span", { className: "fails" }, "fails by itself"));
    }
    const details = element("button", { type: "button", className: "plain", "aria-expanded": "false" }, "Details");
    const link = element("a", { className: "plain", href: `#${new URLSearchParams({ case: each.nodeid })}` }, "Link");
    const facts = [`${each.suite} › ${each.category}`, each.severity, each.place].filter(Boolean).join(" · ");
    const about = element(
      "td",
      {},
      element("span", { className: "text case-title", dir: "auto" }, each.title),
      element("span", { className: "meta text" }, facts),
      details,
      " ",
      link,
    );
    const expected = element("td", { "data-label": "expected" }, folded(each.expected));
    const cause = element("td", each.cause ? { "data-label": "cause" } : {}, each.cause || "");
    if (each.right) {
      cause.append(element("span", { className: "meta text" }, `right answer ${nats(each.right.baseline)} → ${nats(each.right.model)} nats`));
    }
    const made = element("tr", {}, outcome, about, expected, said(each, 0, "-", "del"), said(each, 1, "+", "ins"), cause);
    details.addEventListener("click", () => toggle(each, made, details));
    return made;
  }

  const nats = (value) => (value === null ? "−∞" : value.toFixed(1).replace(/^-(?!0\.0$)/, "−").replace("-", ""));

  function toggle(each, made, button) {
    const open = button.getAttribute("aria-expanded") === "true";
    button.setAttribute("aria-expanded", String(!open));
    if (open) {
      made.nextSibling.remove();
    } else {
      made.after(element("tr", { className: "detail" }, element("td", { colSpan: 6 }, facts(each))));
    }
  }

  function facts(each) {
    const sides = ["baseline", "model"];
    const entries = [["node id", each.nodeid], ["prompt", each.prompt]];
    if (each.first) {
      entries.push(["outcome before it was asked again", each.first]);
    }
    if (each.choices) {
      each.choices.forEach((choice, number) => {
        const held = (each.scores || []).map((scores, side) => (scores ? `${sides[side]} ${nats(scores[number])}` : ""));
        entries.push([`choice ${number + 1}`, `${choice}  (${held.filter(Boolean).join(", ")} nats)`]);
      });
    }
    if (each.right) {
      entries.push(["right answer, as weighed", each.right.text]);
    }
    for (const [key, words] of [["thoughts", "thought"], ["why", "wrong because"], ["finish", "ended by"]]) {
      (each[key] || []).forEach((value, side) => {
        if (value) {
          entries.push([`${sides[side]} ${words}`, value]);
        }
      });
    }
    if (each.cut) {
      entries.push(["cut here", `${each.cut} characters, which the JSON report has`]);
    }
    const list = element("dl");
    for (const [term, text] of entries) {
      list.append(element("dt", {}, term), element("dd", {}, folded(text)));
    }
    return list;
  }

  function draw(count) {
    const next = matching.slice(drawn, drawn + count);
    body.append(...next.map(row));
    drawn += next.length;
    more.hidden = drawn >= matching.length;
    more.textContent = `Show more (${matching.length - drawn} left)`;
  }

  function refresh() {
    matching = cases.filter((each) => fits(each, null));
    fillChips();
    fillChoices();
    const only = [wanted.fails && "failing by itself", wanted.case && `node id ${wanted.case}`].filter(Boolean);
    told.textContent = visible(
      `${matching.length} of ${cases.length} case${cases.length === 1 ? "" : "s"}` + (only.length ? `, only: ${only.join(", ")}` : ""),
    );
    body.replaceChildren();
    drawn = 0;
    draw(CHUNK);
  }

  function want(change) {
    wanted = Object.fromEntries(Object.entries({ ...wanted, ...change }).filter(([, value]) => value));
    writeAddress();
    refresh();
  }

  function followAddress() {
    const given = readAddress();
    const named = Object.keys(given).length > 0;
    if (named || !location.hash) {
      wanted = given;
      refresh();
    }
    if (named) {
      document.getElementById("cases").scrollIntoView();
    }
  }

  chips.addEventListener("click", (event) => {
    const chip = event.target.closest("button");
    if (chip) {
      want({ outcome: chip.value });
    }
  });
  form.addEventListener("change", (event) => {
    if (CHOICES.includes(event.target.name)) {
      want({ [event.target.name]: event.target.value });
    }
  });
  form.elements.text.addEventListener("input", (event) => want({ text: event.target.value }));
  form.addEventListener("submit", (event) => event.preventDefault());
  document.getElementById("clear").addEventListener("click", () => {
    wanted = {};
    want({});
  });
  more.addEventListener("click", () => draw(CHUNK));
  addEventListener("hashchange", followAddress);
  addEventListener("beforeprint", () => draw(Math.max(0, MOST_PRINTED - drawn)));
  new IntersectionObserver((entries) => {
    if (entries[0].isIntersecting && !more.hidden) {
      draw(CHUNK);
    }
  }).observe(more.parentElement);

  wanted = readAddress();
  refresh();
  if (Object.keys(wanted).length) {
    document.getElementById("cases").scrollIntoView();
  }
})();
