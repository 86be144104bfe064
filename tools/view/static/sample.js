// The drawer with one response, or the responses of two runs to the same question side by side.
import { h, ask, replace, whole, badge } from "./dom.js";
import { renderText, codeBlock } from "./text.js";

const drawer = document.getElementById("drawer");
let wanted = 0;

export function closeDrawer() {
  wanted += 1;
  drawer.hidden = true;
  drawer.replaceChildren();
  document.body.classList.remove("has-drawer");
}

// sides: [{run, dataset}], one or two; actions: {close(), step(rows, columns)}
export async function showSample(sides, task, seed, actions) {
  const mine = (wanted += 1);
  const problem = askProblem(sides, task);
  const samples = await Promise.all(sides.map((side) => ask("api/sample", { ...side, task, seed }).catch((error) => ({ error: error.message }))));
  // Mostly the statement is there as soon as the response; where its file is large, the response need not wait.
  await Promise.race([problem, new Promise((resolve) => setTimeout(resolve, 50))]);
  if (mine !== wanted) return;
  const button = (text, label, run) => h("button.quiet", { type: "button", title: label, "aria-label": label, onclick: run }, text);
  const bar = h("div.drawer-bar", null, h("h2", null, `Problem ${task}`, h("span.soft", null, ` seed ${seed}`)),
    actions.step ? [button("↑", "previous problem (k)", () => actions.step(-1, 0)), button("↓", "next problem (j)", () => actions.step(1, 0)),
      button("←", "previous seed (h)", () => actions.step(0, -1)), button("→", "next seed (l)", () => actions.step(0, 1))] : null,
    button("✕", "close (Esc)", actions.close));
  const statement = h("div", null, h("details.problem", null, h("summary", null, "Problem ", h("span.soft", null, "is being looked up"))));
  const articles = samples.map((sample, place) => h("article.response", null, sides.length > 1 ? h("h3.side", null, sides[place].run) : null, sampleBlock(sample, sides[place], problem)));
  replace(drawer, bar, h("div.drawer-body", null, statement, h("div" + (sides.length > 1 ? ".sides" : ""), null, articles)));
  problem.then((found) => (found ? replace(statement, problemBlock(found)) : replace(statement)));
  drawer.classList.toggle("wide", sides.length > 1);
  drawer.hidden = false;
  document.body.classList.add("has-drawer");
  drawer.querySelector(".drawer-body").scrollTop = 0;
}

// The statement, kept while one walks over the seeds of a problem; null where no problem file is at hand.
let kept = { key: "", problem: null };
function askProblem(sides, task) {
  const key = JSON.stringify([sides, task]);
  if (kept.key !== key) kept = { key, problem: ask("api/problem", { ...sides[0], task }).catch(() => null) };
  return kept.problem;
}

function choiceList(choices) {
  if (!Array.isArray(choices) || !choices.length || !choices.every((choice) => typeof choice === "string")) return null;
  return h("ol.choices", { type: "A" }, choices.map((choice) => h("li", null, renderText(h("div.text"), choice))));
}

function problemBlock(problem) {
  const answer = problem.answer != null ? h("p.reference", null, "reference answer ", h("b", null, problem.answer)) : null;
  return h("details.problem", { open: true }, h("summary", null, "Problem"), renderText(h("div.text"), problem.statement || "The problem file has no statement."), choiceList(problem.choices), answer);
}

function sampleBlock(sample, side, problem) {
  if (sample.error) return h("div.notice", null, sample.error);
  const grade = sample.verdict;
  return [
    h("div.verdict", null, badge(grade ? grade.verdict : "ungraded"), grade?.rule ? h("span.soft", null, `by ${grade.rule}`) : null,
      h("span.soft", null, lengthText(sample))),
    grade?.reason ? h("p.why", null, grade.reason) : null,
    grade?.differs_from_original ? h("div.notice", null, "The original toolkit's grader decides otherwise here.") : null,
    grade?.is_correct_in_reasoning ? h("div.notice", null, "The right answer stands in the reasoning, but not after it.") : null,
    grade?.answer ? answerBlock(grade.answer) : null,
    grade && Object.keys(grade.details || {}).length ? detailsBlock(grade.details) : null,
    grade?.details?.first_failing_test ? failingTest(side, sample.task_id, grade.details.first_failing_test, problem) : null,
    responseBlock(sample.response),
  ];
}

function lengthText(sample) {
  const tokens = sample.verdict?.output_tokens ?? sample.generation?.output_tokens;
  const finish = sample.generation?.finish_reason;
  return [tokens != null ? `${whole(tokens)} tokens` : null, finish === "length" ? "cut off at the cap" : null].filter(Boolean).join(" · ");
}

function answerBlock(answer) {
  if (answer.includes("\n")) return h("details", null, h("summary", null, "Graded program"), codeBlock(answer));
  return h("p.graded", null, "graded answer ", h("code", null, answer));
}

// The test that decided: read from the problem file when it is asked for, since a set's tests are gigabytes.
function failingTest(side, task, number, problem) {
  const body = h("div"), box = h("details", { hidden: true }, h("summary", null, `First failing test: ${number}`), body);
  problem.then((found) => (box.hidden = !found?.has_tests));
  box.addEventListener("toggle", async () => {
    if (!box.open || body.childNodes.length) return;
    try {
      const test = await ask("api/test", { ...side, task, number });
      const block = (name, text) => h("figure.io", null, h("figcaption", null, name), h("pre", { tabIndex: 0 }, text));
      replace(body, test.function ? h("p.soft", null, `a call of ${test.function}, one JSON value a line`) : null, block("input", test.input), block("expected", test.expected),
        test.is_cut ? h("p.soft", null, "longer than is shown here; the problem file has all of it") : null);
    } catch (error) {
      replace(body, h("p.soft", null, error.message));
    }
  });
  return box;
}

// What a grader noted, by name; long texts get a block each, tests run one by one a table.
function detailsBlock(details) {
  const rows = [], blocks = [];
  const walk = (value, name) => {
    if (value === null || value === "" || value === false || UNINTERESTING.has(name)) return;
    if (name === "per_test" && Array.isArray(value)) blocks.push(testsBlock(value));
    else if (Array.isArray(value) && value.every((inner) => typeof inner !== "object")) rows.push([name, value.join(", ")]);
    else if (typeof value === "object") for (const [key, inner] of Object.entries(value)) walk(inner, Array.isArray(value) ? `${name} ${Number(key) + 1}` : name ? `${name}: ${key}` : key);
    else if (typeof value === "string" && (value.includes("\n") || value.length > 80)) blocks.push(h("figure.io", null, h("figcaption", null, readable(name)), h("pre", { tabIndex: 0 }, value)));
    else rows.push([name, value === true ? "yes" : measured(name, value)]);
  };
  walk(details, "");
  return h("div.details", null, h("dl", null, rows.map(([name, value]) => h("div", null, h("dt", null, readable(name)), h("dd", null, value)))), blocks);
}

const UNINTERESTING = new Set(["fingerprint"]);
const readable = (name) => name.replace(/_(s|bytes)$/, "").replaceAll("_", " ");

// Units stand in the names: 0.2251 under max_cpu_s is "0.225 s".
function measured(name, value) {
  if (typeof value !== "number") return String(value);
  if (name.endsWith("_s")) return `${value < 10 ? value.toFixed(3) : value.toFixed(1)} s`;
  return name.endsWith("_bytes") ? `${(value / 2 ** 20).toFixed(0)} MiB` : String(value);
}

function testsBlock(tests) {
  const cells = (test) => [test.test, test.status, ...["cpu_s", "wall_s", "peak_bytes"].map((name) => (test[name] == null ? "" : measured(name, test[name])))];
  const row = (test) => h("tr", null, cells(test).map((text) => h("td", null, text)));
  return h("details", null, h("summary", null, `Every test (${tests.length})`), h("div.scroll", null, h("table", null,
    h("thead", null, h("tr", null, ["test", "verdict", "CPU", "wall", "memory"].map((name) => h("th", { scope: "col" }, name)))), h("tbody", null, tests.map(row)))));
}

function responseBlock(response) {
  if (!response) return h("div.notice", null, "The text of this response is not in the folder.");
  const { reasoning, answer, is_closed: isClosed } = response;
  const thinking = reasoning ? folded(reasoning, isClosed) : null;
  const body = h("div.text");
  const text = answer.trim();
  const raw = h("button.quiet.raw", { type: "button", "aria-pressed": "false" }, "as written");
  raw.addEventListener("click", () => {
    const isRaw = raw.getAttribute("aria-pressed") !== "true";
    raw.setAttribute("aria-pressed", String(isRaw));
    if (isRaw) replace(body, h("pre.raw-text", null, text));
    else renderText(replace(body), text);
  });
  if (text) renderText(body, text);
  else replace(body, h("p.soft", null, isClosed === false ? "The response ends inside its reasoning; there is no answer." : "Nothing stands after the reasoning."));
  return [thinking, h("div.section-head.small", null, h("h3", null, "Answer"), text ? raw : null), body];
}

function folded(reasoning, isClosed) {
  const body = h("div.text");
  const size = `${whole(reasoning.length)} characters${isClosed === false ? ", never closed" : ""}`;
  const box = h("details.reasoning", null, h("summary", null, "Reasoning ", h("span.soft", null, size)), body);
  box.addEventListener("toggle", () => { if (box.open && !body.childNodes.length) renderText(body, reasoning.trim()); });
  return box;
}
