// Problems x seeds, one cell a sample. Many problems with few seeds are laid out in several columns of strips.
import { colours, h, words } from "./dom.js";

const CELL_MAX = 14, CELL_MIN = 3, HEIGHT_WANTED = 560, LABEL = 74, SHARE = 44;

export class SampleMap {
  // onPick(task_id, seed)
  constructor(onPick) {
    this.onPick = onPick;
    this.canvas = h("canvas", { tabIndex: 0, role: "img" });
    this.tip = h("div.tip", { hidden: true });
    this.element = h("div.map", null, this.canvas, this.tip);
    this.cursor = null;
    this.canvas.addEventListener("mousemove", (event) => this.hover(event));
    this.canvas.addEventListener("mouseleave", () => this.point(null));
    this.canvas.addEventListener("click", (event) => this.pick(this.cellAt(event)));
    this.canvas.addEventListener("keydown", (event) => this.key(event));
    this.canvas.addEventListener("blur", () => this.point(null));
    this.resizer = new ResizeObserver(() => this.draw());
    this.resizer.observe(this.element);
  }

  show(data, { order = "file", verdicts = new Set(), selected = null } = {}) {
    Object.assign(this, { data, verdicts, selected, letters: data.letters });
    const k = data.seeds.length;
    const share = data.task_ids.map((_, row) => {
      const cells = [...data.map.slice(row * k, row * k + k)].filter((letter) => letter !== "." && letter !== "u");
      return cells.length ? cells.filter((letter) => letter === "c").length / cells.length : null;
    });
    this.share = share;
    this.rows = data.task_ids.map((_, row) => row);
    if (order === "hard") this.rows.sort((a, b) => (share[a] ?? 2) - (share[b] ?? 2) || a - b);
    this.draw();
  }

  layout() {
    const width = this.element.clientWidth || 600, n = this.rows.length, k = this.data.seeds.length;
    for (let cell = CELL_MAX; ; cell -= 1) {
      const isLabelled = cell >= 9 && n * cell <= HEIGHT_WANTED * 1.7 && LABEL + k * cell + SHARE <= width;
      if (isLabelled) return { cell, gap: cell > 6 ? 1 : 0, left: LABEL, columns: 1, strip: k * cell, perColumn: n, isLabelled };
      const strip = k * cell + Math.max(4, cell);
      const columns = Math.max(1, Math.min(n, Math.floor((width + cell) / strip)));
      const perColumn = Math.ceil(n / columns);
      if (cell <= CELL_MIN || (perColumn * cell <= HEIGHT_WANTED && k * cell <= width))
        return { cell, gap: cell > 5 ? 1 : cell > 3 ? 0.5 : 0, left: 0, columns, strip, perColumn, isLabelled: false };
    }
  }

  draw() {
    if (!this.data || !this.element.isConnected) return;
    const at = (this.at = this.layout());
    const ratio = window.devicePixelRatio || 1, colour = colours(), k = this.data.seeds.length;
    const width = this.element.clientWidth || 600, height = at.perColumn * at.cell + 2;
    this.canvas.width = width * ratio;
    this.canvas.height = height * ratio;
    this.canvas.style.width = `${width}px`;
    this.canvas.style.height = `${height}px`;
    const pen = this.canvas.getContext("2d");
    pen.scale(ratio, ratio);
    pen.font = `${Math.min(12, at.cell)}px system-ui, sans-serif`;
    pen.textBaseline = "middle";
    const size = at.cell - at.gap, radius = at.cell >= 9 ? 2 : 0;
    this.rows.forEach((row, place) => {
      const { x, y } = this.origin(place);
      for (let column = 0; column < k; column += 1) {
        const verdict = this.letters[this.data.map[row * k + column]];
        pen.globalAlpha = this.verdicts.size && !this.verdicts.has(verdict) ? 0.12 : 1;
        pen.fillStyle = colour[verdict];
        pen.beginPath();
        pen.roundRect(x + column * at.cell, y, size, size, radius);
        pen.fill();
      }
      pen.globalAlpha = 1;
      if (at.isLabelled) this.label(pen, colour, row, y + size / 2, x + k * at.cell);
    });
    this.outline(pen, this.selected && this.find(...this.selected), colour.ink, 2);
    this.outline(pen, this.cursor, colour.ink, 1.5);
    this.canvas.setAttribute("aria-label", `Verdicts of ${this.rows.length} problems with ${k} samples each; arrow keys move, Enter opens`);
  }

  label(pen, colour, row, middle, right) {
    pen.fillStyle = colour.soft;
    pen.textAlign = "right";
    pen.fillText(clip(this.data.task_ids[row], 10), LABEL - 8, middle);
    const share = this.share[row];
    pen.fillStyle = colour.ink;
    if (share !== null) pen.fillText(`${Math.round(100 * share)}`, right + SHARE - 14, middle);
  }

  origin(place) {
    const { at } = this;
    return { x: at.left + Math.floor(place / at.perColumn) * at.strip, y: 1 + (place % at.perColumn) * at.cell };
  }

  outline(pen, spot, colour, weight) {
    if (!spot) return;
    const { x, y } = this.origin(spot.place);
    pen.strokeStyle = colour;
    pen.lineWidth = weight;
    pen.strokeRect(x + spot.column * this.at.cell - 0.5, y - 0.5, this.at.cell - this.at.gap + 1, this.at.cell - this.at.gap + 1);
  }

  find(taskId, seed) {
    const place = this.rows.indexOf(this.data.task_ids.indexOf(taskId)), column = this.data.seeds.indexOf(seed);
    return place < 0 || column < 0 ? null : { place, column };
  }

  cellAt(event) {
    if (!this.at) return null;
    const box = this.canvas.getBoundingClientRect(), { at } = this;
    const x = event.clientX - box.left - at.left, y = event.clientY - box.top - 1;
    const strip = Math.floor(x / at.strip), column = Math.floor((x - strip * at.strip) / at.cell);
    const line = Math.floor(y / at.cell), place = strip * at.perColumn + line;
    const isInside = x >= 0 && strip < at.columns && column < this.data.seeds.length && line >= 0 && line < at.perColumn;
    return isInside && place < this.rows.length ? { place, column } : null;
  }

  describe(spot) {
    const row = this.rows[spot.place], k = this.data.seeds.length;
    const verdict = this.letters[this.data.map[row * k + spot.column]];
    return { taskId: this.data.task_ids[row], seed: this.data.seeds[spot.column], verdict };
  }

  hover(event) {
    this.point(this.cellAt(event));
  }

  point(spot) {
    const isSame = spot && this.cursor && spot.place === this.cursor.place && spot.column === this.cursor.column;
    if (isSame || (!spot && !this.cursor)) return;
    this.cursor = spot;
    this.draw();
    this.tip.hidden = !spot;
    if (!spot) return;
    const { taskId, seed, verdict } = this.describe(spot), { x, y } = this.origin(spot.place);
    this.tip.textContent = `problem ${taskId} · seed ${seed} · ${words(verdict)}`;
    const left = Math.min(x + spot.column * this.at.cell, this.element.clientWidth - this.tip.offsetWidth - 4);
    this.tip.style.transform = `translate(${Math.max(0, left)}px, ${y + this.at.cell + 8}px)`;
  }

  pick(spot) {
    if (!spot) return;
    const { taskId, seed, verdict } = this.describe(spot);
    if (verdict !== "missing") this.onPick(taskId, seed);
  }

  key(event) {
    const steps = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    if (event.key === "Enter" || event.key === " ") this.pick(this.cursor);
    else if (steps) {
      const from = this.cursor || { place: 0, column: -steps[1] };
      this.point({
        place: Math.min(this.rows.length - 1, Math.max(0, from.place + steps[0])),
        column: Math.min(this.data.seeds.length - 1, Math.max(0, from.column + steps[1])),
      });
    } else return;
    event.preventDefault();
  }
}

const clip = (text, length) => (text.length > length ? text.slice(0, length - 1) + "…" : text);
