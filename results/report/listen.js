"use strict";
// Sounds with their spectrograms, and what each distance says about the trial that is heard.

const FFT_SIZE = 2048;
const SPECTROGRAM = { columns: 120, rows: 64, low: 30, high: 10000, floor: -80 };
const decoding = new (window.OfflineAudioContext)(1, 1, 44100);

/** In-place radix-2 FFT of `re + i·im`. */
function fft(re, im) {
  const n = re.length;
  for (let i = 1, j = 0; i < n; i += 1) {
    let bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) { [re[i], re[j]] = [re[j], re[i]]; [im[i], im[j]] = [im[j], im[i]]; }
  }
  for (let size = 2; size <= n; size *= 2) {
    for (let start = 0; start < n; start += size) {
      for (let k = 0; k < size / 2; k += 1) {
        const angle = (-2 * Math.PI * k) / size;
        const [c, s] = [Math.cos(angle), Math.sin(angle)];
        const [a, b] = [start + k, start + k + size / 2];
        const [x, y] = [re[b] * c - im[b] * s, re[b] * s + im[b] * c];
        [re[b], im[b]] = [re[a] - x, im[a] - y];
        re[a] += x;
        im[a] += y;
      }
    }
  }
}

/** Draw a spectrogram on a canvas: log frequency from 30 Hz to 10 kHz, 80 dB of range. */
function drawSpectrogram(canvas, buffer) {
  const { columns, rows, low, high, floor } = SPECTROGRAM;
  const samples = buffer.getChannelData(0);
  const levels = new Float64Array(columns * rows);
  const window_ = Float64Array.from({ length: FFT_SIZE }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / FFT_SIZE));
  for (let column = 0; column < columns; column += 1) {
    const start = Math.round((column + 0.5) / columns * samples.length - FFT_SIZE / 2);
    const re = Float64Array.from(window_, (w, i) => w * (samples[start + i] ?? 0));
    const im = new Float64Array(FFT_SIZE);
    fft(re, im);
    for (let row = 0; row < rows; row += 1) {
      const edges = [row, row + 1].map((r) => low * (high / low) ** (r / rows) * FFT_SIZE / buffer.sampleRate);
      let largest = 0;
      for (let bin = Math.floor(edges[0]); bin <= Math.ceil(edges[1]) && bin < FFT_SIZE / 2; bin += 1) {
        largest = Math.max(largest, Math.hypot(re[bin], im[bin]));
      }
      levels[row * columns + column] = 20 * Math.log10(largest / (FFT_SIZE / 4) + 1e-9);
    }
  }
  canvas.width = columns;
  canvas.height = rows;
  const context = canvas.getContext("2d");
  const image = context.createImageData(columns, rows);
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      const value = Math.min(1, Math.max(0, 1 - levels[row * columns + column] / floor));
      const ink = d3.rgb(d3.interpolateMagma(value));
      image.data.set([ink.r, ink.g, ink.b, 255], 4 * ((rows - 1 - row) * columns + column));
    }
  }
  context.putImageData(image, 0, 0);
}

/** Samples of a data URI. Not by `fetch`, which a page opened from disk may not use everywhere. */
function decoded(uri) {
  const bytes = Uint8Array.from(atob(uri.slice(uri.indexOf(",") + 1)), (c) => c.charCodeAt(0));
  return decoding.decodeAudioData(bytes.buffer);
}

/** A sound as a card: title, one line about it, spectrogram, player. */
function soundCard(title, about, uri) {
  const canvas = make("canvas", { role: "img", "aria-label": `Spectrogram of ${title}: 30 Hz to 10 kHz, low at the bottom` });
  const audio = make("audio", { controls: true, preload: "auto", src: uri, "aria-label": `${title}: ${about}` });
  audio.addEventListener("play", () => {
    for (const other of document.querySelectorAll("audio")) if (other !== audio) other.pause();
  });
  decoded(uri).then((buffer) => {
    drawSpectrogram(canvas, buffer);
    canvas.dataset.drawn = "true";
  });
  return make("div", { class: "sound" }, make("h3", {}, title), make("p", {}, about), canvas, audio);
}

const where = (place) => [
  place.hz === undefined ? null : `${plain(place.hz)} Hz`,
  ...Object.entries(place).filter(([axis]) => !["pitch", "hz"].includes(axis)).map(([axis, value]) => `${axis} ${plain(value)} dB`),
].filter(Boolean).join(", ");

const VERDICTS = { right: "further ✓", wrong: "nearer ✗", same: "no change =" };

function drawTrial() {
  const heard = data.listening[Number(byId("listen-task").value)];
  const { target, prediction } = heard;
  const moves = Object.keys(heard.sounds).filter((name) => !["target", "prediction"].includes(name));
  const away = (axis) => (prediction[axis] >= target[axis] ? "up" : "down");
  byId("listen-sounds").replaceChildren(
    soundCard("Target", where(target), heard.sounds.target),
    soundCard("Prediction", where(prediction), heard.sounds.prediction),
    ...moves.map((column) => {
      const [axis, step, unit] = column.split("_");
      return soundCard(`Moved: ${axis} ${away(axis)} ${step} ${UNITS[unit] ?? unit}`, "further from the target", heard.sounds[column]);
    }));
  byId("listen-note").textContent = `${heard.task}, trial ${heard.trial}. All sounds of a trial have one gain.`;
  const columns = [...new Set(heard.verdicts.flatMap((one) => Object.keys(one.margins)))];
  const cell = (margin) => {
    if (margin === undefined) return make("td", { class: "none text" }, "–");
    const verdict = margin > 0 ? "right" : margin < 0 ? "wrong" : "same";
    return make("td", { class: `verdict-${verdict} text`, "data-margin": margin, title: `margin ${margin}` }, VERDICTS[verdict]);
  };
  byId("verdicts").replaceChildren(
    make("caption", {}, "The moved sound is further from the target. Does the distance say so? (“analytic”: the sign of its gradient.)"),
    make("thead", {}, make("tr", {}, make("th", { scope: "col", class: "text" }, "distance"),
      ...columns.map((column) => make("th", { scope: "col", class: "text" }, columnLabel(column))),
      make("th", { scope: "col", class: "text" }, "record"))),
    make("tbody", {}, ...heard.verdicts.map((one) => make("tr", { "data-distance": one.distance },
      make("th", { scope: "row", class: "text name" }, swatch(one.distance), one.distance),
      ...columns.map((column) => cell(one.margins[column])),
      make("td", { class: "text" }, recordLink(one.record))))));
}

function startListening() {
  byId("listen").hidden = !data.listening.length;
  if (!data.listening.length) return;
  const select = byId("listen-task");
  fillSelect(select, data.listening.map((heard, i) => [String(i), heard.task.replaceAll("_", " ")]));
  select.addEventListener("change", drawTrial);
  const step = (by) => () => {
    select.value = String((Number(select.value) + by + data.listening.length) % data.listening.length);
    drawTrial();
  };
  byId("listen-previous").addEventListener("click", step(-1));
  byId("listen-next").addEventListener("click", step(1));
  darkScheme.addEventListener("change", drawTrial);
  drawTrial();
}

startListening();
