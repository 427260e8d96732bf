"use strict";
// Two distances side by side: numbers, map, curve, paths of descent, and every cell on the same trials.

const PAIR_BOARD = data.boards[0];

/** Bits as written by the publisher: distance and task to an array of booleans for each column, or null. */
function outcomes(distance, task, columns, trials) {
  const packed = data.bits[distance]?.[task];
  if (!packed) return null;
  const bytes = Uint8Array.from(atob(packed), (c) => c.charCodeAt(0));
  const stride = Math.ceil(trials / 8);
  return columns.map((_, column) => Array.from({ length: trials }, (_, i) =>
    ((bytes[column * stride + (i >> 3)] >> (7 - (i & 7))) & 1) === 1));
}

/** A distance's row of the main board. */
const rowOf = (name) => PAIR_BOARD?.rows.find((row) => row.distance === name);

function pairNames() {
  const names = new Set(PAIR_BOARD ? PAIR_BOARD.rows.map((row) => row.distance) : []);
  for (const part of [data.curves, data.maps, data.descents]) {
    for (const ofTask of Object.values(part)) Object.keys(ofTask).forEach((name) => names.add(name));
  }
  return [...names];
}

function shareText([value, low, high]) {
  return `${share(value)} (${range(low, high)})`;
}

function drawSide(side, name) {
  const row = rowOf(name);
  const facts = [];
  if (row?.worst) {
    facts.push(["worst cell", [shareText(cellOf(PAIR_BOARD, row, row.worst)), ` ${row.worst[0]}, ${columnLabel(row.worst[1])}`]]);
    facts.push(["mean", [row.mean_interval ? shareText([row.mean, ...row.mean_interval]) : share(row.mean), ` over ${row.cells.filter(Boolean).length} cells`]]);
    facts.push(["cost", [row.cost ? `${plain(milliseconds(row))} ms a pair` : "not measured"]]);
  }
  const minima = Object.entries(data.minima[name] ?? {});
  if (minima.length) {
    const found = minima.map(([task, one]) => [task, one.matched]).reduce((a, b) => (b[1][0] < a[1][0] ? b : a));
    facts.push(["minimum at the target", [`${shareText(found[1])} on ${found[0]}, its worst of ${minima.length} tasks`]]);
  }
  const task = byId("pair-descent").value;
  const descent = data.descents[task]?.[name];
  if (descent) facts.push(["descent arrives", [shareText(descent.reached), ` on ${task}, n = ${descent.reached[3]}`]]);
  const list = make("dl", {}, ...facts.flatMap(([term, parts]) => [make("dt", {}, term), make("dd", {}, ...parts)]));
  side.style.setProperty("--own", colourOf(name));
  side.replaceChildren(make("h3", {}, name), list);

  const landscape = byId("pair-landscape").value;
  const domain = descentDomain(task);
  const map = data.maps[landscape]?.[name];
  const curve = data.curves[landscape]?.[name];
  addChart(side, "Map: distance over pitch and level", map, "map", (width) => mapChart(name, map, width),
    () => `Dark is near; the ring is the target (${map.target[0]} Hz, ${map.target[1]} dB). Largest distance ${plain(map.largest)}.`);
  addChart(side, "Curve: distance along pitch", curve, "curve", (width) => curveChart(name, curve, width),
    () => "One line a target (triangles).");
  addChart(side, "Descent", descent, "descent", (width) => descentChart(name, descent, domain, width),
    () => `The first ${descent.paths.length} trials, ${descent.steps} steps of Adam; solid: it reaches the target.`);
}

function addChart(side, title, found, kind, draw, caption) {
  const box = make("div", { class: "chart", "data-chart": kind });
  const figure = make("figure", {}, make("h4", {}, title), box);
  side.append(figure);
  if (!found) {
    box.append(make("p", { class: "note" }, `No ${kind} of it is published.`));
    return;
  }
  box.append(draw(side.clientWidth));
  figure.append(make("figcaption", {}, caption(), " ", recordLink(found.record, "record")));
}

/** The range of all paths of a task, so that the two sides can be compared. */
function descentDomain(task) {
  const paths = Object.values(data.descents[task] ?? {}).flatMap((one) => one.paths);
  const cents = paths.flatMap((path) => path.cents).concat(0);
  const db = paths.flatMap((path) => path.db).concat(0);
  return { octaves: d3.extent(cents).map((value) => value / 1200), db: d3.extent(db) };
}

/** Both distances, cell by cell, with how many trials only one of them got right. */
function drawPairCells(first, second) {
  const [a, b] = [rowOf(first), rowOf(second)];
  const table = byId("pair-cells");
  table.replaceChildren();
  if (!a || !b) {
    byId("pair-note").textContent = "They do not stand on one leaderboard.";
    return;
  }
  byId("pair-note").textContent = `${PAIR_BOARD.title}. The last two columns count the trials that only one of the two `
    + "got right, of the trials that both were asked: a difference is as sure as these counts are uneven.";
  const body = [];
  for (const task of PAIR_BOARD.tasks) {
    const own = PAIR_BOARD.cells.map((cell, i) => ({ column: cell[1], i, task: cell[0] })).filter((cell) => cell.task === task);
    const both = own.filter(({ i }) => a.cells[i] && b.cells[i]);
    const columns = own.filter(({ i }) => a.cells[i]).map(({ column }) => column);
    const columnsB = own.filter(({ i }) => b.cells[i]).map(({ column }) => column);
    const bitsA = both.length ? outcomes(first, task, columns, a.cells[both[0].i][3]) : null;
    const bitsB = both.length ? outcomes(second, task, columnsB, b.cells[both[0].i][3]) : null;
    both.forEach(({ column, i }, place) => {
      const [x, y] = [bitsA?.[columns.indexOf(column)], bitsB?.[columnsB.indexOf(column)]];
      const only = (p, q) => (p && q ? String(p.filter((right, trial) => right && q[trial] === false).length) : "–");
      body.push(make("tr", { "data-cell": `${task}/${column}` },
        place === 0 ? make("th", { scope: "rowgroup", class: "text", rowspan: both.length }, task) : null,
        make("td", { class: "text" }, columnLabel(column)),
        heat(a.cells[i]), heat(b.cells[i]),
        make("td", {}, signed(a.cells[i][0] - b.cells[i][0])),
        make("td", {}, only(x, y)), make("td", {}, only(y, x)),
        make("td", { class: "text" }, recordLink(a.cells[i][5], "one"), " ", recordLink(b.cells[i][5], "other"))));
    });
  }
  const head = ["task", "column", first, second, "difference", `only ${first}`, `only ${second}`, "records"];
  table.append(
    make("thead", {}, make("tr", {}, ...head.map((label, i) => make("th", { scope: "col", class: i < 2 || i > 6 ? "text" : "" }, label)))),
    make("tbody", {}, ...body));
  if (!body.length) byId("pair-note").textContent = "They have no cell in common.";
}

function drawPair() {
  const [first, second] = [byId("pair-first").value, byId("pair-second").value];
  drawSide(byId("pair-left"), first);
  drawSide(byId("pair-right"), second);
  drawPairCells(first, second);
}

function startPair() {
  const names = pairNames();
  byId("pair").hidden = names.length < 2;
  if (names.length < 2) return;
  // The best distance beside the last on the leaderboard that has a map, or else the next.
  const mapped = new Set(Object.values(data.maps).flatMap((ofTask) => Object.keys(ofTask)));
  const second = names.slice(1).filter((name) => mapped.has(name) && rowOf(name)?.complete).at(-1) ?? names[1];
  for (const [id, chosen] of [["pair-first", names[0]], ["pair-second", second]]) {
    fillSelect(byId(id), names.map((name) => [name, name]));
    byId(id).value = chosen;
  }
  const landscapes = [...new Set([...Object.keys(data.maps), ...Object.keys(data.curves)])];
  for (const [id, tasks] of [["pair-landscape", landscapes], ["pair-descent", Object.keys(data.descents)]]) {
    fillSelect(byId(id), tasks.map((task) => [task, task]));
    byId(id).parentElement.hidden = tasks.length < 2;
  }
  for (const select of byId("pair-controls").querySelectorAll("select")) select.addEventListener("change", drawPair);
  byId("pair-swap").addEventListener("click", () => {
    const [one, other] = [byId("pair-first"), byId("pair-second")];
    [one.value, other.value] = [other.value, one.value];
    drawPair();
  });
  keepDrawn(byId("pair"), drawPair);
}

startPair();
