// Building the page. Every text from a run goes in as a text node: nothing in it can become markup.

// h("a.name", {href: "#/", onclick: f}, "text", element, [more])
export function h(selector, properties, ...children) {
  const [tag, ...classes] = selector.split(".");
  const element = document.createElement(tag || "div");
  if (classes.length) element.className = classes.join(" ");
  for (const [name, value] of Object.entries(properties || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name in element && name !== "list") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  append(element, children);
  return element;
}

export function append(element, children) {
  for (const child of [children].flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
  return element;
}

export function replace(element, ...children) {
  element.replaceChildren();
  return append(element, children);
}

export function progress(done, total) {
  const bar = h("div.progress", { role: "progressbar", "aria-valuemin": 0, "aria-valuemax": total, "aria-valuenow": done });
  const fill = h("i");
  fill.style.width = `${total ? Math.min(100, (100 * done) / total) : 0}%`;
  return append(bar, [fill]);
}

const SVG = "http://www.w3.org/2000/svg";
export function svg(tag, attributes, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes || {})) element.setAttribute(name, value);
  return append(element, children);
}

export async function ask(address, parameters = {}) {
  const query = new URLSearchParams(Object.entries(parameters).filter(([, value]) => value !== "" && value !== undefined));
  const answer = await fetch(`${address}?${query}`, { headers: { Accept: "application/json" } });
  const value = await answer.json();
  if (!answer.ok) throw new Error(value.error || `the server answered ${answer.status}`);
  return value;
}

export const percent = (share, digits = 1) => (share === null || share === undefined ? "–" : `${(100 * share).toFixed(digits)} %`);
export const whole = (value) => (value === null || value === undefined ? "–" : Math.round(value).toLocaleString("en").replaceAll(",", "\u202f"));
export const address = (...parts) => "#/" + parts.map(encodeURIComponent).join("/");

export function duration(seconds) {
  if (seconds === null || seconds === undefined || !isFinite(seconds)) return "–";
  const minutes = Math.round(seconds / 60);
  if (seconds < 90) return `${Math.round(seconds)} s`;
  return minutes < 90 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export const VERDICTS = [
  "correct", "wrong", "no_answer", "truncated", "timeout", "memory", "runtime_error", "compile_error", "grader_error",
  "infra_error", "ungraded",
];
export const words = (verdict) => verdict.replaceAll("_", " ");
export const badge = (verdict) => h("span.badge.v-" + verdict, null, words(verdict));

export function colours() {
  const style = getComputedStyle(document.documentElement);
  const read = (name) => style.getPropertyValue(name).trim();
  const found = Object.fromEntries(VERDICTS.map((verdict) => [verdict, read(`--v-${verdict}`)]));
  return { ...found, missing: read("--v-missing"), ink: read("--ink"), soft: read("--soft"), line: read("--line"), accent: read("--accent"), paper: read("--paper"), faint: read("--faint") };
}
