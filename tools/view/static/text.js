// A response as a reader wants it: paragraphs, code with its colours, mathematics set. The text comes from a model, so it
// is only ever put in as text nodes; KaTeX (trust off) and the highlighter's token tree build elements of their own.
import hljs from "../vendor/highlight/core.min.js";
import python from "../vendor/highlight/languages/python.min.js";
import cpp from "../vendor/highlight/languages/cpp.min.js";
import bash from "../vendor/highlight/languages/bash.min.js";
import json from "../vendor/highlight/languages/json.min.js";
import { h } from "./dom.js";

for (const [name, language] of Object.entries({ python, cpp, bash, json })) hljs.registerLanguage(name, language);

const FENCE = /^[ \t]*(`{3,}(?!`)|~{3,}(?!~))([\w+-]*)[^\n]*\n([\s\S]*?)(?:^[ \t]*\1[ \t]*$|(?![\s\S]))/gm;
// Lengths are bounded, so that a text of openings without ends costs no quadratic time.
// \[..\]  $$..$$  \(..\)  \begin{..}..\end{..}  $..$ by Pandoc's rule  `code`  **bold**
const INLINE = new RegExp(
  [
    String.raw`\\\[([\s\S]{1,4000}?)\\\]`,
    String.raw`\$\$([\s\S]{1,4000}?)\$\$`,
    String.raw`\\\(([\s\S]{1,4000}?)\\\)`,
    String.raw`(\\begin\{(align|aligned|equation|gather|cases|[bpvV]?matrix|array)(\*?)\}[\s\S]{1,4000}?\\end\{\5\6\})`,
    String.raw`\$(?!\s)((?:\\[\s\S]|[^$\\\n]){1,2000}?)(?<!\s)\$(?!\d)`,
    "`([^`\\n]+)`",
    String.raw`\*\*(?!\s)([^*\n]{1,300}?)(?<!\s)\*\*`,
  ].join("|"),
  "g",
);
const DISPLAY_OPENING = /\\\[|\$\$|\\begin\{/;
const MAX_FORMULA = 4000;
// Colours are worth a fraction of a second: the highlighter's time grows faster than the text, and a tree of thousands of
// nested tokens (an f-string in an f-string in ...) is more than a browser lays out. Beyond these the code stands there plain.
const MAX_HIGHLIGHTED = 30_000;
const MAX_TOKENS = 20_000;
const MAX_TOKEN_DEPTH = 40;
const MAX_BLOCKS = 1000;

// Paragraphs are put in as text at once and set when they come near the window: a long response is there immediately.
const observer = new IntersectionObserver(
  (entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      observer.unobserve(entry.target);
      setParagraph(entry.target);
    }
  },
  { rootMargin: "800px" },
);

export function renderText(container, text) {
  let position = 0;
  let blocks = 0;
  for (const fence of text.matchAll(FENCE)) {
    if ((blocks += 1) > MAX_BLOCKS) break;
    addParagraphs(container, text.slice(position, fence.index));
    container.append(codeBlock(fence[3].replace(/\n$/, ""), fence[2]));
    position = fence.index + fence[0].length;
  }
  if (blocks > MAX_BLOCKS) container.append(h("pre.code", { tabIndex: 0 }, text.slice(position)));
  else addParagraphs(container, text.slice(position));
  return container;
}

export function codeBlock(code, language = "python") {
  const element = h("code", null, code);
  try {
    if (hljs.getLanguage(language || "python") && code.length < MAX_HIGHLIGHTED) {
      const tree = hljs.highlight(code, { language: language || "python", ignoreIllegals: true })._emitter.rootNode;
      if (isSmall(tree)) element.replaceChildren(...tree.children.map(tokenElement));
    }
  } catch {
    element.textContent = code; // the highlighter gave up, or ran out of stack: plain text is what is left
  }
  return h("pre.code", { tabIndex: 0 }, element);
}

// Whether a tree of tokens may become elements; walked level by level, so that its depth costs no stack.
function isSmall(tree) {
  let level = tree.children;
  for (let depth = 0, count = 0; level.length; depth += 1) {
    count += level.length;
    if (depth >= MAX_TOKEN_DEPTH || count > MAX_TOKENS) return false;
    level = level.flatMap((node) => node.children ?? []);
  }
  return true;
}

function tokenElement(node) {
  if (typeof node === "string") return document.createTextNode(node);
  const kind = String(node.scope || "").split(".")[0].replace(/[^\w-]/g, "");
  return h("span.hl-" + kind, null, node.children.map(tokenElement));
}

function addParagraphs(container, text) {
  for (const paragraph of splitParagraphs(text)) {
    const heading = /^#{1,6}\s+/.exec(paragraph);
    const element = h(heading ? "p.heading" : "p", null, heading ? paragraph.slice(heading[0].length) : paragraph);
    container.append(element);
    if (/[\\$`*]/.test(paragraph)) observer.observe(element);
  }
}

// Blank lines part paragraphs, but a displayed formula that holds one stays whole.
function splitParagraphs(text) {
  const parts = [];
  let open = "";
  for (const part of text.split(/\n[ \t]*\n+/)) {
    open = open ? `${open}\n\n${part}` : part;
    if (isBalanced(open) || open.length > MAX_FORMULA) {
      if (open.trim()) parts.push(open.replace(/^\n+|\s+$/g, ""));
      open = "";
    }
  }
  if (open.trim()) parts.push(open.trimEnd());
  return parts;
}

function isBalanced(text) {
  if (!DISPLAY_OPENING.test(text)) return true;
  const count = (mark) => text.split(mark).length - 1;
  return count("\\[") <= count("\\]") && count("$$") % 2 === 0 && count("\\begin{") <= count("\\end{");
}

function setParagraph(element) {
  const text = element.textContent;
  const parts = [];
  let position = 0;
  const put = (start, end, part) => {
    if (start > position) parts.push(text.slice(position, start));
    parts.push(part);
    position = end;
  };
  for (const match of withBoxes(text)) put(match.start, match.end, match.make());
  if (!parts.length) return;
  parts.push(text.slice(position));
  // A displayed formula is a block of its own: the line breaks around it would double.
  parts.forEach((part, place) => {
    if (part.className !== "display") return;
    if (typeof parts[place - 1] === "string") parts[place - 1] = parts[place - 1].replace(/[ \t]*\n$/, "");
    if (typeof parts[place + 1] === "string") parts[place + 1] = parts[place + 1].replace(/^[ \t]*\n/, "");
  });
  element.replaceChildren(...parts.map((part) => (typeof part === "string" ? document.createTextNode(part) : part)));
}

// The places to set, in order. A \boxed{..} outside of any formula is set too: it is what the grader reads.
function withBoxes(text) {
  const found = [];
  let position = 0;
  const boxes = (start, end) => {
    for (let at = text.indexOf("\\boxed{", start); at >= 0 && at < end; at = text.indexOf("\\boxed{", at + 1)) {
      const close = closingBrace(text, at + 6);
      if (close < 0 || close >= end) return;
      const source = text.slice(at, close + 1);
      found.push({ start: at, end: close + 1, make: () => formula(source, source, false) });
      at = close;
    }
  };
  for (const match of text.matchAll(INLINE)) {
    const end = match.index + match[0].length;
    boxes(position, match.index);
    position = end;
    const display = match[1] ?? match[2] ?? match[4];
    const inline = match[3] ?? match[7];
    const make = () =>
      display !== undefined ? formula(display, match[0], true)
      : inline !== undefined ? formula(inline, match[0], false)
      : match[8] !== undefined ? h("code", null, match[8])
      : h("strong", null, match[9]);
    found.push({ start: match.index, end, make });
  }
  boxes(position, text.length);
  return found;
}

function closingBrace(text, opening) {
  let depth = 0;
  for (let at = opening; at < Math.min(text.length, opening + MAX_FORMULA); at += 1) {
    if (text[at] === "\\") at += 1;
    else if (text[at] === "{") depth += 1;
    else if (text[at] === "}" && (depth -= 1) === 0) return at;
  }
  return -1;
}

function formula(source, original, isDisplay) {
  const element = h(isDisplay ? "span.display" : "span.inline");
  if (source.length > MAX_FORMULA) return h("span.formula-source", null, original);
  try {
    katex.render(source, element, {
      displayMode: isDisplay, throwOnError: true, trust: false, strict: "ignore", maxSize: 30, maxExpand: 300,
    });
  } catch {
    return h("span.formula-source", { title: "not set: KaTeX does not read this formula" }, original);
  }
  return element;
}
