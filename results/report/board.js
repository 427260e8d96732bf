"use strict";
// The leaderboard: choose trials and columns, filter, sort, open a distance; then cost, and ours beside published.

const boardState = { sort: "minimum", descending: true, open: new Set() };
const ALL_TASKS = "";

const currentBoard = () => data.boards[Number(byId("board-choice").value || 0)];

/** The worst cell of a row in one task, or null. */
function worstOf(board, row, task) {
  const own = row.cells.filter((cell, i) => cell && board.cells[i][0] === task);
  return own.length ? own.reduce((a, b) => (b[0] < a[0] ? b : a)) : null;
}

const milliseconds = (row) => (row.cost ? row.cost[0] + (row.cost[1] ?? 0) : null);

/** The columns of the table: `value` sorts, `cell` draws. */
function boardColumns(board, task) {
  const columns = [
    { key: "distance", label: "distance", text: true, value: (row) => row.distance },
    { key: "minimum", label: "worst cell", value: (row) => (row.worst ? row.minimum : null), cell: (row) => heat(row.worst && cellOf(board, row, row.worst)) },
    { key: "mean", label: "mean", value: (row) => (row.worst ? row.mean : null), cell: (row) => heat(row.worst && [row.mean, ...(row.mean_interval ?? [row.mean, row.mean])]) },
  ];
  if (task === ALL_TASKS) {
    for (const name of board.tasks) {
      columns.push({
        key: `task:${name}`, label: name.replaceAll("_", " "), task: true,
        value: (row) => worstOf(board, row, name)?.[0] ?? null,
        cell: (row) => heat(worstOf(board, row, name), row.reasons[name]),
      });
    }
  } else {
    board.cells.forEach(([own, column], i) => {
      if (own !== task) return;
      columns.push({
        key: column, label: columnLabel(column), task: true,
        value: (row) => row.cells[i]?.[0] ?? null,
        cell: (row) => heat(row.cells[i], row.reasons[task], true),
      });
    });
  }
  columns.push({
    key: "cost", label: "ms a pair", value: milliseconds, ascending: true,
    cell: (row) => make("td", { class: row.cost ? "" : "none" }, row.cost ? plain(milliseconds(row)) : "–"),
  });
  return columns;
}

function cellOf(board, row, [task, column]) {
  return row.cells[board.cells.findIndex((cell) => cell[0] === task && cell[1] === column)];
}

/** A table cell for [value, low, high, …], tinted by how far it is from chance. */
function heat(cell, reason, interval = false) {
  if (!cell) return make("td", { class: "none", title: reason ?? "not asked" }, reason ? reason.split(":")[0] : "–");
  const [value, low, high] = cell;
  const strength = Math.round(90 * Math.abs(value - 0.5));
  return make("td", {
    class: `heat ${value >= 0.5 ? "above" : "below"}`, style: `--a:${strength}%`, "data-value": value, title: range(low, high),
  }, share(value), interval ? make("small", {}, range(low, high)) : null);
}

function shownRows(board) {
  const words = byId("board-filter").value.trim().toLowerCase();
  const complete = byId("board-complete").checked;
  return board.rows.filter((row) => (!complete || row.complete)
    && `${row.distance} ${data.distances[row.distance]?.source ?? ""}`.toLowerCase().includes(words));
}

/** Rows in the order of a column; those without a value stand last. */
function sorted(rows, column, descending) {
  const rank = (row) => column.value(row);
  return [...rows].sort((a, b) => {
    const [x, y] = [rank(a), rank(b)];
    if (x === null || y === null) return (x === null) - (y === null);
    const order = column.text ? x.localeCompare(y) : x - y;
    return descending ? -order : order;
  });
}

function drawBoard() {
  const board = currentBoard();
  const columns = boardColumns(board, byId("board-task").value);
  const column = columns.find((one) => one.key === boardState.sort) ?? columns[1];
  const rows = sorted(shownRows(board), column, boardState.descending);
  const heads = columns.map((one) => {
    const button = make("button", { type: "button" }, one.label);
    button.addEventListener("click", () => sortBy(one, column));
    const direction = one === column ? (boardState.descending ? "descending" : "ascending") : null;
    return make("th", {
      scope: "col", class: one.text ? "distance" : one.task ? "task" : "", "aria-sort": direction, "data-key": one.key,
    }, button);
  });
  const place = new Map(board.rows.map((row, i) => [row.distance, i + 1]));
  byId("board").replaceChildren(
    make("thead", {}, make("tr", {}, make("th", { scope: "col" }, "#"), ...heads)),
    make("tbody", {}, ...rows.flatMap((row) => boardRow(board, row, columns, place.get(row.distance)))),
  );
  byId("board-status").textContent = `${rows.length} of ${board.rows.length} distances, by ${column.label}`;
  byId("board-note").textContent = `${board.title}. Each cell is the worst column of a task, or, with one task chosen, `
    + `one column with its 95 % Wilson interval. # is the place by the worst cell.`;
  const absent = board.absent.map((one) => make("li", {}, make("code", {}, one.distance), `: unavailable: ${one.reason}`));
  const partial = board.rows.filter((row) => !row.complete).map((row) => {
    const reasons = [...new Set(Object.values(row.reasons))];
    const answered = row.cells.filter(Boolean).length;
    const asked = answered ? `${answered} of ${board.cells.length} cells` : null;
    return make("li", {}, make("code", {}, row.distance), `: ${[asked, ...reasons].filter(Boolean).join("; ")}`);
  });
  byId("board-absent").hidden = absent.length + partial.length === 0;
  byId("board-absent").querySelector("ul").replaceChildren(...partial, ...absent);
}

function sortBy(column, current) {
  const usual = !(column.text || column.ascending);
  boardState.descending = column.key === current.key ? !boardState.descending : usual;
  boardState.sort = column.key;
  drawBoard();
  byId("board").querySelector(`th[data-key="${column.key}"] button`)?.focus();
}

function boardRow(board, row, columns, place) {
  const open = boardState.open.has(row.distance);
  const button = make("button", { type: "button", "aria-expanded": String(open) }, row.distance);
  button.addEventListener("click", () => {
    boardState.open[open ? "delete" : "add"](row.distance);
    drawBoard();
    byId("board").querySelector(`tr[data-distance="${CSS.escape(row.distance)}"] th button`)?.focus();
  });
  const marked = row.longer ? make("span", { title: "on longer signals than others, as it needs" }, "*") : null;
  const cells = columns.slice(1).map((column) => column.cell(row));
  const head = make("th", { scope: "row", class: "distance" }, swatch(row.distance), button, marked);
  const line = make("tr", { "data-distance": row.distance }, make("td", {}, row.complete ? String(place) : ""), head, ...cells);
  return open ? [line, detailRow(board, row, columns.length + 1)] : [line];
}

/** Every cell of a distance: value, interval, ties and the record it comes from. */
function detailRow(board, row, width) {
  const source = data.distances[row.distance]?.source;
  const lead = row.lead && `Ahead of ${row.lead.over} by ${signed(row.lead.minimum[0])} in the worst cell `
    + `(${signed(row.lead.minimum[1])} to ${signed(row.lead.minimum[2])}) and ${signed(row.lead.mean[0])} in the mean `
    + `(${signed(row.lead.mean[1])} to ${signed(row.lead.mean[2])}); paired bootstrap, 95 %.`;
  const cost = row.cost && `${plain(row.cost[0])} ms forward, ${plain(row.cost[1])} ms backward, ${plain(row.cost[2])} MiB kept for backward. `;
  const lines = board.tasks.map((task) => {
    const cells = board.cells.map((cell, i) => [cell, row.cells[i]]).filter(([cell, found]) => cell[0] === task && found);
    const numeric = cells.length && !cells[0][0][1].endsWith("_analytic");
    const text = cells.map(([cell, found]) => make("td", { class: "text" }, `${columnLabel(cell[1])} ${share(found[0])}`,
      make("small", {}, range(found[1], found[2]), found[4] ? `, ${found[4]} ties` : "")));
    if (numeric) text.unshift(make("td", { class: "text none" }, "–"));
    const second = cells.findIndex(([cell]) => !cell[1].startsWith("pitch_"));
    if (numeric && second > 0) text.splice(second + 1, 0, make("td", { class: "text none" }, "–"));
    const empty = make("td", { class: "text none" }, row.reasons[task] ?? "not asked");
    const record = cells.length ? make("td", { class: "text" }, recordLink(cells[0][1][5]), make("small", {}, `n = ${cells[0][1][3]}`)) : null;
    return make("tr", {}, make("th", { scope: "row", class: "text" }, task), ...(cells.length ? text : [empty]), record);
  });
  return make("tr", { class: "detail" }, make("td", { colspan: width },
    source ? make("p", {}, source) : null,
    lead ? make("p", {}, lead) : null,
    cost ? make("p", {}, cost, recordLink(row.cost_record)) : null,
    make("table", {}, make("tbody", {}, ...lines))));
}

function drawTable1() {
  const table = data.table1;
  byId("published").hidden = !table;
  if (!table) return;
  const mode = new FormData(byId("published-controls")).get("mode");
  const cell = (ours, published) => {
    const tick = ours && ours[3] === true ? " ✓" : "";
    const title = ours ? `ours ${range(ours[1], ours[2])}` : null;
    const value = ours ? ours[0] : null;
    return make("td", {
      class: value === null ? "none" : `heat ${value >= 0.5 ? "above" : "below"}`, title,
      style: value === null ? null : `--a:${Math.round(90 * Math.abs(value - 0.5))}%`,
    }, `${share(value)}${tick}`, make("small", {}, `published ${share(published)}`));
  };
  byId("table1").replaceChildren(
    make("thead", {}, make("tr", {}, make("th", { scope: "col", class: "text" }, "distance"),
      ...table.columns.map((label) => make("th", { scope: "col" }, label)))),
    make("tbody", {}, ...table.rows.map((row) => make("tr", {},
      make("th", { scope: "row", class: "text name" }, swatch(row.distance), row.distance),
      ...row[mode].map((ours, i) => cell(ours, row.published[i])))),
    ));
  byId("table1-note").textContent = `${table.agreeing[mode]} of ${table.published_cells} published cells agree. `
    + `Ours: ${table.settings[mode]}. Published: n = ${table.published_trials}; ${table.source}.`;
}

function startBoard() {
  if (!data.boards.length) {
    byId("board-status").textContent = "No ranking is published yet.";
    byId("board-controls").hidden = byId("cost").hidden = byId("board-absent").hidden = true;
    drawTable1();
    return;
  }
  fillSelect(byId("board-choice"), data.boards.map((board, i) => [String(i), board.title]));
  const tasks = () => fillSelect(byId("board-task"),
    [[ALL_TASKS, "all tasks, worst cell of each"], ...currentBoard().tasks.map((task) => [task, `${task}, every column`])]);
  tasks();
  byId("board-choice").addEventListener("change", () => { tasks(); drawBoard(); });
  for (const id of ["board-filter", "board-task", "board-complete"]) byId(id).addEventListener("input", drawBoard);
  byId("board-controls").addEventListener("submit", (event) => event.preventDefault());
  drawBoard();
  darkScheme.addEventListener("change", drawBoard);

  byId("published-controls").addEventListener("change", drawTable1);
  drawTable1();
  byId("cost").hidden = !data.cost.length;
  const chart = byId("cost-chart");
  const index = () => (new FormData(byId("cost-controls")).get("accuracy") === "worst" ? 2 : 3);
  const draw = data.cost.length ? keepDrawn(chart, (width) => chart.replaceChildren(costChart(index(), width))) : null;
  byId("cost-controls").addEventListener("change", draw);
}

startBoard();
