// MethodComparer in the browser: what do several methods, or networks, say about one picture?

import { frame, whereIs } from "./shared/cells.mjs";
import { choice } from "./shared/controls.mjs";
import { decode } from "./shared/data.mjs";
import { announcer, element, photograph, reword } from "./shared/elements.mjs";
import { follow, livesOf } from "./shared/lives.mjs";
import { dress } from "./shared/looks.mjs";
import { digitsFor, largest, number, withSign } from "./shared/numbers.mjs";
import { colourBar, heat } from "./shared/painting.mjs";
import { pointing } from "./shared/pointing.mjs";

// Of a canvas's longest side; a panel is hardly larger, and maps are smooth.
const PIXELS = 256;
// Below this part of the scale's end a map is too pale to be read.
const PALE = 0.1;

export const { hydrate, render } = livesOf("method_comparer", "Method comparer", (root, packed, state) =>
  explore(root, unpack(packed), state));

// ---------------------------------------------------------------- data

/** What the Python class packed; of each method its maps by layer and class, or nothing. */
export function unpack(packed) {
  const values = decode(packed.values);
  let start = 0;
  const cut = (cells, step) => Float32Array.from(values.subarray(start, (start += cells)), (value) => value * step);
  const methods = packed.methods.map((method) => ({
    ...method,
    maps: method.steps.map((steps, at) => steps?.map((step) => cut(method.cells[at][0] * method.cells[at][1], step))),
  }));
  if (start !== values.length) throw new Error(`${start} values expected, got ${values.length}`);
  return { ...packed, methods, colours: new Uint32Array(decode(packed.colours).buffer) };
}

/** One class and layer in every method: the map, its highest value, and the end of its colours. */
export function compare(methods, place, layer, scale) {
  const found = methods.map(({ maps }) => maps[layer]?.[place]);
  const peaks = found.map((map) => (map ? largest(map) : 0));
  return found.map((map, at) => map && {
    map, high: map.reduce((a, b) => Math.max(a, b)), own: peaks[at],
    peak: scale === "own" ? peaks[at] : Math.max(...peaks),
  });
}

// ---------------------------------------------------------------- the explorer

/** Build the explorer into `root` and return the function that takes it away again. */
function explore(root, data, state) {
  dress(STYLE, "method_comparer");
  const { classes, layers, methods, names, size } = data;
  const here = {
    update() {
      this.place = classes.indexOf(state.get("class_index"));
      this.layer = layers.indexOf(state.get("layer"));
      this.panels = compare(methods, this.place, this.layer, state.get("scale"));
      // Of each method; one that lacks the layer is asked on another's grid.
      const some = methods.map(({ cells }) => cells[this.layer]).find(Boolean);
      this.counts = methods.map(({ cells }) => cells[this.layer] ?? some);
      this.alike = this.counts.every((counts) => counts.join() === some.join());
    },
    cell: (index) => state.get("point")?.map((at, axis) => Math.floor((at * here.counts[index][axis]) / size[axis])),
    title: ({ name, times }, index) => (times ? `${name} × ${here.counts[index][0] * here.counts[index][1]}` : name),
  };
  const voice = announcer();
  const pin = () => voice.say(state.get("point")
    ? `${words.node.firstChild.textContent}: ${panels.map(({ says }) => says()).join(", ")}.` : "");
  const panels = methods.map((_, index) => panelPart(data, state, here, index, pin));
  const [title, words] = [titlePart, wordsPart].map((part) => part(data, state, here));
  const settings = settingsPart(data, state);
  const app = element("div", { class: "app comparing", style: `--count: ${methods.length}; --opacity: ${data.opacity}` },
    title.node, element("div", { class: "panels sticky" }, ...panels.map(({ node }) => node), words.node), settings.node, voice.node);
  app.classList.toggle("cx-wide", size[1] > 1.5 * size[0]);
  root.append(app);
  const points = [...panels.map(({ point }) => point), words];
  const all = [here, title, ...panels, ...points, settings];
  const ends = [
    follow(state, { class_index: all, layer: all, scale: all, point: points }),
    ...["class_index", "layer", "scale"].map((trait) => state.subscribe(trait, () =>
      voice.say(`${title.node.textContent}. ${panels.map(({ sentence }) => sentence()).join(". ")}.`))),
    ...panels.map(({ stop }) => stop), voice.stop, () => app.remove(),
  ];
  return () => ends.forEach((end) => end());
}

function titlePart({ layers, logits, names }, state, here) {
  const [name, words] = [element("strong"), element("span")];
  return {
    node: element("p", { class: "title" }, name, " ", words),
    update() {
      reword(name, names[here.place]);
      const told = [layers.length > 1 && layers[here.layer], here.alike && grid(here.counts[0])];
      reword(words, [logits && `logit ${number(logits[here.place], 2)}`, told.filter(Boolean).join(", ")]
        .filter(Boolean).join(" · "));
    },
  };
}

const grid = ([rows, columns]) => `${rows} × ${columns} cells`;

/** One method: the photograph under its map, its colours' numbers, and what it says. */
function panelPart({ colours, methods, names, photo, size: [height, width] }, state, here, index, onPin) {
  const method = methods[index];
  const shrink = Math.min(1, PIXELS / Math.max(height, width));
  const map = heat(Math.ceil(height * shrink), Math.ceil(width * shrink), colours);
  const bar = colourBar(colours, ["", ""]);
  const mark = element("div", { class: "mark" });
  const image = photograph({ class: "photo", src: photo, width, height });
  const [heading, value, words] = ["heading", "value", "words"].map((name) => element("p", { class: name }));
  const pad = pointing({
    height, width, state, onPin,
    label: `The picture under ${method.name}. Arrow keys move from cell to cell; all methods answer.`,
    moved: (point, way) => point.map((at, axis) => {
      const [count, length] = [here.counts[index][axis], [height, width][axis]];
      return ((Math.floor((at * count) / length) + way[axis] + 0.5) * length) / count;
    }),
  });
  const written = (value) => withSign(value, digitsFor(here.panels[index].own));
  const ends = (value) => withSign(value, digitsFor(here.panels[index].peak));
  return {
    stop: pad.stop,
    sentence: () => `${heading.textContent}: ${words.textContent}`,
    says: () => `${heading.textContent} ${value.textContent || "none"}`,
    node: element("div", { class: "panel" }, heading,
      element("div", { class: "stage" }, image, map.node, mark, pad.node),
      bar.node, value, words),
    update() {
      const panel = here.panels[index];
      for (const node of [map.node, bar.node, value]) node.hidden = !panel;
      reword(heading, here.title(method, index));
      // Where all pads do the same, one of them is enough for the keyboard.
      pad.node.tabIndex = index && here.alike ? -1 : 0;
      image.alt = panel ? `The photograph under the map of ${names[here.place]} by ${method.name}` : "The photograph";
      if (!panel) return reword(words, method.absent);
      map.drawMap(panel.map, ...here.counts[index], panel.peak);
      const own = `${method.logits ? `logit ${number(method.logits[here.place], 2)}, ` : ""}${
        here.alike ? "" : `${grid(here.counts[index])}, `}`;
      const highest = `highest ${written(panel.high)}`;
      reword(words, own + (panel.high <= 0 ? `nothing speaks for it: ${highest}`
        : panel.own < PALE * panel.peak ? `${highest}, pale on this scale: try its own` : highest));
    },
    point: { update() {
      const [panel, cell, counts] = [here.panels[index], here.cell(index), here.counts[index]];
      const found = panel && cell ? panel.map[cell[0] * counts[1] + cell[1]] : null;
      frame(mark, cell, ...counts);
      reword(value, found === null ? "" : written(found));
      if (panel) bar.show(panel.peak, found, ends);
    } },
  };
}

/** Which place is marked, and what the scale means. */
function wordsPart({ methods }, state, here) {
  const [where, scale] = [element("p", { class: "where" }), element("p", { class: "words" })];
  return {
    node: element("div", { class: "about" }, where, scale),
    update() {
      const times = methods.filter((method, index) => method.times && here.panels[index]);
      const at = (index) => `${whereIs(here.cell(index))} of ${here.counts[index].join(" × ")}`;
      reword(where, !state.get("point") ? "Point at a place, tap it or use the arrow keys: each picture answers."
        : here.alike ? at(0) : methods.flatMap(({ name }, index) => here.panels[index] ? `${name}: ${at(index)}` : []).join(". "));
      const { peak } = here.panels.find(Boolean);
      reword(scale, (state.get("scale") === "own"
        ? "Full colour is each map’s own peak: compare places, not strengths."
        : `Full colour is ±${number(peak, digitsFor(peak))} in every panel.`) +
        times.map((method) => ` ${here.title(method, methods.indexOf(method))}: it adds up over the cells what CAM averages.`).join(""));
    },
  };
}

function settingsPart({ classes, layers, logits, names }, state) {
  const parts = [
    ["class_index", "Class", classes.map((index, place) =>
      [index, logits ? [names[place], " ", element("small", {}, number(logits[place], 2))] : names[place]])],
    ["layer", "Layer", layers.map((name) => [name, name])],
    ["scale", "Scale", [["one", "One scale"], ["own", "Own scale"]]],
  ].filter(([, , answers]) => answers.length > 1).map(([trait, words, answers]) => choice({ state, trait, words, answers }));
  return {
    node: element("div", { class: "settings" }, ...parts.map(({ node }) => node)),
    update: () => parts.forEach((part) => part.update()),
  };
}

// ---------------------------------------------------------------- looks

const STYLE = `
.cx-panels { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 0.75rem; }
.cx-panel .cx-stage { margin: 0.25rem 0 0.5rem; }
.cx-panel .cx-heat { opacity: var(--opacity); }
.cx-panel .cx-value { min-height: 1.75rem; font-size: 1.25rem; font-weight: 600; }
.cx-about { display: flex; flex-direction: column; gap: 0.5rem; }
/* In two columns, behind two panels or four, no place is left beside them. */
.cx-about:nth-child(odd) { grid-column: 1 / -1; }
.cx-wide .cx-panels { grid-template-columns: minmax(0, 1fr); }
.cx-choice div { display: grid; grid-template-columns: repeat(auto-fit, minmax(5.25rem, 1fr)); }
.cx-choice label { display: grid; }
.cx-choice span { align-content: center; white-space: normal; overflow-wrap: anywhere; }
.cx-choice small { display: block; font-weight: 400; color: var(--cx-muted); }
@container (min-width: 34rem) {
  .cx-panels, .cx-wide .cx-panels { grid-template-columns: repeat(var(--count), minmax(0, 1fr)); }
  .cx-about { grid-column: 1 / -1; }
}
`;
