"use strict";
// Charts, drawn with Observable Plot. Each function takes a width and gives an SVG element.

const PITCHES = [30, 50, 100, 200, 500, 1000, 2000, 4000, 8000];

/** The settings of every chart; `label` says in words what it shows. */
function plotted(label, width, options) {
  const chart = Plot.plot({
    width,
    style: { background: "transparent", color: "currentColor", fontFamily: "var(--sans)", fontSize: "12px" },
    ...options,
  });
  // The chart is one image with one name; names of its parts would be read out, or not, one by one. A tip is drawn anew
  // whenever the pointer moves.
  const unnamed = () => chart.querySelectorAll("[aria-label]").forEach((part) => part.removeAttribute("aria-label"));
  unnamed();
  new MutationObserver(unnamed).observe(chart, { childList: true, subtree: true });
  chart.setAttribute("role", "img");
  chart.setAttribute("aria-label", label);
  return chart;
}

/** Accuracy against milliseconds; `index` chooses the worst cell (2) or the mean (3) of a row of data.cost. */
function costChart(index, width) {
  const points = data.cost.map((row) => {
    const [accuracy, low, high, efficient] = row[index];
    return { name: row[0], ms: row[1], accuracy, low, high, efficient };
  });
  const frontier = points.filter((point) => point.efficient);
  const narrow = width < 560;
  return plotted(`Sign accuracy against milliseconds for ${points.length} distances`, width, {
    height: Math.min(460, Math.max(300, width * 0.5)),
    marginLeft: 44, marginRight: narrow ? 24 : 150, marginBottom: 42,
    x: { type: "log", label: "forward + backward (ms a pair) →", tickFormat: tick, ticks: narrow ? 4 : 8, inset: 12 },
    y: { label: "↑ sign accuracy", ticks: 6, domain: [Math.min(0.4, ...points.map((point) => point.low)), 1], grid: true },
    marks: [
      Plot.ruleY([0.5], { strokeDasharray: "1,3" }),
      Plot.line(frontier, { x: "ms", y: "accuracy", curve: "step-after", strokeOpacity: 0.5 }),
      Plot.ruleX(points, { x: "ms", y1: "low", y2: "high", stroke: (point) => colourOf(point.name), strokeWidth: 1.5 }),
      Plot.dot(points, {
        x: "ms", y: "accuracy", r: 5, stroke: (point) => colourOf(point.name), strokeWidth: 2,
        fill: (point) => (point.efficient ? colourOf(point.name) : "var(--paper)"),
      }),
      Plot.text(points.length > 12 ? frontier : points, {
        x: "ms", y: "accuracy", text: "name", dx: 8, dy: -9, textAnchor: "start", fontFamily: "var(--mono)",
        stroke: "var(--paper)", strokeWidth: 3, fill: "currentColor",
      }),
      Plot.tip(points, Plot.pointer({
        x: "ms", y: "accuracy",
        title: (point) => `${point.name}\n${share(point.accuracy)} (${range(point.low, point.high)})\n${plain(point.ms)} ms`,
      })),
    ],
  });
}

/** Hertz at equal steps in log frequency. */
function logSteps(low, high, count) {
  return Array.from({ length: count }, (_, i) => low * (high / low) ** (i / (count - 1)));
}

const pitchScale = (low, high, width) => ({
  type: "log", domain: [low, high], label: "predicted pitch (Hz) →", tickFormat: "~s",
  ticks: PITCHES.filter((hz) => hz >= low && hz <= high).filter((_, i, all) => width > 420 || i % 2 === all.length % 2),
});

/** Distance along pitch, a line for each target. */
function curveChart(name, curve, width) {
  const hertz = logSteps(curve.low_hz, curve.high_hz, curve.values[0].length);
  const own = colourOf(name);
  const lines = curve.values.flatMap((values, target) => values.map((value, i) => ({ hz: hertz[i], value, target })));
  const count = curve.targets.length;
  return plotted(`Distance ${name} along pitch, for targets at ${curve.targets.map((t) => `${t[0]} Hz`).join(", ")}`, width, {
    height: 210, marginLeft: 48, marginBottom: 40,
    x: pitchScale(curve.low_hz, curve.high_hz, width),
    y: { label: "↑ distance", grid: true, zero: true, tickFormat: tick, ticks: 5 },
    marks: [
      Plot.line(lines, { x: "hz", y: "value", z: "target", stroke: own, strokeOpacity: (p) => 1 - (0.6 * p.target) / count, strokeWidth: 1.6 }),
      Plot.dot(curve.targets, { x: (t) => t[0], y: 0, symbol: "triangle", r: 4, fill: "currentColor" }),
    ],
  });
}

/** Distance over pitch and level from one target: dark is near. */
function mapChart(name, map, width) {
  const levels = Uint8Array.from(atob(map.levels), (c) => c.charCodeAt(0));
  const [low, high] = map.hz.map(Math.log2);
  const half = (high - low) / (map.columns - 1) / 2;
  const step = (map.db[1] - map.db[0]) / (map.rows - 1) / 2;
  const ticks = PITCHES.filter((hz) => hz >= map.hz[0] && hz <= map.hz[1]).filter((_, i) => width > 420 || i % 2 === 0);
  return plotted(`Distance ${name} over pitch and level; the target is at ${map.target[0]} Hz, ${map.target[1]} dB`, width, {
    height: Math.max(200, Math.min(300, width * 0.62)), marginLeft: 44, marginBottom: 40,
    color: { interpolate: d3.interpolateCividis, domain: [0, 255] },
    x: { domain: [low - half, high + half], ticks: ticks.map(Math.log2), tickFormat: (octave) => d3.format("~s")(Math.round(2 ** octave)), label: "predicted pitch (Hz) →" },
    y: { domain: [map.db[0] - step, map.db[1] + step], label: "↑ predicted level (dB)" },
    marks: [
      Plot.raster(Array.from(levels), {
        width: map.columns, height: map.rows,
        x1: low - half, x2: high + half, y1: map.db[0] - step, y2: map.db[1] + step, imageRendering: "pixelated",
      }),
      Plot.dot([map.target], { x: (t) => Math.log2(t[0]), y: (t) => t[1], r: 6, stroke: "#000", strokeWidth: 4 }),
      Plot.dot([map.target], { x: (t) => Math.log2(t[0]), y: (t) => t[1], r: 6, stroke: "#fff", strokeWidth: 2 }),
    ],
  });
}

/** Paths of descent relative to the target; `domain` is shared by the two sides. */
function descentChart(name, descent, domain, width) {
  const points = descent.paths.flatMap((path, trial) =>
    path.cents.map((cents, i) => ({ trial, reached: path.reached, octaves: cents / 1200, db: path.db[i] })));
  const ink = (point) => (point.reached ? colourOf(name) : "var(--faint)");
  const ends = descent.paths.map((path, trial) => ({
    trial, reached: path.reached, octaves: path.cents.at(-1) / 1200, db: path.db.at(-1),
    octaves0: path.cents[0] / 1200, db0: path.db[0],
  }));
  return plotted(`Paths of descent on ${name}: ${ends.filter((end) => end.reached).length} of ${ends.length} shown reach the target`, width, {
    height: Math.max(200, Math.min(300, width * 0.62)), marginLeft: 44, marginBottom: 40,
    x: { domain: domain.octaves, label: "prediction − target (octaves) →", ticks: 6 },
    y: { domain: domain.db, label: "↑ prediction − target (dB)", ticks: 6 },
    marks: [
      Plot.ruleX([0], { strokeOpacity: 0.3 }), Plot.ruleY([0], { strokeOpacity: 0.3 }),
      Plot.line(points.filter((p) => !p.reached), { x: "octaves", y: "db", z: "trial", stroke: ink, strokeDasharray: "3,2" }),
      Plot.line(points.filter((p) => p.reached), { x: "octaves", y: "db", z: "trial", stroke: ink, strokeWidth: 1.8 }),
      Plot.dot(ends, { x: "octaves0", y: "db0", r: 3, stroke: ink, fill: "var(--paper)" }),
      Plot.dot(ends, { x: "octaves", y: "db", r: 3, fill: ink }),
      Plot.dot([[0, 0]], { symbol: "plus", r: 7, stroke: "currentColor", strokeWidth: 2 }),
    ],
  });
}

/** Where all values can be seen; intervals, which few seeds make as wide as anything, are cut to it. */
function viewOf(values) {
  const [low, high] = d3.extent(values);
  if (low > 0 && high > 100 * low) return { type: "log", domain: [low / 1.3, high * 1.3] };
  const room = 0.06 * (high - low || 1);
  return { type: "linear", domain: [low - room, high + room] };
}

function cutTo(domain, value) {
  return value === null ? null : Math.min(domain[1], Math.max(domain[0], value));
}

/** One metric of a study: an arm a row, its seeds, their mean and its interval. */
function armsChart(study, metric, width) {
  const arms = study.arms.filter((arm) => metric.name in arm.means);
  const view = viewOf(arms.flatMap((arm) => arm.values[metric.name]));
  const rows = arms.map((arm) => {
    const [mean, low, high] = arm.means[metric.name];
    return { label: arm.label, distance: arm.distance, mean, low: cutTo(view.domain, low), high: cutTo(view.domain, high) };
  });
  const seeds = arms.flatMap((arm) => arm.values[metric.name].map((value) => ({ label: arm.label, distance: arm.distance, value })));
  const ink = (row) => colourOf(row.distance);
  const longest = Math.max(...rows.map((row) => row.label.length));
  const words = `${metric.label}${metric.unit ? ` (${metric.unit})` : ""}`;
  return plotted(`${words} of ${rows.length} arms`, width, {
    height: 60 + 26 * rows.length, marginLeft: Math.min(width * 0.5, 20 + 7.4 * longest), marginBottom: 42,
    x: { ...view, label: metric.more ? `${words}, more is better →` : `← less is better: ${words}`, grid: true, labelAnchor: metric.more ? "right" : "left" },
    y: { domain: rows.map((row) => row.label), label: null },
    marks: [
      Plot.ruleY(rows.filter((row) => row.low !== null), { y: "label", x1: "low", x2: "high", stroke: ink, strokeWidth: 3, strokeOpacity: 0.6 }),
      Plot.dot(seeds, { x: "value", y: "label", r: 3, stroke: ink }),
      Plot.tickX(rows, { x: "mean", y: "label", stroke: ink, strokeWidth: 2.5, insetTop: 4, insetBottom: 4 }),
    ],
  });
}

/** Those points whose names, right of them, cover neither a point nor an earlier name; `x` and `y` give pixels. */
function namedPoints(points, x, y) {
  const boxes = points.map((point) => [x(point) - 5, x(point) + 5, y(point) - 5, y(point) + 5]);
  return points.filter((point, i) => {
    const own = [x(point) + 7, x(point) + 11 + 6.8 * point.name.length, y(point) - 7, y(point) + 7];
    const meets = (box) => own[0] < box[1] && box[0] < own[1] && own[2] < box[3] && box[2] < own[3];
    if (boxes.some((box, other) => other !== i && meets(box))) return false;
    boxes.push(own);
    return true;
  });
}

/** A figure of a ranking against what was learnt, a point a distance. */
function foretoldChart(pair, width) {
  const view = viewOf(pair.points.map((point) => point[2]));
  const points = pair.points.map(([name, accuracy, learnt, low, high]) => (
    { name, accuracy, learnt, low: cutTo(view.domain, low), high: cutTo(view.domain, high) }));
  const ink = (point) => colourOf(point.name);
  const longest = 6.8 * d3.max(points, (point) => point.name.length) + 16;
  const [height, margins] = [320, { left: 48, right: Math.min(width * 0.4, longest), top: 20, bottom: 42 }];
  const pixels = (value, all, from, to) => from + ((value - d3.min(all)) / (d3.max(all) - d3.min(all) || 1)) * (to - from);
  const across = points.map((point) => point.accuracy);
  const up = view.domain;
  const named = namedPoints([...points].sort((a, b) => b.learnt - a.learnt),
    (point) => pixels(point.accuracy, across, margins.left + 12, width - margins.right - 12),
    (point) => pixels(point.learnt, up, height - margins.bottom - 8, margins.top + 8));
  return plotted(`Raw pitch accuracy against sign accuracy, ${pair.label}: ${pair.text}`, width, {
    height, marginLeft: margins.left, marginRight: margins.right, marginTop: margins.top, marginBottom: margins.bottom,
    x: { label: `sign accuracy: ${pair.label} →`, inset: 12 },
    y: { ...view, label: "↑ raw pitch accuracy", grid: true, inset: 8 },
    marks: [
      Plot.ruleX(points.filter((p) => p.low !== null), { x: "accuracy", y1: "low", y2: "high", stroke: ink }),
      Plot.dot(points, { x: "accuracy", y: "learnt", r: 5, fill: ink }),
      Plot.text(named, { x: "accuracy", y: "learnt", text: "name", dx: 9, textAnchor: "start", fontFamily: "var(--mono)", fontSize: 11, stroke: "var(--paper)", fill: "currentColor" }),
      Plot.tip(points, Plot.pointer({
        x: "accuracy", y: "learnt", title: (point) => `${point.name}\n${share(point.accuracy)} and ${share(point.learnt)}`,
      })),
    ],
  });
}
