"use strict";
// Training: arms over seeds, whether ranking foretold them, and how they sound.

function startTraining() {
  const body = byId("training-body");
  if (!data.studies.length) {
    body.append(make("p", { class: "note" }, "No trained model is published yet."));
    return;
  }
  const study = make("select", { id: "training-study" });
  const metric = make("select", { id: "training-metric" });
  fillSelect(study, data.studies.map((one, i) => [String(i), one.title]));
  body.append(
    make("form", { class: "controls", id: "training-controls" },
      make("label", {}, "Study ", study), make("label", {}, "Metric ", metric)),
    make("figure", { class: "chart", id: "training-chart" }),
    make("p", { class: "note", id: "training-note" }),
    make("div", { class: "scroll", role: "region", "aria-label": "Every metric of every arm", tabindex: "0" }, make("table", { id: "arms" })),
    make("div", { id: "foretold" }),
    make("div", { id: "arm-sounds" }));
  const current = () => data.studies[Number(study.value)];
  const metrics = () => fillSelect(metric, current().metrics.map((one) => [one.name, one.label]));
  metrics();
  const chart = byId("training-chart");
  const draw = keepDrawn(chart, (width) => {
    const own = current();
    chart.replaceChildren(armsChart(own, own.metrics.find((one) => one.name === metric.value), width));
    drawForetold(own, width);
  });
  const change = () => {
    draw();
    drawArms(current());
  };
  study.addEventListener("change", () => { metrics(); change(); drawArmSounds(current()); });
  metric.addEventListener("change", change);
  drawArms(current());
  drawArmSounds(current());
  darkScheme.addEventListener("change", () => drawArms(current()));
}

function drawArms(study) {
  byId("training-note").textContent = `${study.task} (version ${study.version}): ${study.title}; seeds ${study.seeds.join(", ")}. `
    + "Circles: seeds; stroke: mean; bar: 95 % t-interval, cut where it leaves the chart. "
    + (study.failed.length ? `Without an answer: ${study.failed.join("; ")}.` : "");
  const cell = (mean) => (mean
    ? make("td", {}, plain(mean[0]), make("small", {}, mean[1] === null ? "one seed" : `${plain(mean[1])} to ${plain(mean[2])}`))
    : make("td", { class: "none" }, "–"));
  byId("arms").replaceChildren(
    make("thead", {}, make("tr", {}, make("th", { scope: "col", class: "text" }, "loss"),
      ...study.metrics.map((one) => make("th", { scope: "col" }, `${one.label}${one.unit ? ` (${one.unit})` : ""} ${one.more ? "↑" : "↓"}`)),
      make("th", { scope: "col", class: "text" }, "records"))),
    make("tbody", {}, ...study.arms.map((arm) => make("tr", { "data-distance": arm.distance },
      make("th", { scope: "row", class: "text name" }, swatch(arm.distance), arm.label),
      ...study.metrics.map((one) => cell(arm.means[one.name])),
      make("td", { class: "text" }, ...arm.records.flatMap((number, i) => [recordLink(number, `seed ${arm.seeds[i]}`), " "]))))));
}

function drawForetold(study, width) {
  const columns = width > 880 && study.foretold.length > 1 ? 2 : 1;
  byId("foretold").style.setProperty("--columns", columns);
  byId("foretold").replaceChildren(...study.foretold.map((pair) => make("figure", { class: "chart" },
    make("h3", {}, `Sign accuracy (${pair.label}) and raw pitch accuracy`),
    foretoldChart(pair, Math.min(760, (width - 32 * (columns - 1)) / columns)),
    make("figcaption", {}, `${pair.text}. ${pair.primary ? "This pair was named in advance." : "This pair explores."}`))));
}

function drawArmSounds(study) {
  const sounds = study.sounds;
  if (!sounds) {
    byId("arm-sounds").replaceChildren();
    return;
  }
  const shared = [["mix", "Mix", "what the model hears"], ["bass", "True bass", "what was played"]];
  byId("arm-sounds").replaceChildren(
    make("h3", {}, "How the arms sound"),
    make("p", { class: "note" }, `Seed ${sounds.seed}, the same song for all.`),
    make("div", { class: "sounds" },
      ...shared.filter(([name]) => sounds[name]).map(([name, title, about]) => soundCard(title, about, sounds[name])),
      ...Object.entries(sounds.arms).map(([label, uri]) => soundCard(label, "bass of the model trained with it", uri))));
}

startTraining();
