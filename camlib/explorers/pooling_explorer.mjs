// PoolingExplorer in the browser: which pooled numbers notice when the cells of the maps change?

import { cellAt, cellUnder, whereIs } from "./shared/cells.mjs";
import { choice } from "./shared/controls.mjs";
import { decode } from "./shared/data.mjs";
import { announcer, element, reword, uniqueId } from "./shared/elements.mjs";
import { follow, livesOf } from "./shared/lives.mjs";
import { dress } from "./shared/looks.mjs";
import { largest, mean, number, withSign } from "./shared/numbers.mjs";
import { heat } from "./shared/painting.mjs";

export const { hydrate, render } = livesOf("pooling_explorer", "Pooling explorer", (root, packed, state) =>
  poolings(root, unpack(packed), state));

// ---------------------------------------------------------------- arithmetic

/** What a map, given as rows of cells, is pooled to. */
export function pool(map) {
  const cells = map.flat();
  return { average: mean(cells), maximum: Math.max(...cells) };
}

/** The map moved by so many rows and columns: what leaves on one side comes in on the other. */
export function moved(map, down, right) {
  const before = (list, place, step) => list[(place - step + list.length) % list.length];
  return map.map((_, row) => before(map, row, down).map((_, column, line) => before(line, column, right)));
}

/** The map's cells in an order of chance; the same `keys`, one for each cell, give the same order. */
export function shuffled(map, keys) {
  const cells = map.flat();
  const order = [...keys.keys()].sort((a, b) => keys[a] - keys[b]);
  return map.map((line, row) => line.map((_, column) => cells[order[row * line.length + column]]));
}

/** Equal but for the rounding of a sum that was added up in another order. */
const same = (a, b) => Math.abs(a - b) <= 1e-9 * Math.max(1, Math.abs(a));

/** As many digits as a cell's value needs, two at most. */
const short = (value) => number(value, 2).replace(/\.?0+$/, "");
const WRITTEN = { average: (value) => number(value, 2), maximum: short };

function unpack({ colours, ...packed }) {
  const { start, limits: [low, high] } = packed;
  return {
    ...packed, low, high, count: start.length, rows: start[0].length, columns: start[0][0].length,
    colours: new Uint32Array(decode(colours).buffer),
    before: start.map(pool),
    peak: largest(packed.limits),
    blank: Math.max(low, Math.min(high, 0)),
  };
}

// ---------------------------------------------------------------- the explorer

/** Build the explorer into `root` and return the function that takes it away again. */
function poolings(root, data, state) {
  dress(STYLE, "pooling_explorer");
  const { count, rows, columns, low, high, start, before, colours, peak } = data;
  const octets = new Uint8Array(colours.buffer);
  const here = {
    get index() { return state.get("map_index"); },
    get maps() { return state.get("values"); },
    get map() { return this.maps[this.index]; },
    get cell() { return state.get("cell"); },
    at: ([row, column]) => here.map[row][column],
    colour(value) {
      const entry = 4 * Math.round(((colours.length - 1) / 2) * (1 + value / peak));
      return `background: rgb(${octets.slice(entry, entry + 3).join(" ")})`;
    },
    /** Change the map that is edited, or all of them. */
    change(edit) {
      const maps = here.maps.map((map, k) => (state.get("all_maps") || k === here.index ? edit(map) : map));
      if (maps.some((map, k) => map !== here.maps[k])) state.set("values", maps);
    },
    put([row, column], value) {
      const clipped = Number(Math.max(low, Math.min(high, value)).toPrecision(12));
      here.change((map) => (map[row][column] === clipped ? map
        : map.map((line, y) => line.map((old, x) => (y === row && x === column ? clipped : old)))));
    },
  };
  const voice = announcer();
  const context = { data, state, here };
  const name = element("strong");
  const title = { update: () => (name.textContent = `Map ${here.index + 1}`) };
  const scope = choice({ state, trait: "all_maps", words: "Change", answers: [[false, "This map"], [true, `All ${count} maps`]] });
  const sheet = sheetPart(context);
  const brush = brushPart(context);
  const meters = metersPart(context);
  const shown = choice({ state, trait: "pooling", words: "Show", answers: [["average", "Average"], ["maximum", "Maximum"]] });
  const tiles = tilesPart(context);
  const news = newsPart(context);
  const button = (words, onclick) => element("button", { type: "button", class: "push", onclick }, words);
  const app = element("div", { class: "app pool" },
    element("div", { class: "column" },
      element("p", { class: "title" }, name, element("span", {}, `of ${count}`)),
      scope.node, sheet.node, brush.node, meters.node),
    element("div", { class: "column" }, shown.node, tiles.node, news.node,
      element("div", { class: "pushes" },
        button("Shuffle the cells", () => {
          const keys = Float64Array.from({ length: rows * columns }, Math.random);
          here.change((map) => shuffled(map, keys));
        }),
        button("Start again", () => state.set("values", start)))),
    voice.node);
  root.append(app);

  const rest = follow(state, {
    values: [sheet, meters, tiles, news],
    map_index: [title, sheet, meters, tiles.chosen],
    cell: [sheet, meters],
    brush: [brush],
    all_maps: [scope],
    pooling: [shown, tiles],
  });
  const hush = ["values", "map_index"].map((trait) => state.subscribe(trait, () => {
    const { average, maximum } = pool(here.map);
    voice.say(`${name.textContent}: average ${number(average, 2)}, maximum ${short(maximum)}. ${news.node.innerText}`);
  }));
  return () => {
    voice.stop();
    rest();
    hush.forEach((stop) => stop());
    app.remove();
  };
}

/** The map that is edited: a spin button for each cell, and the arrows that move the pattern. */
function sheetPart({ data, state, here }) {
  const { rows, columns, low, high, step, blank } = data;
  const squares = Array.from({ length: rows * columns }, (_, index) => element("div", {
    class: "square", role: "spinbutton", tabindex: "-1", "aria-label": whereIs(cellAt(index, columns)),
    "aria-valuemin": low, "aria-valuemax": high, "data-index": index,
  }));
  const hint = element("p", { class: "words hint", id: uniqueId() }, "Paint over the cells. ", element("span", { class: "keys" },
    "Keys: ← → choose a cell, ↑ ↓ and digits change it; with Shift the arrows move the pattern."));
  const sheet = element("div", {
    class: "sheet", role: "group", "aria-label": "The map’s cells", "aria-describedby": hint.id, style: `--columns: ${columns}`,
  }, ...squares);
  const move = (down, right) => here.change((map) => moved(map, down, right));
  const arrow = (sign, side, ...way) => element("button", {
    type: "button", class: `push ${side}`, "aria-label": `Move the pattern ${side}`, onclick: () => move(...way),
  }, sign);
  let home = 0;
  let typed = "";
  const choose = (cell) => {
    typed = "";
    if (String(cell) !== String(here.cell)) state.set("cell", cell);
    squares[home].focus({ preventScroll: true });
  };
  /** A cell that has the brush's value already is wiped. */
  const value = (cell) => (here.at(cell) === state.get("brush") ? blank : state.get("brush"));

  let stroke = null;
  const paint = (event) => {
    const cell = cellUnder(sheet, event, rows, columns);
    if (stroke === null || !cell) return;
    choose(cell);
    here.put(cell, stroke);
  };
  sheet.addEventListener("pointerdown", (event) => {
    const cell = cellUnder(sheet, event, rows, columns);
    if (event.button !== 0 || !cell) return;
    event.preventDefault();
    sheet.setPointerCapture(event.pointerId);
    stroke = value(cell);
    paint(event);
  });
  sheet.addEventListener("pointermove", paint);
  sheet.addEventListener("lostpointercapture", () => (stroke = null));
  sheet.addEventListener("focusin", (event) => choose(cellAt(Number(event.target.dataset.index), columns)));

  /** Digits that follow each other belong together, as long as they make a value. */
  const typing = (key) => {
    const within = (text) => Number(text) >= low && Number(text) <= high;
    typed = within(typed + key) ? typed + key : key;
    if (within(typed)) here.put(cellAt(home, columns), Number(typed));
  };
  sheet.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const { key } = event;
    const cell = cellAt(home, columns);
    const now = here.at(cell);
    const [down, right] = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[key] ?? [0, 0];
    const to = {
      ArrowUp: now + step, ArrowDown: now - step, PageUp: now + 3 * step, PageDown: now - 3 * step, Home: low, End: high,
      Delete: blank, Backspace: blank, Enter: value(cell), " ": value(cell),
    }[key];
    if (event.shiftKey && (down || right)) move(down, right);
    else if (right) choose(cellAt((home + right + squares.length) % squares.length, columns));
    else if (to !== undefined) here.put(cell, to);
    else if (/^[\d.,-]$/.test(key)) typing(key.replace(",", "."));
    else return;
    if (key.length > 1) typed = "";
    event.preventDefault();
  });
  return {
    node: element("div", { class: "sticky" },
      element("div", { class: "editor" }, arrow("↑", "up", -1, 0), arrow("←", "left", 0, -1), sheet,
        arrow("→", "right", 0, 1), arrow("↓", "down", 1, 0)), hint),
    update() {
      const { cell } = here;
      squares[home].tabIndex = -1;
      if (cell) home = cell[0] * columns + cell[1];
      squares[home].tabIndex = 0;
      here.map.flat().forEach((value, index) => {
        const square = squares[index];
        square.textContent = short(value);
        square.setAttribute("aria-valuenow", value);
        square.style = `${here.colour(value)}; font-size: ${Math.min(1.4, 5 / columns, 18 / columns / short(value).length)}rem`;
        square.classList.toggle("cx-chosen", Boolean(cell) && index === home);
      });
    },
  };
}

/** Some values to paint with, fewer where they are long; they also tell what the colours mean. */
function brushPart({ data: { low, high, step }, state, here }) {
  const stride = step * Math.ceil((high - low) / step / (low < 0 || step < 1 ? 6 : 10) - 1e-9);
  const values = Array.from({ length: Math.ceil((high - low) / stride - 1e-9) }, (_, i) => Number((low + i * stride).toPrecision(12)));
  const brush = choice({ state, trait: "brush", words: "Paint with", answers: [...values, high].map((value) =>
    [value, element("span", { style: here.colour(value) }, short(value))]) });
  brush.node.classList.add("cx-brush");
  return brush;
}

/** A map's pooled number as a number and a bar, with a tick where it was at the start. */
function gauge({ data: { low, high, blank, before }, here }) {
  const value = element("strong");
  const reach = element("span", { class: "reach" });
  const tick = element("span", { class: "tick" });
  const percent = (length) => `${(100 * length) / (high - low)}%`;
  return {
    value,
    rail: element("span", { class: "rail", "aria-hidden": "true" }, reach, tick),
    /** Returns by how much the number has changed, or 0. */
    show(k, kind) {
      const is = pool(here.maps[k])[kind];
      const was = before[k][kind];
      reword(value, WRITTEN[kind](is));
      value.className = same(is, was) ? "" : "cx-new";
      reach.style.left = percent(Math.min(blank, is) - low);
      reach.style.width = percent(Math.abs(is - blank));
      tick.style.left = percent(was - low);
      return same(is, was) ? 0 : is - was;
    },
  };
}

/** Both pooled numbers of the map that is edited, and the chosen cell's share in them. */
function metersPart(context) {
  const { data: { rows, columns }, here } = context;
  const meters = Object.keys(WRITTEN).map((kind) => ({ kind, change: element("small"), ...gauge(context) }));
  const words = element("p", { class: "words" });
  return {
    node: element("div", { class: "meters" }, ...meters.map(({ kind, rail, value, change }) =>
      element("p", {}, element("span", {}, kind), rail, value, change)), words),
    update() {
      for (const { kind, change, show } of meters) {
        change.textContent = withSign(show(here.index, kind), 2).replace(/^0.00$/, "unchanged");
      }
      const value = here.cell && here.at(here.cell);
      words.textContent = !here.cell ? "The tick on a bar is the number at the start."
        : `The cell in ${whereIs(here.cell)} gives ${short(value)} / ${rows * columns} = ${number(value / rows / columns, 2)} ` +
          `to the average and ${value === pool(here.map).maximum ? "holds the maximum" : "nothing to the maximum"}.`;
    },
  };
}

/** All maps, small, each with its pooled number: one tap edits another. */
function tilesPart(context) {
  const { data: { count, rows, columns, start, colours, peak }, state, here } = context;
  const tiles = start.map(() => ({
    picture: heat(rows, columns, colours), name: element("span", { class: "live" }), ...gauge(context),
  }));
  const maps = choice({ state, trait: "map_index", words: `${count} maps, ${count} numbers: choose one to edit`,
    answers: tiles.map(({ picture, name, value, rail }, k) => [k, element("span", {},
      element("span", { class: "face", style: `aspect-ratio: ${columns} / ${rows}` }, picture.node), name, value, rail)]) });
  maps.node.classList.add("cx-maps");
  return {
    node: maps.node,
    chosen: maps,
    update() {
      tiles.forEach(({ picture, name, show }, k) => {
        picture.draw(here.maps[k].flat(), peak);
        reword(name, `Map ${k + 1}, ${state.get("pooling")} `);
        show(k, state.get("pooling"));
      });
    },
  };
}

/** How many cells and pooled numbers are no longer what they were. */
function newsPart({ data: { count, rows, columns, start, before }, here }) {
  const terms = Object.entries({ cells: count * rows * columns, averages: count, maxima: count }).map(([words, total]) =>
    [element("strong"), element("small", {}, ` of ${total} ${words} changed`)]);
  return {
    node: element("p", { class: "sum terms" }, ...terms.map((term) => element("span", { class: "term" }, ...term))),
    update() {
      const now = here.maps.map(pool);
      const changed = (is, was) => is.filter((value, i) => !same(value, was[i])).length;
      const counts = [changed(here.maps.flat(2), start.flat(2)),
        ...Object.keys(WRITTEN).map((kind) => changed(now.map((all) => all[kind]), before.map((all) => all[kind])))];
      terms.forEach(([value], i) => (value.textContent = counts[i]));
    },
  };
}

// ---------------------------------------------------------------- looks

const STYLE = `
.cx-editor {
  display: grid; gap: 0.25rem; max-width: 17rem; margin: 0 auto;
  grid-template: ". up ." 2rem "left sheet right" auto ". down ." 2rem / 2rem 1fr 2rem;
}
.cx-push {
  flex: 1; min-height: 2rem; margin: 0; padding: 0; color: inherit; background: var(--cx-wash); border: 1px solid var(--cx-line);
  border-radius: 0.375rem; font: inherit; cursor: pointer;
}
.cx-push:hover { border-color: var(--cx-muted); }
.cx-pushes { display: flex; gap: 0.5rem; }
.cx-up { grid-area: up; }
.cx-down { grid-area: down; }
.cx-left { grid-area: left; }
.cx-right { grid-area: right; }
/* A finger paints here; the page scrolls from anywhere else. */
.cx-sheet {
  grid-area: sheet; display: grid; grid-template-columns: repeat(var(--columns), 1fr); touch-action: pinch-zoom;
  user-select: none; -webkit-user-select: none; cursor: crosshair;
}
.cx-square {
  display: grid; place-items: center; aspect-ratio: 1; min-width: 0; color: #111; line-height: 1;
  box-shadow: inset 0 0 0 0.5px rgb(17 17 17 / 0.35);
}
.cx-square:hover { box-shadow: inset 0 0 0 1px #111; }
.cx-square.cx-chosen { box-shadow: inset 0 0 0 2px #111; }
.cx-app .cx-square:focus-visible { outline-offset: 0; z-index: 1; }
.cx-app .cx-hint { margin-top: 0.5rem; color: var(--cx-muted); }

.cx-brush, .cx-maps { display: block; }
.cx-brush legend, .cx-maps legend { float: none; margin-bottom: 0.25rem; font-weight: 600; }
.cx-brush div, .cx-maps div { padding: 0; background: none; }
.cx-brush span { padding: 0; border-radius: 0; }
.cx-brush span span { padding: 0.3125rem 0; color: #111; }
.cx-brush input:checked + span { box-shadow: 0 0 0 2px var(--cx-card), 0 0 0 4px var(--cx-ink); z-index: 1; position: relative; }

.cx-meters p { display: grid; grid-template-columns: 5rem 1fr 3rem 4.75rem; gap: 0.375rem; align-items: center; }
.cx-meters strong { text-align: right; white-space: nowrap; }
.cx-meters small { color: var(--cx-muted); font-size: 0.8125rem; }
.cx-meters .cx-words { display: block; min-height: 4.2em; margin-top: 0.25rem; }
.cx-app .cx-rail { position: relative; height: 0.375rem; padding: 0; background: var(--cx-line); border-radius: 0.1875rem; }
.cx-app .cx-rail span { position: absolute; top: 0; bottom: 0; padding: 0; background: var(--cx-muted); border-radius: inherit; }
.cx-app .cx-rail .cx-tick { inset: -0.125rem auto; width: 2px; margin-left: -1px; background: var(--cx-ink); }

.cx-maps div { display: grid; grid-template-columns: repeat(5, minmax(0, 1fr)); gap: 0.1875rem; }
.cx-maps span span { padding: 0; }
.cx-maps strong { display: block; font-weight: 400; }
.cx-maps .cx-new { font-weight: 700; }
.cx-maps label:hover { background: var(--cx-wash); border-radius: 0.375rem; }
.cx-maps input:checked + span { background: var(--cx-wash); box-shadow: 0 0 0 2px var(--cx-accent); font-weight: 400; }
.cx-app .cx-face { position: relative; max-width: 4rem; margin: 0 auto; padding: 0; }
.cx-face canvas { image-rendering: pixelated; border-radius: 0.125rem; }

@container (min-width: 41rem) { .cx-pool { grid-template-columns: 17rem minmax(0, 1fr); gap: 1rem 1.5rem; padding: 1rem; } }
@media (hover: none) { .cx-keys { display: none; } }
@media print { .cx-brush, .cx-pushes { display: none; } }
`;
