// One data set of one run: its score, how it goes, the map, the list of samples.
import { h, ask, address, progress, replace, percent, whole, duration, words, badge, VERDICTS } from "./dom.js";
import { SampleMap } from "./map.js";
import { showSample, closeDrawer } from "./sample.js";
import { Charts } from "./charts.js";

export class DatasetPage {
  constructor(run, dataset) {
    Object.assign(this, { run, dataset, version: undefined, verdicts: new Set(), order: "file", selected: null, offset: 0 });
    this.map = new SampleMap((task, seed) => this.go(task, seed));
    this.charts = new Charts();
    this.head = h("section.head");
    this.flow = h("section.flow", { hidden: true });
    this.notes = h("div.notes");
    this.legend = h("div.legend", { role: "group", "aria-label": "Show only these verdicts" });
    this.list = h("div.list");
    this.facts = h("section.facts");
    this.element = h("div.dataset", null, this.head, this.notes, this.flow, this.mapSection(), this.charts.element, this.listSection(), this.facts);
    this.onTheme = () => this.data && (this.drawMap(), this.charts.redraw());
    window.addEventListener("theme", this.onTheme);
    this.onKey = (event) => this.key(event);
    window.addEventListener("keydown", this.onKey);
  }

  close() {
    window.removeEventListener("theme", this.onTheme);
    window.removeEventListener("keydown", this.onKey);
  }

  mapSection() {
    const select = h("select", { "aria-label": "Order of problems" },
      h("option", { value: "file" }, "as in the set"), h("option", { value: "hard" }, "hardest first"));
    select.addEventListener("change", () => { this.order = select.value; this.drawMap(); });
    return h("section", null, h("div.section-head", null, h("h2", null, "Every sample"), h("label.soft", null, "problems ", select)), this.legend, this.map.element);
  }

  listSection() {
    const field = (placeholder, name, type = "search") => {
      const input = h("input", { type, placeholder, "aria-label": placeholder, spellcheck: false });
      input.addEventListener("input", () => {
        clearTimeout(this.typing);
        this.typing = setTimeout(() => { this.query[name] = input.value.trim(); this.offset = 0; this.loadList(); }, 250);
      });
      return input;
    };
    this.query = { text: "", task: "", seed: "" };
    return h("section", null,
      h("div.section-head", null, h("h2", null, "Samples"),
        h("div.filters", null, field("search in responses", "text"), field("problem", "task"), field("seed", "seed"))),
      this.list);
  }

  async update() {
    const data = await ask("api/overview", { run: this.run, dataset: this.dataset, version: this.version });
    this.isLive = Boolean(data.status?.is_live);
    if (data.is_unchanged) {
      if (this.data) this.showFlow({ ...this.data, status: data.status });
      return;
    }
    this.data = data;
    this.version = data.version;
    this.showHead(data);
    this.showFlow(data);
    replace(this.notes, data.notes.map((note) => h("div.notice", null, note)));
    this.showLegend(data);
    this.drawMap();
    this.charts.show(data.charts);
    replace(this.facts, manifestTable(data.manifest));
    await this.loadList();
  }

  showHead(data) {
    const facts = data.facts, running = data.running;
    const title = h("div", null, h("h1", null, data.dataset), h("p.model", null, data.model));
    const report = h("a.button", { href: `report?run=${encodeURIComponent(this.run)}&dataset=${encodeURIComponent(this.dataset)}`, target: "_blank", rel: "noopener" }, "Report");
    const hasScore = facts && facts.score !== null && facts.is_complete;
    const score = hasScore ? scoreBlock(facts) : running ? runningBlock(running, data.is_provisional) : h("p.soft", null, "No sample is graded yet.");
    replace(this.head, h("div.title", null, title, report), score, facts ? factChips(facts) : null,
      (facts?.doubts || []).map((doubt) => h("div.notice.bad", null, h("strong", null, "Not a score to claim: "), doubt)),
      (facts?.warnings || []).map((warning) => h("div.notice", null, warning)),
      metricTable(facts?.metrics),
      otherSets(data.other_sets),
      facts?.published?.verdict ? h("div.notice.plain", null, h("strong", null, "Published figure: "), facts.published.verdict) : null);
  }

  showFlow(data) {
    const status = data.status, planned = data.task_ids.length * data.seeds.length;
    const isPartial = data.generated < planned;
    this.flow.hidden = !(status && (status.is_live || isPartial)) && !isPartial;
    if (this.flow.hidden) return;
    const own = status?.datasets?.[data.dataset], done = Math.max(data.generated, own?.done || 0), total = own?.total || planned;
    const facts = [[`${whole(done)} of ${whole(total)}`, "samples"]];
    if (status?.tokens_per_s != null && status.is_live) facts.push([whole(status.tokens_per_s), "tokens/s"]);
    if (status?.eta_s != null && status.is_live) facts.push([duration(status.eta_s), "left"]);
    const { signs } = data, share = (count) => (signs?.responses ? count / signs.responses : 0);
    if (signs?.responses) {
      facts.push([percent(share(signs.cut_off)), "cut off at the cap", share(signs.cut_off) > 0.05]);
      facts.push([percent(share(signs.loops)), "end in a repetition loop", share(signs.loops) > 0.05]);
    }
    const state = status ? (status.state === "running" && !status.is_live ? `no sign of life for ${duration(status.age_s)}` : status.state) : "no run is writing to this folder";
    replace(this.flow, h("div.section-head", null, h("h2", null, "Progress"), h("span.soft", null, state)), progress(done, total),
      h("div.chips", null, facts.map(([value, label, isBad]) => h(isBad ? "span.chip.warn" : "span.chip", null, h("b", null, value), " ", label))), workers(status));
  }

  showLegend(data) {
    const counts = { ...data.counts };
    const ungraded = [...data.map].filter((letter) => letter === "u").length;
    if (ungraded) counts.ungraded = ungraded;
    replace(this.legend, VERDICTS.filter((verdict) => counts[verdict]).map((verdict) => {
      const isOn = this.verdicts.has(verdict);
      const button = h("button.key.v-" + verdict, { type: "button", "aria-pressed": String(isOn) }, h("i"), words(verdict), h("b", null, whole(counts[verdict])));
      button.addEventListener("click", () => {
        this.verdicts[isOn ? "delete" : "add"](verdict);
        this.offset = 0;
        this.showLegend(data);
        this.drawMap();
        this.loadList();
      });
      return button;
    }));
  }

  drawMap() {
    this.map.show(this.data, { order: this.order, verdicts: this.verdicts, selected: this.selected });
  }

  async loadList() {
    const ask_ = (this.asked = (this.asked || 0) + 1);
    const found = await ask("api/samples", { run: this.run, dataset: this.dataset, verdicts: [...this.verdicts].join(","), ...this.query, offset: this.offset });
    if (ask_ !== this.asked) return; // a later question was asked meanwhile
    const rows = found.samples.map((row) => this.row(row));
    const head = h("tr", null, ["problem", "seed", "verdict", "answer", "tokens", this.query.text ? "found" : "reason"].map((name) => h("th", { scope: "col" }, name)));
    replace(this.list,
      rows.length ? h("div.scroll", null, h("table.samples", null, h("thead", null, head), h("tbody", null, rows))) : h("p.soft", null, "No sample is like that."),
      this.pager(found));
  }

  row(row) {
    const link = h("a", { href: address("r", this.run, this.dataset, row.task_id, row.seed) }, row.task_id);
    const line = h("tr", null, h("td", null, link), h("td.number", null, row.seed), h("td", null, badge(row.verdict)),
      h("td.answer", null, row.answer ?? ""), h("td.number", null, row.output_tokens == null ? "" : whole(row.output_tokens)),
      h("td.reason", null, row.snippet ?? row.reason ?? ""));
    line.addEventListener("click", () => this.go(row.task_id, row.seed));
    return line;
  }

  pager(found) {
    const end = found.offset + found.samples.length;
    const step = (text, offset, isOff) => h("button.quiet", { type: "button", disabled: isOff, onclick: () => { this.offset = offset; this.loadList(); } }, text);
    return h("div.pager", null, h("span.soft", null, found.total ? `${whole(found.offset + 1)}–${whole(end)} of ${whole(found.total)}` : ""),
      found.total > found.samples.length ? [step("‹ earlier", Math.max(0, found.offset - found.page_size), found.offset === 0), step("later ›", end, end >= found.total)] : null);
  }

  go(task, seed) {
    location.hash = address("r", this.run, this.dataset, task, seed);
  }

  async select(task, seed) {
    this.selected = task === undefined ? null : [task, seed];
    if (this.data) this.drawMap();
    if (task === undefined) return closeDrawer();
    await showSample([{ run: this.run, dataset: this.dataset }], task, seed, {
      close: () => (location.hash = address("r", this.run, this.dataset)),
      step: (rows, columns) => this.step(rows, columns),
    });
  }

  // The next sample in the map's order that is there.
  step(rows, columns) {
    const { task_ids, seeds, map } = this.data, at = this.map.find(...this.selected);
    if (!at) return;
    let { place, column } = at;
    for (;;) {
      place += rows;
      column += columns;
      if (place < 0 || column < 0 || place >= task_ids.length || column >= seeds.length) return;
      const row = this.map.rows[place];
      if (map[row * seeds.length + column] !== ".") return this.go(task_ids[row], seeds[column]);
    }
  }

  key(event) {
    if (!this.selected || event.target.closest("input, select, canvas, pre") || event.ctrlKey || event.metaKey || event.altKey) return;
    const moves = { j: [1, 0], k: [-1, 0], l: [0, 1], h: [0, -1] };
    if (event.key === "Escape") location.hash = address("r", this.run, this.dataset);
    else if (moves[event.key]) this.step(...moves[event.key]);
  }
}

export function scoreBlock(facts) {
  const both = facts.interval, sampling = facts.sampling_interval;
  const known = [facts.score, ...(both || []), ...(sampling || [])], ends = [Math.min(...known), Math.max(...known)];
  const line = (label, pair, kind) => pair && h("div.interval", null, h("span", null, label), h("b", null, `${(100 * pair[0]).toFixed(1)} – ${(100 * pair[1]).toFixed(1)} %`), ruler(pair, facts.score, ends, kind));
  return h("div.score", null, h("div.figure", null, h("span", null, `avg@${facts.samples_per_problem}`), h("strong", null, percent(facts.score))),
    h("div.intervals", null, line("95 %, for problems like these", both, "both"), line("95 %, on these problems", sampling, "sampling")));
}

function runningBlock(running, isProvisional) {
  const interval = running.interval ? `${(100 * running.interval[0]).toFixed(1)} – ${(100 * running.interval[1]).toFixed(1)} %` : "–";
  return h("div.score.running", null, h("div.figure", null, h("span", null, isProvisional ? "running, graded by this page" : "running, not a score"), h("strong", null, percent(running.mean))),
    h("div.intervals", null, h("div.interval", null, h("span", null, "graded"), h("b", null, `${whole(running.graded)} of ${whole(running.planned)}`)),
      h("div.interval", null, h("span", null, "95 % interval of the problems so far"), h("b", null, interval)),
      h("div.interval", null, h("span", null, "cut off"), h("b", null, percent(running.truncated_share)))));
}

function ruler(pair, score, widest, kind) {
  const from = Math.max(0, widest[0] - 0.02), to = Math.min(1, widest[1] + 0.02), place = (value) => `${(100 * (value - from)) / (to - from)}%`;
  const bar = h("i.bar-" + kind), dot = h("i.dot"), box = h("span.ruler", { "aria-hidden": "true" }, bar, dot);
  bar.style.left = place(pair[0]);
  bar.style.right = `calc(100% - ${place(pair[1])})`;
  dot.style.left = place(score);
  return box;
}

// LiveCodeBench's v5 and v6, say: sets that the same samples answer.
function otherSets(sets) {
  if (!sets.length) return null;
  const span = (pair) => (pair ? `${(100 * pair[0]).toFixed(1)} – ${(100 * pair[1]).toFixed(1)} %` : "–");
  const rows = sets.map((facts) => h("tr", null, h("th", { scope: "row" }, facts.set.name ?? "–"), h("td", null, facts.is_complete ? h("b", null, percent(facts.score)) : "no score", facts.is_complete ? ` avg@${facts.samples_per_problem}` : ""),
    h("td", null, span(facts.interval)), h("td", null, span(facts.sampling_interval)), h("td.number", null, whole(facts.problems)), h("td.soft", null, facts.published?.verdict ?? (facts.doubts[0] || ""))));
  const heads = ["set of the same samples", "score", "95 %, problems like these", "95 %, these problems", "problems", ""].map((name) => h("th", { scope: "col" }, name));
  return h("div.scroll.sets", null, h("table", null, h("thead", null, h("tr", null, heads)), h("tbody", null, rows)));
}

// Further values of the samples, shares in percent, each with its interval and its sampling error.
function metricTable(metrics) {
  if (!metrics || !Object.keys(metrics).length) return null;
  const rows = Object.entries(metrics).map(([name, metric]) => {
    const factor = metric.scale === 1 ? 100 : 1, unit = metric.scale === 1 ? " %" : "";
    const span = metric.interval ? `${(factor * metric.interval.low).toFixed(1)} – ${(factor * metric.interval.high).toFixed(1)}${unit}` : "–";
    const sampling = metric.sampling_error == null ? "–" : `± ${(factor * metric.sampling_error).toFixed(2)}`;
    return h("tr", null, h("th", { scope: "row" }, name), h("td", null, h("b", null, `${(factor * metric.mean).toFixed(2)}${unit}`)), h("td", null, span), h("td", null, sampling), h("td.soft", null, metric.higher_is_better ? "" : "less is better"));
  });
  const heads = ["metric", "mean", "95 %, problems like these", "sampling error", ""].map((name) => h("th", { scope: "col" }, name));
  return h("div.scroll.sets", null, h("table", null, h("thead", null, h("tr", null, heads)), h("tbody", null, rows)));
}

function factChips(facts) {
  const chip = (value, label, isBad) => h(isBad ? "span.chip.warn" : "span.chip", null, h("b", null, value), " ", label);
  const hash = facts.set.sha256 ? ` #${String(facts.set.sha256).slice(0, 8)}` : "";
  return h("div.chips", null, chip(whole(facts.problems), "problems"), chip(facts.set.name ?? "–", `set${hash}`),
    chip(facts.cap == null ? "unknown" : whole(facts.cap), "token cap", facts.cap == null),
    chip(percent(facts.truncated_share), "cut off", facts.truncated_share > 0.05), chip(percent(facts.reasoning_share, 0), "with reasoning"));
}

function workers(status) {
  if (!status?.workers?.length) return null;
  return h("div.workers", null, status.workers.map((worker) => h("div.worker", null, h("b", null, worker.name), ` ${worker.state} · ${whole(worker.done)} done · ${whole(worker.in_flight)} in flight`,
    worker.tokens_per_s != null ? ` · ${whole(worker.tokens_per_s)} tokens/s` : "", worker.restarts ? h("span.chip.warn", null, `${worker.restarts} restarts`) : null)));
}

function manifestTable(manifest) {
  const rows = [];
  const walk = (value, path) => {
    if (path === "plan" || path === "sessions") return;
    if (value !== null && typeof value === "object" && !Array.isArray(value)) for (const [name, inner] of Object.entries(value)) walk(inner, path ? `${path}.${name}` : name);
    else if (value !== null && value !== "") rows.push(h("tr", null, h("th", { scope: "row" }, path), h("td", null, Array.isArray(value) ? JSON.stringify(value) : String(value))));
  };
  walk(manifest || {}, "");
  return rows.length ? h("details", null, h("summary", null, h("h2", null, "Made with")), h("div.scroll", null, h("table.manifest", null, h("tbody", null, rows)))) : null;
}
