// Two runs on one set: the difference with its two intervals, where it lies, which problems changed.
import { h, svg, ask, address, replace, percent, whole } from "./dom.js";
import { showSample, closeDrawer } from "./sample.js";

const points = (share) => `${share > 0 ? "+" : share < 0 ? "−" : "±"}${Math.abs(100 * share).toFixed(1)}`;
const probability = (p) => (p < 0.001 ? "p < 0.001" : `p = ${p.toFixed(3)}`);
const SHOWN = 60;

export class ComparePage {
  constructor(first, second) {
    this.sides = [first, second].map(([run, dataset]) => ({ run, dataset }));
    this.element = h("div.compare");
  }

  async update() {
    const [a, b] = this.sides;
    const data = await ask("api/compare", { a_run: a.run, a_dataset: a.dataset, b_run: b.run, b_dataset: b.dataset });
    const version = `${data.a.version} ${data.b.version}`;
    if (version === this.version) return;
    this.version = version;
    this.data = data;
    const cards = h("div.versus", null, this.side("A", data.a), this.side("B", data.b));
    if (data.refusal) {
      replace(this.element, h("h1", null, "Comparison"), cards, h("div.notice.bad", null, h("strong", null, "Not compared: "), data.refusal));
      return;
    }
    const { overall, groups, problems, settings, manifests, notes } = data.comparison;
    replace(this.element, h("h1", null, "Comparison"), cards, h("p.sentence", null, data.sentence), this.overall(overall),
      notes.map((note) => h("div.notice", null, note)), this.groups(groups), this.problems(problems, overall), this.differences(settings, manifests));
  }

  side(name, head) {
    return h("a.card.cover", { href: address("r", head.run, head.dataset) }, h("span.side", null, name), h("h2", null, `${head.run} / ${head.dataset}`),
      h("p.model", null, head.model), h("p.big", null, head.facts?.is_complete ? percent(head.facts.score) : "–", h("small", null, head.facts?.is_complete ? `avg@${head.facts.samples_per_problem}` : "no score")));
  }

  overall(overall) {
    const rows = [
      ["on these problems", overall.sampling_interval, overall.p_sampling, overall.smallest_visible_sampling],
      ["for problems like these", overall.interval, overall.p_problems, overall.smallest_visible_problems],
    ].map(([label, interval, p, visible]) => ({ label, interval, difference: overall.difference, note: `${probability(p)}${visible ? `; this run would have seen ${(100 * visible).toFixed(1)} points` : ""}` }));
    return h("section", null, h("h2", null, `B − A = ${points(overall.difference)} points`), forest(rows));
  }

  groups(groups) {
    if (!groups.length) return null;
    const rows = groups.map((group) => ({ label: `${group.breakdown} ${group.label}`, interval: group.interval, difference: group.difference, note: `${group.problems} problems, ${probability(group.p_adjusted)}` }));
    return h("section", null, h("h2", null, "Where the difference lies"), h("p.soft", null, `p after Holm's correction for ${groups.length} looks`), forest(rows));
  }

  problems(problems, overall) {
    const rows = problems.slice(0, this.isAll ? problems.length : SHOWN).map((problem) => {
      const shares = problem.correct.map((correct, side) => correct / problem.samples[side]);
      const open = () => (location.hash = this.hash(problem.task_id));
      return h("tr", { onclick: open }, h("td", null, h("a", { href: this.hash(problem.task_id) }, problem.task_id)), h("td.number", null, percent(shares[0], 0)), h("td.wide", null, dumbbell(...shares)),
        h("td.number", null, percent(shares[1], 0)), h("td.number", null, points(shares[1] - shares[0])), h("td.number.soft", null, problem.p_adjusted < 0.05 ? probability(problem.p_adjusted) : ""));
    });
    const more = problems.length > rows.length ? h("button.quiet", { type: "button", onclick: () => { this.isAll = true; this.version = ""; this.update(); } }, `show all ${problems.length}`) : null;
    return h("section", null, h("h2", null, `${whole(problems.length)} of ${whole(overall.problems)} problems changed`),
      h("p.soft", null, "share correct under A and B, the largest change first; p where it remains below 0.05 after Holm"),
      h("div.scroll", null, h("table.samples.changes", null, h("thead", null, h("tr", null, ["problem", "A", "", "B", "B − A", ""].map((name, place) => h(place ? "th.number" : "th", { scope: "col" }, name)))), h("tbody", null, rows))), more);
  }

  differences(settings, manifests) {
    const rows = [...settings.map((row) => [`settings: ${row[0]}`, row[1], row[2]]), ...manifests];
    if (!rows.length) return null;
    const show = (value) => (value === null || value === undefined ? "–" : typeof value === "object" ? JSON.stringify(value) : String(value));
    return h("section", null, h("h2", null, "Made differently"), h("div.scroll", null, h("table.manifest", null,
      h("thead", null, h("tr", null, ["", "A", "B"].map((name) => h("th", { scope: "col" }, name)))),
      h("tbody", null, rows.map(([name, first, second]) => h("tr", null, h("th", { scope: "row" }, name), h("td", null, show(first)), h("td", null, show(second))))))));
  }

  hash(task, seed = this.data.seeds[0]) {
    return address("compare", this.sides[0].run, this.sides[0].dataset, this.sides[1].run, this.sides[1].dataset, task, seed);
  }

  async select(task, seed) {
    if (task === undefined) return closeDrawer();
    const { seeds } = this.data, changed = (this.data.comparison?.problems || []).map((problem) => problem.task_id);
    await showSample(this.sides, task, seed, {
      close: () => (location.hash = address("compare", ...this.sides.flatMap((side) => [side.run, side.dataset]))),
      step: (rows, columns) => {
        const place = changed.indexOf(task) + rows, column = seeds.indexOf(seed) + columns;
        if (changed[place] !== undefined && seeds[column] !== undefined) location.hash = this.hash(changed[place], seeds[column]);
      },
    });
  }
}

// Differences with their intervals on one scale around zero.
function forest(rows) {
  const ends = rows.flatMap((row) => [row.difference, ...(row.interval ? [row.interval.low, row.interval.high] : [])]);
  const reach = Math.max(0.01, ...ends.map(Math.abs)) * 1.05, x = (value) => 50 + (50 * value) / reach;
  return h("div.forest", null, rows.map((row) => h("div.forest-row", null, h("span.label", null, row.label),
    svg("svg", { viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true" },
      svg("line", { x1: 50, x2: 50, y1: 0, y2: 10, class: "zero" }),
      row.interval ? svg("line", { x1: x(row.interval.low), x2: x(row.interval.high), y1: 5, y2: 5, class: "span" }) : null,
      svg("line", { x1: x(row.difference), x2: x(row.difference), y1: 1.5, y2: 8.5, class: "mark" })),
    h("span.value", null, `${points(row.difference)}${row.interval ? `  [${points(row.interval.low)}, ${points(row.interval.high)}]` : ""}`), h("span.soft", null, row.note))));
}

function dumbbell(first, second) {
  const x = (share) => 2 + 96 * share;
  return svg("svg", { viewBox: "0 0 100 10", preserveAspectRatio: "none", class: "dumbbell", "aria-hidden": "true" },
    svg("line", { x1: 2, x2: 98, y1: 5, y2: 5, class: "rail" }), svg("line", { x1: x(first), x2: x(second), y1: 5, y2: 5, class: second > first ? "span up" : "span down" }),
    svg("line", { x1: x(first), x2: x(first), y1: 2, y2: 8, class: "from" }), svg("line", { x1: x(second), x2: x(second), y1: 1, y2: 9, class: "mark" }));
}
