// ClassExplorer in the browser: what does each class find, and what does each place speak for?

import { cellAt, cellGrid, whereIs } from "./shared/cells.mjs";
import { choice, slider } from "./shared/controls.mjs";
import { decode } from "./shared/data.mjs";
import { announcer, element, photograph, uniqueId } from "./shared/elements.mjs";
import { follow, livesOf } from "./shared/lives.mjs";
import { dress } from "./shared/looks.mjs";
import { digitsFor, largest, mean, number, plural, strongest, withSign } from "./shared/numbers.mjs";
import { colourBar, endColours, heat } from "./shared/painting.mjs";

const BEST = 5;

export const { hydrate, render } = livesOf("class_explorer", "Class explorer", (root, packed, state) =>
  explore(root, unpack(packed), state));

// ---------------------------------------------------------------- data

/** What the Python class packed, its arrays decoded. */
export function unpack(packed) {
  return assemble({
    ...packed,
    logits: decode(packed.logits),
    maps: Float32Array.from(decode(packed.maps), (steps) => steps * packed.step),
    offset: decode(packed.offset),
    classes: decode(packed.classes),
    colours: new Uint32Array(decode(packed.colours).buffer),
  });
}

/** Typed arrays, ready for use: c maps of rows × columns cells, and what follows from them. */
export function assemble(given) {
  const [count, rows, columns] = given.shape;
  const { maps, logits } = given;
  if (maps.length !== count * rows * columns) {
    throw new Error(`${count} maps of ${rows} × ${columns} cells expected, got ${maps.length} values`);
  }
  const order = strongest(logits, count);
  const rank = new Int32Array(count);
  order.forEach((place, position) => (rank[place] = position + 1));
  // Some classes may have been left out, and a rank among the others is not the network's.
  const all = given.classes.some((index) => index >= count) ? `the ${count} here` : `${count}`;
  return {
    ...given, count, rows, columns, order, rank, all,
    peak: largest(maps),
    mapOf: (place) => maps.subarray(place * rows * columns, (place + 1) * rows * columns),
  };
}

// ---------------------------------------------------------------- the explorer

/** Build the explorer into `root` and return the function that takes it away again. */
export function explore(root, data, state) {
  dress(STYLE, "class_explorer");
  const { rows, columns } = data;
  const [height, width] = data.size;
  const placeOf = new Map(Array.from(data.classes, (index, place) => [index, place]));
  const digits = digitsFor(data.peak);
  const here = {
    get place() { return placeOf.get(state.get("class_index")); },
    get name() { return data.names[this.place]; },
    get map() { return data.mapOf(this.place); },
    get peak() { return state.get("scale") === "own" ? largest(this.map) : data.peak; },
    get cell() { return state.get("cell"); },
    at: (place, [row, column]) => data.maps[(place * rows + row) * columns + column],
    value: (value) => withSign(value, digits),
    choose: (place) => state.set("class_index", data.classes[place]),
  };
  const voice = announcer();
  const context = { data, state, here, announce: voice.say, rows, columns, height, width };

  const title = titlePart(context);
  const stage = stagePart(context);
  const bar = barPart(context);
  const best = bestPart(context);
  const search = searchPart(context);
  const sum = sumPart(context);
  const speaks = speaksPart(context);
  const settings = settingsPart(context);
  const app = element("div", { class: "app", style: endColours(data.colours) },
    element("div", { class: "column" }, title.node, stage.node, bar.node, best.node),
    element("div", { class: "column" }, speaks.node, search.node, sum.node),
    settings.node, voice.node,
  );
  // Below a wide picture there is room for the settings, beside another there is.
  app.classList.toggle("cx-wide", width > 1.5 * height);
  root.append(app);
  const grey = { update: () => app.classList.toggle("cx-grey", state.get("greyscale")) };

  const rest = follow(state, {
    class_index: [title, stage.map, stage.words, bar, best, search, sum, speaks],
    cell: [stage.cell, bar, speaks],
    opacity: [stage.opacity, settings],
    greyscale: [grey, settings],
    mode: [stage.map, settings],
    scale: [stage.map, bar, settings],
  });
  const hush = state.subscribe("class_index", () => voice.say(
    `${here.name}: logit ${number(data.logits[here.place], 2)}, rank ${data.rank[here.place]} of ` +
    `${data.all}. ${sum.sentence()}`));
  return () => {
    voice.stop();
    rest();
    hush();
    app.remove();
  };
}

function titlePart({ data, here }) {
  const name = element("strong");
  const rank = element("span");
  return {
    node: element("p", { class: "title" }, name, " ", rank),
    update() {
      name.textContent = here.name;
      rank.textContent = `logit ${number(data.logits[here.place], 2)} · rank ${data.rank[here.place]} of ${data.all}`;
    },
  };
}

/** The photograph, the map over it, and the cells over both. */
function stagePart({ data, state, here, rows, columns, height, width, announce }) {
  const photo = photograph({ class: "photo", src: data.photo, width, height });
  const map = heat(height, width, data.colours);
  const cells = cellGrid({
    rows, columns,
    label: `The map's ${rows} × ${columns} cells. Arrow keys move from place to place.`,
    get: () => here.cell,
    set: (cell) => state.set("cell", cell),
    onPin: (cell) => announce(sentenceAbout(data, here, cell)),
  });
  return {
    node: element("div", { class: "stage sticky", style: `--width: ${width}px; --height: ${height}` },
      photo, map.node, cells.mark, cells.grid),
    map: { update: () => map.drawMap(here.map, rows, columns, here.peak, state.get("mode")) },
    words: {
      update() {
        cells.describe((cell) => `${whereIs(cell)}: ${here.value(here.at(here.place, cell))} for ${here.name}`);
        photo.alt = `The photograph under the class activation map of “${here.name}”`;
      },
    },
    opacity: { update: () => map.node.style.setProperty("opacity", state.get("opacity")) },
    cell: cells,
  };
}

/** The colours' numbers, and where on them the chosen cell lies. */
function barPart({ data, here }) {
  const bar = colourBar(data.colours);
  return {
    node: bar.node,
    update: () => bar.show(here.peak, here.cell && here.at(here.place, here.cell), here.value),
  };
}

/** The network's best guesses as small pictures: one tap shows another map. */
function bestPart({ data, here, rows, columns, height, width }) {
  const buttons = data.order.slice(0, BEST).map((place) => {
    const map = heat(Math.ceil(height / 2), Math.ceil(width / 2), data.colours);
    map.drawMap(data.mapOf(place), rows, columns, data.peak);
    const photo = photograph({ src: data.photo, alt: "" });
    const button = element("button", { type: "button", class: "tile", onclick: () => here.choose(place) },
      element("span", { class: "thumb" }, photo, map.node),
      element("span", { class: "name" }, data.names[place]), " ",
      element("span", { class: "logit" }, number(data.logits[place], 2)));
    return { button, place };
  });
  const heading = element("p", { class: "heading", id: uniqueId() }, "The network’s best guesses: choose one");
  return {
    node: element("div", { role: "group", "aria-labelledby": heading.id }, heading,
      element("div", { class: "best" }, ...buttons.map(({ button }) => button))),
    update: () => buttons.forEach(({ button, place }) =>
      button.setAttribute("aria-pressed", String(place === here.place))),
  };
}

/** Places of the classes that match what was typed: whole words first, then beginnings, then by logit. */
export function search(data, typed, limit) {
  const query = typed.trim().toLowerCase();
  const quality = (place) => {
    const name = data.names[place].toLowerCase();
    if (!query) return 0;
    if (String(data.classes[place]) === query || ` ${name} `.includes(` ${query} `)) return 0;
    if (name.startsWith(query)) return 1;
    return name.includes(` ${query}`) || name.includes(`-${query}`) ? 2 : name.includes(query) ? 3 : 4;
  };
  const found = data.order.map((place) => [quality(place), place]).filter(([worth]) => worth < 4);
  // Sorting is stable, so equally good matches keep the order of the logits.
  found.sort(([a], [b]) => a - b);
  return { total: found.length, places: found.slice(0, limit).map(([, place]) => place) };
}

/** A combobox after the ARIA pattern: focus stays in the field, the list follows. */
function searchPart({ data, here }) {
  const id = uniqueId();
  const input = element("input", {
    id: `${id}-search`, class: "field", type: "text", role: "combobox", autocomplete: "off", spellcheck: "false",
    autocapitalize: "none", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": `${id}-list`,
  });
  const list = element("ul", { id: `${id}-list`, class: "list", role: "listbox", "aria-label": "Classes" });
  const note = element("p", { class: "note", role: "status" });
  const popup = element("div", { class: "popup", hidden: "" }, list, note);
  let options = [];
  let active = -1;

  const close = () => {
    popup.hidden = true;
    active = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  };
  const activate = (position) => {
    options[active]?.setAttribute("aria-selected", "false");
    active = position;
    const option = options[active];
    if (!option) return input.removeAttribute("aria-activedescendant");
    option.setAttribute("aria-selected", "true");
    option.scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", option.id);
  };
  const open = (typed) => {
    const { total, places } = search(data, typed, 50);
    options = places.map((place, position) => element("li", {
      id: `${id}-option${position}`, class: "option", role: "option", "aria-selected": "false", "data-place": place,
    }, element("span", { class: "name" }, data.names[place]),
    " ", element("span", { class: "logit" }, number(data.logits[place], 2))));
    list.replaceChildren(...options);
    note.textContent = total === 0 ? `No class is called “${typed.trim()}”.`
      : total > places.length ? `The ${places.length} with the highest logits of ${total}: type to narrow down.`
      : typed.trim() ? plural(total, "class", "classes") : "";
    popup.hidden = false;
    input.setAttribute("aria-expanded", "true");
    activate(typed.trim() && total ? 0 : -1);
  };
  const reset = () => {
    input.value = here.name;
    close();
  };
  const take = (option) => {
    here.choose(Number(option.dataset.place));
    reset();
    input.select();
  };

  input.addEventListener("focus", () => input.select());
  input.addEventListener("click", () => popup.hidden && open(""));
  input.addEventListener("input", () => open(input.value));
  input.addEventListener("blur", reset);
  input.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 }[event.key];
    if (step) {
      if (popup.hidden) open(input.value === here.name ? "" : input.value);
      if (active < 0) activate(step > 0 ? 0 : options.length - 1);
      else if (Math.abs(step) > 1) activate(Math.min(options.length - 1, Math.max(0, active + step)));
      else activate((active + step + options.length) % options.length);
    } else if (event.key === "Enter" && options[active] && !popup.hidden) take(options[active]);
    else if (event.key === "Escape" && !popup.hidden) {
      reset();
      input.select();
    } else return;
    event.preventDefault();
  });
  // The field would lose the focus, and the list close, before the click arrives.
  popup.addEventListener("pointerdown", (event) => event.target.closest("[role=option]") && event.preventDefault());
  popup.addEventListener("mousedown", (event) => event.preventDefault());
  list.addEventListener("click", (event) => {
    const option = event.target.closest("[role=option]");
    if (option) take(option);
  });
  const glass = element("span", { class: "glass", "aria-hidden": "true" });
  return {
    node: element("div", { class: "search" },
      element("label", { for: input.id }, `Search all ${data.count} classes`), input, glass, popup),
    update() {
      if (popup.hidden) input.value = here.name;
    },
  };
}

/** The identity with this class's numbers, and what its map says in words. */
function sumPart({ data, here, rows, columns }) {
  const part = (words) => {
    const value = element("strong");
    return { value, node: element("span", { class: "term" }, value, " ", element("small", {}, words)) };
  };
  const average = part("map’s mean");
  const offset = part("offset");
  const logit = part("logit");
  const plus = element("span", { class: "sign" });
  const equals = element("span", { class: "sign" });
  const words = element("p", { class: "words" });
  const sentence = () => {
    const { map, name } = here;
    const high = map.indexOf(Math.max(...map));
    const low = map.indexOf(Math.min(...map));
    if (map[high] <= 0 && map[low] >= 0) return `This picture holds no evidence for or against ${name}.`;
    if (map[high] <= 0) {
      return `No place speaks for ${name}: the largest of its ${rows * columns} values is ${here.value(map[high])}.`;
    }
    const against = map[low] < 0
      ? `Most against: ${here.value(map[low])}, ${whereIs(cellAt(low, columns))}.` : "No place speaks against it.";
    return `Most for: ${here.value(map[high])}, ${whereIs(cellAt(high, columns))}.\n${against}`;
  };
  return {
    sentence,
    node: element("div", { class: "sum" },
      element("p", { class: "terms" }, average.node, plus, offset.node, equals, logit.node),
      ...(data.held ? [element("p", { class: "held" }, data.held)] : []), words),
    update() {
      const [mapMean, bias, score] = [mean(here.map), data.offset[here.place], data.logits[here.place]];
      const adds = (digits) =>
        number(Number(mapMean.toFixed(digits)) + Number(bias.toFixed(digits)), 2) === number(score, 2);
      // Two rounded numbers may miss the rounded sum by its last digit; then they show one digit more.
      const fraction = [2, 3, 4].find(adds) ?? 4;
      average.value.textContent = number(mapMean, fraction);
      plus.textContent = bias < 0 ? "−" : "+";
      offset.value.textContent = number(Math.abs(bias), fraction);
      equals.textContent = adds(fraction) ? "=" : "≈";
      logit.value.textContent = number(score, 2);
      words.textContent = sentence();
      words.classList.toggle("cx-none", Math.max(...here.map) <= 0);
    },
  };
}

function valuesAt(data, here, cell) {
  return Float32Array.from({ length: data.count }, (_, place) => here.at(place, cell));
}

function sentenceAbout(data, here, cell) {
  const values = valuesAt(data, here, cell);
  const names = strongest(values, 3).map((place) => data.names[place]).join(", ");
  return `${whereIs(cell)} speaks most for ${names}; for ${here.name}: ${here.value(values[here.place])}.`;
}

/** What does this place speak for? */
function speaksPart({ data, here, rows, columns }) {
  const lines = data.order.slice(0, BEST).map(() => {
    const name = element("span", { class: "name" });
    const value = element("span", { class: "value" });
    const length = element("span", { class: "length" });
    const line = { name, value, length, place: 0 };
    line.button = element("button", { type: "button", class: "line", onclick: () => here.choose(line.place) },
      name, " ", value, element("span", { class: "track", "aria-hidden": "true" }, length));
    return line;
  });
  const where = element("span");
  const own = element("p", { class: "words" });
  const answer = element("div", { class: "answer", role: "group", "aria-label": "What this place speaks for" },
    ...lines.map(({ button }) => button), own);
  const invitation = element("p", { class: "invitation" },
    `Point at the picture, tap it or use the arrow keys: each of its ${rows * columns} cells answers.`);
  return {
    node: element("div", { class: "speaks" },
      element("p", { class: "heading" }, "What does this place speak for? ", where), invitation, answer),
    update() {
      const { cell } = here;
      invitation.hidden = Boolean(cell);
      answer.classList.toggle("cx-silent", !cell);
      where.textContent = cell ? whereIs(cell) : "";
      if (!cell) return;
      const values = valuesAt(data, here, cell);
      strongest(values, lines.length).forEach((place, position) => {
        const line = lines[position];
        line.place = place;
        line.name.textContent = data.names[place];
        line.value.textContent = here.value(values[place]);
        line.length.className = values[place] < 0 ? "cx-length cx-against" : "cx-length";
        line.length.style.setProperty("width", `${data.peak ? (100 * Math.abs(values[place])) / data.peak : 0}%`);
        line.button.setAttribute("aria-pressed", String(place === here.place));
      });
      const mine = values[here.place];
      const before = values.reduce((count, value) => count + (value > mine), 0);
      own.textContent = `For ${here.name} here: ${here.value(mine)}, rank ${before + 1} of ${data.all}`;
    },
  };
}

/** Opacity, cells or smooth, and what the colours' ends mean. */
function settingsPart({ state }) {
  const parts = [
    slider({
      state, trait: "opacity", words: "Opacity", min: 0, max: 1, step: 0.05,
      written: (value) => `${Math.round(100 * value)} %`,
    }),
    choice({ state, trait: "greyscale", words: "Photo", answers: [[true, "Grey"], [false, "Colour"]] }),
    choice({ state, trait: "mode", words: "Map", answers: [["bilinear", "Smooth"], ["nearest", "Cells"]] }),
    choice({ state, trait: "scale", words: "Scale", answers: [["shared", "All classes"], ["own", "This class"]] }),
  ];
  return {
    node: element("div", { class: "settings" }, ...parts.map(({ node }) => node)),
    update: () => parts.forEach((part) => part.update()),
  };
}

// ---------------------------------------------------------------- looks

const STYLE = `
.cx-best { display: grid; margin: 0.25rem -0.25rem 0; grid-template-columns: repeat(5, minmax(0, 1fr)); gap: 0.25rem; max-width: 456px; }
.cx-tile {
  display: flex; flex-direction: column; gap: 0.125rem; padding: 0.1875rem 0.1875rem 0.375rem; margin: 0;
  color: inherit; background: none; border: 1px solid transparent; border-radius: 0.5rem;
  font: inherit; font-size: 0.8125rem; line-height: 1.2; text-align: center; cursor: pointer;
}
.cx-tile:hover { background: var(--cx-wash); }
.cx-tile[aria-pressed="true"] { background: var(--cx-wash); border-color: var(--cx-accent); box-shadow: inset 0 0 0 1px var(--cx-accent); }
.cx-thumb { position: relative; border-radius: 0.3125rem; display: block; width: 100%; margin-bottom: 0.125rem; }
.cx-thumb img { display: block; width: 100%; height: auto; margin: 0; border-radius: 0.3125rem; }
.cx-thumb canvas { opacity: 0.85; }
.cx-tile .cx-name { flex: 1; overflow-wrap: anywhere; hyphens: auto; }
.cx-tile[aria-pressed="true"] .cx-name { font-weight: 600; }
.cx-logit, .cx-value { color: var(--cx-muted); }

.cx-search { position: relative; }
.cx-search label { display: block; margin: 0 0 0.25rem; font-weight: 600; }
.cx-field {
  width: 100%; height: 2.5rem; padding: 0 0.75rem 0 2.25rem; margin: 0; color: inherit; background: var(--cx-card);
  border: 1px solid var(--cx-muted); border-radius: 0.5rem; font: inherit; font-size: 1rem;
}
.cx-glass { position: absolute; left: 0.8125rem; top: 2.4375rem; width: 0.75rem; height: 0.75rem; border: 2px solid var(--cx-muted); border-radius: 50%; pointer-events: none; }
.cx-glass::after { content: ""; position: absolute; left: 0.5rem; top: 0.5rem; width: 0.5rem; border-top: 2px solid var(--cx-muted); transform: rotate(45deg); transform-origin: 0 0; }
.cx-popup {
  position: absolute; z-index: 30; top: 100%; left: 0; right: 0; margin-top: 0.25rem; overflow: hidden;
  background: var(--cx-card); border: 1px solid var(--cx-line); border-radius: 0.5rem; box-shadow: 0 0.5rem 1.5rem rgb(0 0 0 / 0.25);
}
.cx-list { max-height: 17rem; margin: 0; padding: 0.25rem; overflow: auto; list-style: none; }
.cx-list:empty { display: none; }
.cx-option { display: flex; justify-content: space-between; gap: 0.75rem; margin: 0; padding: 0.375rem 0.5rem; border-radius: 0.3125rem; cursor: pointer; }
.cx-option:hover { background: var(--cx-wash); }
.cx-option[aria-selected="true"] { background: var(--cx-wash); box-shadow: inset 0.1875rem 0 0 var(--cx-accent); }
.cx-note { padding: 0.375rem 0.75rem; color: var(--cx-muted); font-size: 0.8125rem; border-top: 1px solid var(--cx-line); }
.cx-note:empty { display: none; }

.cx-sum .cx-words { min-height: 2.8em; margin-top: 0.5rem; }
.cx-none { padding-left: 0.625rem; border-left: 3px solid var(--cx-against); }

.cx-speaks { position: relative; }
.cx-invitation { position: absolute; left: 0; right: 0; padding: 0.5rem 0; color: var(--cx-muted); }
.cx-answer { margin-top: 0.25rem; }
.cx-silent { visibility: hidden; }
.cx-line {
  display: grid; grid-template-columns: 1fr auto; gap: 0.125rem 0.5rem; width: calc(100% + 0.75rem); margin: 0 -0.375rem; padding: 0.25rem 0.375rem;
  color: inherit; background: none; border: 0; border-radius: 0.375rem; font: inherit; font-size: 0.875rem; line-height: 1.3; text-align: left; cursor: pointer;
}
.cx-line:hover { background: var(--cx-wash); }
.cx-line .cx-name { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.cx-line .cx-name:empty::before { content: "\\200b"; }
.cx-line[aria-pressed="true"] .cx-name { font-weight: 600; }
.cx-track { grid-column: 1 / -1; height: 0.25rem; background: var(--cx-wash); border-radius: 0.125rem; overflow: hidden; }
.cx-length { display: block; height: 100%; background: var(--cx-for); }
.cx-length.cx-against { background: var(--cx-against); }
.cx-answer .cx-words { min-height: 2.8em; padding-top: 0.375rem; color: var(--cx-muted); }

@container (max-width: 26rem) { .cx-tile { font-size: 0.75rem; } }
@container (min-width: 41rem) {
  .cx-app {
    grid-template: "picture words" auto "picture settings" 1fr / minmax(0, 448px) minmax(15.5rem, 1fr);
    gap: 1rem 1.25rem; padding: 1rem;
  }
  .cx-app.cx-wide { grid-template-areas: "picture words" "settings words"; }
  .cx-column:first-child { grid-area: picture; }
  .cx-column:nth-child(2) { grid-area: words; }
  .cx-settings { grid-area: settings; align-self: end; }
  /* On a phone the answer stands near the place that was tapped; here there is room beside it. */
  .cx-speaks { order: 1; }
  .cx-wide .cx-settings { align-self: start; }
}
@media print { .cx-search, .cx-invitation { display: none; } }
`;
