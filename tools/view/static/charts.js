// Two pictures of a run, drawn by uPlot: the score as verdicts came in, and the lengths of responses by outcome.
import { h, colours, whole } from "./dom.js";

const HEIGHT = 220;

export class Charts {
  constructor() {
    this.boxes = { running: h("div.chart"), lengths: h("div.chart") };
    this.element = h("section.charts", { hidden: true },
      h("figure", null, h("figcaption", null, h("h2", null, "Score as verdicts came in"), h("p.soft", null, "share correct of the samples graded so far; early samples are often the short ones")), this.boxes.running),
      h("figure", null, h("figcaption", null, h("h2", null, "Length of responses"), h("p.soft.key-line", null, h("i.v-correct"), "correct ", h("i.v-wrong"), "not correct ", h("i.v-truncated"), "cut off; thousands of tokens")), this.boxes.lengths));
    this.plots = [];
    new ResizeObserver(() => this.plots.forEach((plot) => plot.setSize({ width: this.width(), height: HEIGHT }))).observe(this.element);
  }

  width() {
    return Math.max(240, this.boxes.running.clientWidth);
  }

  show(charts) {
    this.charts = charts;
    this.element.hidden = !charts?.running.length;
    if (!this.element.hidden) this.redraw();
  }

  redraw() {
    if (this.element.hidden || !this.charts) return;
    this.plots.forEach((plot) => plot.destroy());
    const colour = colours();
    this.plots = [this.running(colour)];
    this.boxes.lengths.parentElement.hidden = !this.charts.lengths;
    if (this.charts.lengths) this.plots.push(this.lengths(colour));
  }

  running(colour) {
    const points = this.charts.running;
    const series = [{}, { stroke: colour.accent, width: 2, fill: colour.accent + "18", points: { show: false } }];
    return this.plot([points.map((point) => point[0]), points.map((point) => 100 * point[1])], series, this.boxes.running, colour, (value) => `${value.toFixed(0)} %`, whole);
  }

  lengths(colour) {
    const { width, correct, other, truncated } = this.charts.lengths;
    const x = correct.map((_, bin) => ((bin + 0.5) * width) / 1000);
    const bars = (fill) => ({ stroke: fill, fill, width: 0, points: { show: false }, paths: uPlot.paths.bars({ size: [0.9], align: 0 }) });
    // Stacked: the tallest sum is drawn first, the others in front of it.
    const sums = [correct.map((c, i) => c + other[i] + truncated[i]), correct.map((c, i) => c + other[i]), correct];
    return this.plot([x, ...sums], [{}, bars(colour.truncated), bars(colour.wrong), bars(colour.correct)], this.boxes.lengths, colour, whole, (value) => `${value}k`);
  }

  plot(data, series, box, colour, formatY, formatX) {
    const axis = (format, size) => ({ stroke: colour.soft, font: "12px system-ui, sans-serif", grid: { stroke: colour.line, width: 1 }, ticks: { show: false }, size, values: (_, values) => values.map((value) => (value === null ? "" : format(value))) });
    const options = { width: this.width(), height: HEIGHT, legend: { show: false }, cursor: { show: false }, scales: { x: { time: false } }, axes: [axis(formatX, 30), axis(formatY, 52)], series };
    return new uPlot(options, data, box);
  }
}
