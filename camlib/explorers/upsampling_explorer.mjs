// UpsamplingExplorer in the browser: which cells make this pixel, and what lies between them?

import { choice, slider } from "./shared/controls.mjs";
import { decode } from "./shared/data.mjs";
import { announcer, element, photograph, shape } from "./shared/elements.mjs";
import { follow, livesOf } from "./shared/lives.mjs";
import { dress } from "./shared/looks.mjs";
import { digitsFor, number, plural } from "./shared/numbers.mjs";
import { colourBar, heat } from "./shared/painting.mjs";
import { pointing } from "./shared/pointing.mjs";
import { centresOf, mixedRow, shares, upsample } from "./shared/upsampling.mjs";

const MODES = [["nearest", "Nearest"], ["bilinear", "Bilinear"], ["bicubic", "Bicubic"]];
// Larger maps are shown whole too, but their squares leave no room for numbers.
const ROOM = 9;

export const { hydrate, render } = livesOf("upsampling_explorer", "Upsampling explorer", (root, packed, state) =>
  explore(root, unpack(packed), state));

// ---------------------------------------------------------------- data

const lowest = (values) => values.reduce((least, value) => Math.min(least, value));
const highest = (values) => values.reduce((most, value) => Math.max(most, value));

/** What the Python class packed, its arrays decoded, and the range of values of all settings. */
function unpack(packed) {
  const [rows, columns] = packed.shape;
  const [height, width] = packed.size;
  const map = decode(packed.map);
  if (map.length !== rows * columns) {
    throw new Error(`a map of ${rows} × ${columns} cells expected, got ${map.length} values`);
  }
  // Only bicubic leaves the cells' range.
  const all = [map, ...[false, true].map((aligned) => upsample(map, rows, columns, height, width, "bicubic", aligned))];
  const [low, high] = [Math.min(...all.map(lowest)), Math.max(...all.map(highest))];
  const peak = Math.max(-low, high);
  return {
    ...packed, map, rows, columns, height, width, low, high, peak,
    colours: new Uint32Array(decode(packed.colours).buffer),
    digits: digitsFor(peak, 4),
  };
}

/** The cells that make a pixel, [row, column, share] each; beyond the edge `copies` were asked. */
export function cellsOf({ down, across }, [y, x]) {
  const found = new Map();
  const [above, beside] = [along(down, y), along(across, x)];
  for (const [row, downShare] of above) {
    for (const [column, share] of beside) {
      const place = `${row},${column}`;
      found.set(place, [row, column, (found.get(place)?.[2] ?? 0) + downShare * share]);
    }
  }
  return { cells: [...found.values()], copies: above.length * beside.length - found.size };
}

/** The cells along one axis that have a share in a pixel, [cell, share] each. */
const along = ({ taps, cell, share }, pixel) =>
  Array.from({ length: taps }, (_, tap) => [cell[pixel * taps + tap], share[pixel * taps + tap]])
    .filter(([, part]) => Math.abs(part) > 1e-6);

/** The highest value with its first and last pixel: nearest and the edge repeat it over a rectangle. */
export function hottest(values, width) {
  const value = highest(values);
  const close = value - 1e-6 * Math.abs(value);
  let [first, last] = [0, values.length - 1];
  while (values[first] < close) first++;
  while (values[last] < close) last--;
  const pixel = (index) => [Math.floor(index / width), index % width];
  return { first: pixel(first), last: pixel(last) };
}

// ---------------------------------------------------------------- the explorer

/** Build the explorer into `root` and return the function that takes it away again. */
function explore(root, data, state) {
  dress(STYLE, "upsampling_explorer");
  const { map, rows, columns, height, width } = data;
  const here = {
    get point() { return state.get("point"); },
    get value() { return this.point && this.large[this.point[0] * width + this.point[1]]; },
    written: (value) => number(value, data.digits),
    update() {
      const mode = state.get("mode");
      this.aligned = state.get("align_corners") && mode !== "nearest";
      this.down = shares(rows, height, mode, this.aligned);
      this.across = shares(columns, width, mode, this.aligned);
      this.large = upsample(map, rows, columns, height, width, mode, this.aligned);
    },
  };
  const voice = announcer();
  const context = { ...data, state, here };
  const sum = sumPart(context);
  const stage = stagePart({ ...context, onPin: () => voice.say(sum.sentence()) });
  const [switches, hot, profile, stencil] = [switchesPart, hotPart, profilePart, stencilPart].map((part) => part(context));
  const bar = colourBar(data.colours);
  const scale = { update: () => bar.show(data.peak, here.value, here.written) };
  const opacity = slider({
    state, trait: "opacity", words: "Opacity", min: 0, max: 1, step: 0.05,
    written: (value) => `${Math.round(100 * value)} %`,
  });
  // The curve lies below the picture, pixel below pixel.
  const app = element("div", { class: "app enlarging", style: `--width: ${448 * Math.min(1, width / height)}px` },
    element("p", { class: "title" }, element("strong", {}, data.name || "One map"), " ",
      element("span", {}, `${rows} × ${columns} cells on ${height} × ${width} pixels`)),
    switches.node,
    element("div", { class: "part" }, stage.node, profile.node, bar.node, opacity.node),
    element("div", { class: "part" }, hot.node, stencil.node, sum.node),
    voice.node);
  root.append(app);

  const asked = [stage.point, profile, stencil, sum, scale];
  const setting = [here, stage.map, switches, hot, ...asked];
  const ends = [
    follow(state, { mode: setting, align_corners: setting, point: asked, opacity: [stage.opacity, opacity] }),
    ...["mode", "align_corners"].map((trait) => state.subscribe(trait, () => voice.say(`${hot.sentence()} ${sum.sentence()}`))),
    stage.stop, voice.stop, () => app.remove(),
  ];
  return () => ends.forEach((end) => end());
}

function switchesPart({ state }) {
  const mode = choice({ state, trait: "mode", words: "Mode", answers: MODES });
  const corners = choice({ state, trait: "align_corners", words: "align_corners", answers: [[false, "False"], [true, "True"]] });
  return {
    node: element("div", { class: "switches" }, mode.node, corners.node),
    update() {
      mode.update();
      corners.update();
      corners.node.disabled = state.get("mode") === "nearest";
    },
  };
}

/** Where the highest value lies: a button that goes there. */
function hotPart({ state, here, width }) {
  let hot;
  const where = element("span");
  const node = element("button", {
    type: "button", class: "hot",
    onclick: () => state.set("point", hot.first.map((first, axis) => Math.ceil((first + hot.last[axis]) / 2))),
  }, "Hottest pixel: ", where);
  return {
    node,
    sentence: () => `${node.textContent}.`,
    update() {
      hot = hottest(here.large, width);
      const [row, column] = hot.first.map((first, axis) => (first === hot.last[axis] ? `${first}` : `${first}–${hot.last[axis]}`));
      where.textContent = `row ${row}, column ${column}`;
    },
  };
}

// Thin lines keep their width at any size, and so do dots: lines of no length.
const draw = (node, lines) => node.setAttribute("d", lines.join(""));
const dot = ([x, y]) => `M${x} ${y}h0`;

/** The photograph, the enlarged map over it, the cells with their centres, and the chosen pixel. */
function stagePart({ photo, colours, peak, rows, columns, height, width, state, here, onPin }) {
  const painted = heat(height, width, colours);
  const [lines, ways, dots, cut, spot] = ["lines", "ways", "dots", "cut", "spot"].map((name) => shape("path", { class: name }));
  const discs = shape("g");
  draw(lines, [
    ...Array.from({ length: rows - 1 }, (_, row) => `M0 ${((row + 1) * height) / rows}H${width}`),
    ...Array.from({ length: columns - 1 }, (_, column) => `M${((column + 1) * width) / columns} 0V${height}`),
  ]);
  // In pixels; a pixel's middle lies half a pixel from where it begins.
  const places = (aligned) => {
    const across = centresOf(columns, width, aligned);
    return Array.from(centresOf(rows, height, aligned)).flatMap((y) => Array.from(across, (x) => [x + 0.5, y + 0.5]));
  };
  const pad = pointing({
    height, width, state, onPin,
    label: `The enlarged map. Arrow keys move over its ${height} × ${width} pixels, with Shift by half a cell.`,
    moved(point, way, { shiftKey }) {
      const step = shiftKey ? [height / rows / 2, width / columns / 2].map(Math.ceil) : [1, 1];
      return point.map((at, axis) => at + way[axis] * step[axis]);
    },
  });
  let centres;
  return {
    stop: pad.stop,
    node: element("div", { class: "stage sticky" },
      photograph({ class: "photo", src: photo, width, height, alt: "The photograph under the enlarged map" }),
      painted.node,
      shape("svg", { class: "over", viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" }, lines, ways, discs, dots, cut, spot),
      pad.node),
    map: {
      update() {
        painted.draw(here.large, peak);
        centres = places(here.aligned);
        draw(dots, centres.map(dot));
        draw(ways, here.aligned ? places(false).map(([x, y], index) => `M${x} ${y}L${centres[index]}`) : []);
      },
    },
    point: {
      update() {
        const { point } = here;
        const [y, x] = (point ?? []).map((place) => place + 0.5);
        draw(cut, point ? [`M0 ${y}H${width}M${x} ${y}V${height}`] : []);
        draw(spot, point ? [dot([x, y])] : []);
        discs.replaceChildren(...(point ? cellsOf(here, point).cells : []).map(([row, column, share]) => shape("path", {
          class: share < 0 ? "less" : "more", d: dot(centres[row * columns + column]),
          style: `stroke-width: ${8 + 30 * Math.sqrt(Math.abs(share))}px`,
        })));
      },
    },
    opacity: { update: () => painted.node.style.setProperty("opacity", state.get("opacity")) },
  };
}

/** The picture's row through the point as a curve, below the picture and as wide. */
function profilePart({ map, columns, height, width, low, high, here }) {
  const [least, most] = [lowest(map), highest(map)];
  const top = Math.max(0, high);
  const span = top - Math.min(0, low) || 1;
  const level = (value) => 8 + (84 * (top - value)) / span;
  const [zero, plumb, curve, dots, spot] = ["zero", "plumb", "curve", "dots", "spot"].map((name) => shape("path", { class: name }));
  draw(zero, [`M0 ${level(0)}H${width}`]);
  const words = element("p", { class: "words" });
  return {
    node: element("div", { class: "profile" }, element("div", { class: "chart", "aria-hidden": "true" },
      shape("svg", { viewBox: `0 0 ${width} 100`, preserveAspectRatio: "none" },
        shape("rect", { class: "band", width, y: level(most), height: level(least) - level(most) }),
        zero, plumb, curve, dots, spot),
      element("span", { style: `top: ${level(most)}%` }, `highest cell ${here.written(most)}`),
      element("span", { style: `bottom: ${100 - level(least)}%` }, `lowest cell ${here.written(least)}`)), words),
    update() {
      [plumb, curve, dots, spot].forEach((path) => draw(path, []));
      words.textContent = "Point at a pixel: its row of the picture appears here as a curve.";
      if (!here.point) return;
      const [y, x] = here.point;
      const line = Array.from(here.large.subarray(y * width, (y + 1) * width), level);
      draw(curve, [`M0 ${line[0]}`, ...line.map((at, place) => `L${place + 0.5} ${at}`), `H${width}`]);
      draw(plumb, [`M${x + 0.5} 0V100`]);
      draw(spot, [dot([x + 0.5, line[x]])]);
      const values = mixedRow(map, columns, here.down, y);
      draw(dots, Array.from(centresOf(columns, width, here.aligned), (place, cell) => dot([place + 0.5, level(values[cell])])));
      const cells = [...new Set(along(here.down, y).map(([cell]) => cell))];
      words.textContent = `The picture’s row ${y} as a curve. Dots: cell row${cells.length > 1
        ? `s ${cells[0]} ${cells.length > 2 ? "to" : "and"} ${cells.at(-1)}, mixed` : ` ${cells[0]}`}. ` +
        "Shaded: from the lowest to the highest cell.";
    },
  };
}

/** The map's cells as small squares, and in them the share that each has in the pixel. */
function stencilPart({ map, rows, columns, peak, colours, here }) {
  const squares = Array.from({ length: rows * columns }, () => element("span"));
  const sides = (count) => Array.from({ length: count }, (_, place) => element("span", { class: "side" }, String(place)));
  const background = heat(rows, columns, colours);
  background.draw(map, peak);
  return {
    node: element("div", {}, element("p", { class: "heading" }, "Which cells make this pixel? ", element("span", {}, "in %")),
      element("div", {
        class: Math.max(rows, columns) > ROOM ? "stencil narrow" : "stencil", "aria-hidden": "true",
        style: `--rows: ${rows}; --columns: ${columns}`,
      }, background.node, element("span"), ...sides(columns),
      ...sides(rows).flatMap((side, row) => [side, ...squares.slice(row * columns, (row + 1) * columns)]))),
    update() {
      for (const square of squares) square.textContent = square.className = "";
      for (const [row, column, share] of here.point ? cellsOf(here, here.point).cells : []) {
        const square = squares[row * columns + column];
        square.textContent = number(100 * share, Math.abs(share - 1) < 0.0005 ? 0 : 1);
        square.className = share < 0 ? "cx-less" : "cx-more";
      }
    },
  };
}

/** Share × value + … = the pixel's value, and what there is to say about it. */
function sumPart({ map, columns, here }) {
  const where = element("span");
  const list = element("ul", { class: "products" });
  const equals = element("span", { class: "sign" });
  const result = element("strong");
  const words = element("p", { class: "words" });
  const answer = element("div", {}, element("p", { class: "heading" }, "Pixel ", where), list,
    element("p", { class: "result" }, equals, " ", result), words);
  const invitation = element("p", { class: "invitation" },
    "Point at the picture, tap it or use the arrow keys: each pixel tells which cells it is made of.");
  const [least, most] = [lowest(map), highest(map)];
  const remark = ({ cells, copies }) => {
    // As written: a last digit of rounding is no find.
    const [value, low, high] = [here.value, least, most].map((number) => Number(here.written(number).replace("−", "-")));
    return (value > high ? "Higher than every cell. " : value < low ? "Lower than every cell. " : "") +
      (copies ? `It asks for ${cells.length + copies} cells: beyond the edge the outermost are repeated.` : "");
  };
  return {
    node: element("div", { class: "sum" }, invitation, answer),
    sentence() {
      if (!here.point) return "";
      const made = cellsOf(here, here.point);
      return `Pixel ${where.textContent}: ${here.written(here.value)}, from ${plural(made.cells.length, "cell", "cells")}. ${remark(made)}`;
    },
    update() {
      const { point } = here;
      invitation.hidden = Boolean(point);
      answer.hidden = !point;
      if (!point) return;
      const made = cellsOf(here, point);
      let rounded = 0;
      list.replaceChildren(...made.cells.map(([row, column, share], index) => {
        const [part, value] = [(100 * share).toFixed(2), here.written(map[row * columns + column])];
        rounded += (Number(part) / 100) * Number(value.replace("−", "-"));
        const sign = Number(part) < 0 ? "− " : index ? "+ " : "";
        return element("li", {}, `${sign}${part.replace("-", "")} % × ${value}`);
      }));
      // Numbers that were rounded may add up to another last digit.
      equals.textContent = here.written(rounded) === here.written(here.value) ? "=" : "≈";
      result.textContent = here.written(here.value);
      where.textContent = `row ${point[0]}, column ${point[1]}`;
      words.textContent = remark(made);
    },
  };
}

// ---------------------------------------------------------------- looks

const STYLE = `
.cx-switches { display: flex; flex-wrap: wrap; gap: 0.5rem 1.25rem; font-size: 0.875rem; }
.cx-switches .cx-choice { grid-template-columns: auto auto; }
.cx-switches .cx-choice:disabled { opacity: 0.5; }
.cx-part { display: flex; flex-direction: column; gap: 0.75rem; min-width: 0; max-width: 448px; }
.cx-hot { min-height: 2rem; margin: 0; color: inherit; background: none; border: 1px solid var(--cx-line); border-radius: 0.5rem; font: inherit; font-size: 0.875rem; cursor: pointer; }
.cx-hot:hover { background: var(--cx-wash); }
.cx-enlarging svg { display: block; width: 100%; height: 100%; overflow: visible; fill: none; stroke: #fff; stroke-linecap: round; }
.cx-enlarging .cx-over { position: absolute; inset: 0; }
.cx-over :is(.cx-ways, .cx-dots, .cx-cut) { filter: drop-shadow(0 0 1px #16181d) drop-shadow(0 0 1px #16181d); }
.cx-enlarging path { vector-effect: non-scaling-stroke; }
.cx-lines { stroke-opacity: 0.4; }
.cx-ways { stroke-width: 1.5; }
svg .cx-dots { stroke-width: 7; }
svg .cx-more { stroke-opacity: 0.55; }
svg .cx-less { stroke: #16181d; stroke-opacity: 0.55; }
svg .cx-spot { stroke: var(--cx-accent); stroke-width: 11; }

.cx-chart { position: relative; height: 7rem; stroke: var(--cx-ink); }
.cx-chart svg { stroke: inherit; }
.cx-band { fill: var(--cx-wash); stroke: none; }
:is(.cx-zero, .cx-plumb) { stroke: var(--cx-muted); }
.cx-curve { stroke-width: 2; }
.cx-chart span { position: absolute; right: 0.25rem; font-size: 0.75rem; color: var(--cx-muted); text-shadow: 0 0 2px var(--cx-card), 0 0 4px var(--cx-card); }
.cx-profile { max-width: var(--width); }
.cx-profile .cx-words { min-height: 2.8em; color: var(--cx-muted); }

.cx-stencil {
  position: relative; display: grid; grid-template: 1rem repeat(var(--rows), 1fr) / 1rem repeat(var(--columns), minmax(0, 1fr));
  max-width: 20rem; font-size: 0.6875rem;
}
.cx-stencil .cx-heat { grid-area: 2 / 2 / -1 / -1; opacity: 0.5; image-rendering: pixelated; }
.cx-stencil span { position: relative; display: grid; place-items: center; border: 1px solid var(--cx-card); }
.cx-stencil .cx-side { border: 0; color: var(--cx-muted); }
.cx-stencil span:not(.cx-side) { aspect-ratio: 1; }
.cx-stencil span:first-of-type { aspect-ratio: auto; }
.cx-stencil .cx-more { border: 2px solid var(--cx-ink); font-weight: 600; }
.cx-stencil .cx-less { border: 2px dashed var(--cx-ink); }
.cx-narrow span { font-size: 0; }
.cx-products { display: grid; grid-template-columns: 1fr 1fr; gap: 0 1rem; margin: 0.375rem 0; padding: 0; list-style: none; font-size: 0.8125rem; text-align: right; }
.cx-products li { margin: 0; white-space: nowrap; }
.cx-result { text-align: right; border-top: 1px solid var(--cx-line); }
.cx-result strong { font-size: 1.25rem; }

@container (min-width: 41rem) {
  .cx-enlarging.cx-app { grid-template: none / minmax(0, 448px) minmax(15.5rem, 1fr); gap: 0.75rem 1.25rem; padding: 1rem; }
  .cx-enlarging .cx-title, .cx-switches { grid-column: 1 / -1; }
}
@media print { .cx-switches, .cx-invitation { display: none; } }
`;
