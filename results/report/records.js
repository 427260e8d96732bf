"use strict";
// Every record: what it answers, where it ran and with which code, and a link to its document.

const RECORDS_AT_ONCE = 40;
let recordsShown = RECORDS_AT_ONCE;

/** A letter for an environment; their list is below the table. */
const environmentName = (number) => (number < 26 ? String.fromCharCode(65 + number) : `#${number + 1}`);

function drawRecords() {
  const words = byId("records-filter").value.trim().toLowerCase();
  const kind = byId("records-kind").value;
  const { rows, revisions } = data.records;
  const found = rows.filter((row) => (!kind || row.kind === kind)
    && `${row.distance} ${row.task} ${row.key} ${revisions[row.revision]}`.toLowerCase().includes(words));
  const shown = found.slice(0, recordsShown);
  const head = ["kind", "distance", "task", "seed", "n", "status", "revision", "environment", "date", "record"];
  byId("records-table").replaceChildren(
    make("thead", {}, make("tr", {}, ...head.map((label) => make("th", { scope: "col", class: "text" }, label)))),
    make("tbody", {}, ...shown.map((row) => make("tr", {}, ...[
      row.kind, row.distance, `${row.task} v${row.version}`, row.seed, row.trials ?? "–", row.status,
      revisions[row.revision], environmentName(row.environment), row.started,
    ].map((text, i) => make("td", { class: "text" }, String(text))),
    make("td", { class: "text" }, make("a", { href: row.link, "aria-label": `record ${row.key}` }, row.key.slice(0, 8)))))));
  byId("records-status").textContent = `${shown.length} of ${found.length} shown`;
  byId("records-more").hidden = shown.length === found.length;
}

function startRecords() {
  const kinds = [...new Set(data.records.rows.map((row) => row.kind))].sort();
  fillSelect(byId("records-kind"), [["", "all"], ...kinds.map((kind) => [kind, kind])]);
  byId("records-controls").addEventListener("submit", (event) => event.preventDefault());
  byId("records-controls").addEventListener("input", () => { recordsShown = RECORDS_AT_ONCE; drawRecords(); });
  byId("records-more").addEventListener("click", () => { recordsShown += 5 * RECORDS_AT_ONCE; drawRecords(); });
  const aside = data.records.set_aside.map(([what, reason]) => make("li", {}, make("code", {}, what), `: ${reason}`));
  byId("records-aside").hidden = !aside.length;
  byId("records-aside").querySelector("ul").replaceChildren(...aside);
  byId("records-environments").textContent = `Environments: ${data.records.environments
    .map((text, i) => `${environmentName(i)}: ${text}`).join("; ")}.`;
  drawRecords();
}

startRecords();
