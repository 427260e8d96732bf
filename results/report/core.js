"use strict";
// What all parts of the page share: the data, elements, numbers as text, links to records, colours.

const data = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);

/** An element with attributes and children; a null child is left out. */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** Fill a select with [value, text] pairs; keeps the choice if it is still there. */
function fillSelect(select, options) {
  const before = select.value;
  select.replaceChildren(...options.map(([value, text]) => make("option", { value }, text)));
  if (options.some(([value]) => value === before)) select.value = before;
}

/** Three digits, as Python prints them in the other pages: halves go to the even digit. */
function thousandths(value) {
  const half = Number.isInteger(value * 16) && !Number.isInteger(value * 1000);
  const below = Math.floor(value * 1000);
  return half ? ((below + (below % 2)) / 1000).toFixed(3) : value.toFixed(3);
}

const share = (value) => (value === null || value === undefined ? "–" : thousandths(value));
const range = (low, high) => `${share(low)}–${share(high)}`;
const signed = (value) => `${value < 0 ? "−" : "+"}${share(Math.abs(value))}`;

/** A number in as many digits as tell something. */
function plain(value) {
  if (value === null || value === undefined) return "–";
  const size = Math.abs(value);
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3).replace("-", "−");
}

/** An axis tick: no exponent for everyday sizes. */
const tick = (value) => String(Number(value.toPrecision(3))).replace("-", "−");

const UNITS = { cents: "cents", db: "dB" };

/** `pitch_30_cents` as `pitch ±30 cents`, `pitch_analytic` as `pitch analytic`. */
function columnLabel(column) {
  const [axis, step, ...unit] = column.split("_");
  return step === "analytic" ? `${axis} analytic` : `${axis} ±${step} ${UNITS[unit.join("_")] ?? unit.join(" ")}`;
}

/** A link to a record, by its number. */
function recordLink(number, text) {
  if (number === null || number === undefined) return null;
  const record = data.records.rows[number];
  const about = `${record.kind} of ${record.distance} on ${record.task}, seed ${record.seed}, `
    + `n = ${record.trials ?? "–"}; revision ${data.records.revisions[record.revision]}; `
    + data.records.environments[record.environment];
  return make("a", { href: record.link, title: about, "aria-label": `record ${record.key.slice(0, 8)}: ${about}` },
    text ?? record.key.slice(0, 8));
}

const darkScheme = matchMedia("(prefers-color-scheme: dark)");

/** A distance's colour, the same as in every figure; lightened where the page is dark. */
function colourOf(distance) {
  const own = data.distances[distance]?.colour ?? "#777777";
  const shade = d3.lab(own);
  if (darkScheme.matches && shade.l < 58) shade.l = 58 + shade.l / 5;
  return shade.formatHex();
}

const swatch = (distance) =>
  make("span", { class: "swatch", style: `background:${colourOf(distance)}`, "aria-hidden": "true" });

/** Call `drawing` now, and again when the width of `container` or the colour scheme changes. */
function keepDrawn(container, drawing) {
  let width = 0;
  const draw = () => {
    width = container.clientWidth;
    if (width > 0) drawing(width);
  };
  draw();
  const observer = new ResizeObserver(() => {
    if (Math.abs(container.clientWidth - width) > 1) requestAnimationFrame(draw);
  });
  observer.observe(container);
  darkScheme.addEventListener("change", draw);
  return draw;
}
