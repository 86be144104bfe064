// Addresses after the #: "/" all runs, "/r/RUN/SET[/PROBLEM/SEED]" one, "/compare/RUN/SET/RUN/SET[/PROBLEM/SEED]" two.
import { h, ask, address, progress, replace, percent, whole } from "./dom.js";
import { DatasetPage } from "./dataset.js";
import { ComparePage } from "./compare.js";
import { closeDrawer } from "./sample.js";

const POLL_MS = 2000;
const page = document.getElementById("page");
const crumbs = document.getElementById("crumbs");
let shown = null; // {place, update()} of the page that is open
let routed = 0;

async function route() {
  const parts = location.hash.replace(/^#\/?/, "").split("/").filter(Boolean).map(decodeURIComponent);
  const key = parts[0] === "r" ? parts.slice(0, 3).join("/") : parts[0] === "compare" ? parts.slice(0, 5).join("/") : "home";
  const mine = (routed += 1);
  try {
    if (!shown || shown.place !== key) await open(key, parts);
    if (mine !== routed) return; // the address changed while the page was fetched
    const rest = parts.slice(key.split("/").length);
    if (shown.select) await shown.select(rest[0], rest[1] === undefined ? undefined : Number(rest[1]));
    else closeDrawer();
  } catch (error) {
    complain(error);
  }
}

async function open(key, parts) {
  closeDrawer();
  shown?.close?.();
  if (parts[0] === "r") shown = new DatasetPage(parts[1], parts[2]);
  else if (parts[0] === "compare") shown = new ComparePage(parts.slice(1, 3), parts.slice(3, 5));
  else shown = new HomePage();
  shown.place = key;
  showCrumbs(parts);
  replace(page, shown.element);
  window.scrollTo(0, 0);
  await shown.update();
}

function showCrumbs(parts) {
  const trail = parts[0] === "r" ? [parts[1], parts[2]] : parts[0] === "compare" ? ["comparison"] : [];
  replace(crumbs, trail.map((text) => [h("span.slash", null, "/"), h("span", null, text)]));
  document.title = [...trail, "Evaluation runs"].join(" · ");
}

function complain(error) {
  shown = null;
  replace(page, h("div.notice.bad", { role: "alert" }, h("strong", null, "This could not be shown. "), error.message));
}

class HomePage {
  constructor() {
    this.element = h("div.home");
    this.chosen = new Set();
  }

  async update() {
    this.runs = (await ask("api/runs")).runs;
    const state = JSON.stringify([this.runs.map((run) => ({ ...run, status: run.status?.is_live })), [...this.chosen]]);
    if (state === this.state) return; // nothing moves under the pointer without a reason
    this.state = state;
    const cards = this.runs.flatMap((run) => run.datasets.map((head) => this.card(run, head)));
    const empty = h("div.notice", null, "Nothing is in this folder yet. The page fills as soon as the first generation is written.");
    replace(this.element, cards.length ? h("div.cards", null, cards) : empty, this.compareBar(cards.length));
  }

  card(run, head) {
    const key = `${run.name}\n${head.dataset}`;
    const facts = head.facts, running = head.running;
    const box = h("input", { type: "checkbox", checked: this.chosen.has(key), "aria-label": `choose ${run.name} ${head.dataset} to compare` });
    box.addEventListener("change", () => {
      this.chosen[box.checked ? "add" : "delete"](key);
      this.update();
    });
    const score = facts?.is_complete ? facts.score : null; // an incomplete run has none
    const big = score !== null ? percent(score) : running ? percent(running.mean) : "–";
    const label = score !== null ? `avg@${facts.samples_per_problem}` : running ? `running, ${whole(running.graded)} graded` : "not graded";
    return h("article.card", null,
      h("label.choose", null, box),
      h("a.cover", { href: address("r", run.name, head.dataset) },
        h("h2", null, head.dataset), h("p.model", null, head.model),
        h("p.big", null, big, h("small", null, label)),
        progress(head.generated, head.planned),
        h("p.soft", null, `${run.name} · ${whole(head.generated)} of ${whole(head.planned)} samples`, run.status?.is_live ? " · running" : "")));
  }

  compareBar(count) {
    if (count < 2) return null;
    const chosen = [...this.chosen].slice(-2).map((key) => key.split("\n"));
    const button = h("button.primary", { type: "button", disabled: chosen.length !== 2 }, "Compare");
    button.addEventListener("click", () => (location.hash = address("compare", ...chosen.flat())));
    const hint = chosen.length === 2 ? chosen.map((pair) => pair.join(" / ")).join("  with  ") : "Tick two runs to compare them problem by problem.";
    return h("div.compare-bar", null, h("span.soft", null, hint), button);
  }
}

// Light, dark, or as the system says.
const themes = ["", "light", "dark"];
const button = document.getElementById("theme");
function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  button.textContent = { "": "◐", light: "☀", dark: "☾" }[theme];
  button.title = { "": "colours as the system", light: "light", dark: "dark" }[theme];
  window.dispatchEvent(new Event("theme"));
}
button.addEventListener("click", () => {
  const theme = themes[(themes.indexOf(document.documentElement.dataset.theme || "") + 1) % 3];
  try { localStorage.setItem("theme", theme); } catch { /* private windows keep nothing */ }
  setTheme(theme);
});
let stored = "";
try { stored = localStorage.getItem("theme") || ""; } catch { /* as above */ }
setTheme(themes.includes(stored) ? stored : "");

const live = document.getElementById("live");
function showLive() {
  live.hidden = !shown?.isLive;
  live.className = "live";
  live.textContent = "live";
}

async function poll() {
  try {
    if (!document.hidden) await shown?.update();
    showLive();
  } catch (error) {
    if (!(error instanceof TypeError)) return complain(error); // an answer, but not the one wanted
    live.hidden = false;
    live.className = "live lost";
    live.textContent = "server has ended";
  } finally {
    setTimeout(poll, POLL_MS);
  }
}

window.addEventListener("hashchange", route);
route().then(() => { showLive(); setTimeout(poll, POLL_MS); });
