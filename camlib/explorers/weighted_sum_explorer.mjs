// WeightedSumExplorer in the browser: which channels make up a logit, and what happens without some of them?

import { slider } from "./shared/controls.mjs";
import { decode } from "./shared/data.mjs";
import { announcer, element, photograph, uniqueId, reword } from "./shared/elements.mjs";
import { follow, livesOf } from "./shared/lives.mjs";
import { dress } from "./shared/looks.mjs";
import { largest, mean, number, strongest, withSign } from "./shared/numbers.mjs";
import { colourBar, endColours, heat } from "./shared/painting.mjs";
import { pinning } from "./shared/pinning.mjs";

export const { hydrate, render } = livesOf("weighted_sum_explorer", "Weighted sum explorer", (root, packed, state) =>
  explore(root, unpack(packed), state));

// All channels that are not shown by themselves, as one term.
const REST = -1;

/** What the Python class packed, and what each term adds: to a class's map, and to its logit. */
export function unpack(packed) {
  const [count, rows, columns] = packed.shape;
  const cells = rows * columns;
  const steps = decode(packed.features);
  if (steps.length !== count * cells) {
    throw new Error(`${count} maps of ${rows} × ${columns} cells expected, got ${steps.length} values`);
  }
  const features = Float32Array.from(steps, (value) => value * packed.step);
  const values = decode(packed.values);
  let start = 0;
  const take = (length) => values.subarray(start, start += length);
  const classes = packed.names.length;
  const [logits, offset, weight, rest] = [classes, classes, classes * count, classes * cells].map(take);
  const cut = (values, position) => values.subarray(position * cells, (position + 1) * cells);
  const numbers = [...decode(packed.channels), ...(packed.others ? [REST] : [])];
  const maps = packed.names.map((_, place) => numbers.map((key, term) => key === REST
    ? cut(rest, place) : cut(features, term).map((value) => value * weight[place * count + term])));
  return {
    ...packed, logits, offset, weight, numbers, maps,
    colours: new Uint32Array(decode(packed.colours).buffer),
    worth: maps.map((terms) => terms.map(mean)),
    pooled: numbers.map((_, term) => mean(cut(features, term))),
    peak: largest(maps.flatMap((terms) => [...summed(terms, terms.map(() => 1))])),
    title: (key) => key === REST ? `${whole(packed.others)} others` : `channel ${key}`,
  };
}

/** The sum of maps, each times its load: 0 where it is switched off. */
const summed = (maps, loads) =>
  maps[0].map((_, cell) => maps.reduce((sum, map, term) => sum + loads[term] * map[cell], 0));

/** Values beyond the ends of the colours keep the full colour. */
const within = (values, peak) => values.map((value) => Math.max(-peak, Math.min(peak, value)));

const whole = (count) => count.toLocaleString("en");

/** All that is drawn follows from the data and the reader's four choices. */
function look(data, state) {
  const { classes, names, numbers, offset, others, shape: [count], worth } = data;
  const place = classes.indexOf(state.get("class_index"));
  const off = new Set(state.get("off"));
  const factor = (key) => state.get("factors")[key] ?? 1;
  const loads = numbers.map((key) => off.has(key) ? 0 : factor(key));
  const scores = names.map((_, place) => loads.reduce((sum, load, term) => sum + load * worth[place][term], offset[place]));
  return {
    place, name: names[place], off, factor, loads, scores, ranks: strongest(scores, scores.length),
    key: state.get("channel"), term: numbers.indexOf(state.get("channel")),
    // The strongest for the class first; what is not shown by itself comes last.
    order: [...strongest(worth[place].slice(0, count), count), ...(others ? [count] : [])],
    silent: [...off].reduce((sum, key) => sum + (key === REST ? others : 1), 0),
  };
}

function explore(root, data, state) {
  dress(STYLE, "weighted_sum_explorer");
  const voice = announcer();
  // The three in the middle show the channel that is pointed at.
  const parts = [sumPart, classesPart, channelPart, switchesPart, termsPart].map((part) => part(data, state));
  const app = element("div", { class: "app ws", style: `${endColours(data.colours)} --ws-opacity: ${data.opacity}` },
    ...parts.flatMap(({ nodes }) => nodes), voice.node);
  root.append(app);
  const draw = (these) => ({ update() {
    const now = look(data, state);
    these.forEach((part) => part.update(now));
  } });
  const all = draw(parts);
  const say = { update() {
    const { name, place, ranks, scores, silent } = look(data, state);
    voice.say(`${name}: ${number(scores[place], 2)}, rank ${ranks.indexOf(place) + 1} of ${ranks.length}. ` +
      `First is ${data.names[ranks[0]]}. Channels off: ${whole(silent)}.`);
  } };
  const rest = follow(state, { class_index: [all, say], off: [all, say], factors: [all, say], channel: [draw(parts.slice(1, 4))] });
  voice.stop(); // nothing has changed yet
  return () => {
    voice.stop();
    rest();
    app.remove();
  };
}

/** A photograph with a map over it, its cells as they are. */
function picturePart({ colours, photo, shape: [, rows, columns], size: [height, width] }) {
  const image = photograph({ class: "photo", src: photo, alt: "", width, height });
  const map = heat(rows, columns, colours);
  return { image, map, node: element("div", { class: "stage" }, image, map.node) };
}

/** The map of what is switched on. */
function sumPart(data) {
  const { image, map, node } = picturePart(data);
  const bar = colourBar(data.colours);
  bar.show(data.peak, null, (value) => withSign(value, 1));
  const [name, words] = [element("strong"), element("span")];
  return {
    nodes: [element("p", { class: "title" }, name, " ", words), element("div", { class: "ws-sum sticky" }, node, bar.node)],
    update(now) {
      const [logit, sum] = [data.logits, now.scores].map((values) => number(values[now.place], 2));
      map.draw(within(summed(data.maps[now.place], now.loads), data.peak), data.peak);
      image.alt = `The photograph under the sum of what is switched on for “${now.name}”`;
      reword(name, now.name);
      reword(words, now.loads.every((load) => load === 1) ? `logit ${logit}` : `${sum} of its logit ${logit}`);
    },
  };
}

/** The classes' logits with the present switches, the highest first; one of them is looked at. */
function classesPart({ classes, logits, names, title, worth }, state) {
  const lines = names.map((name, place) => {
    const [share, value, length, full] = ["share", "value", "length", "full"].map((one) => element("span", { class: `ws-${one}` }));
    const button = element("button", { type: "button", class: "ws-class", onclick: () => state.set("class_index", classes[place]) },
      element("span", {}, name), " ", share, " ", value,
      element("span", { class: "ws-track", "aria-hidden": "true" }, length, full));
    return { button, share, value, length, full };
  });
  const heading = element("p", { class: "heading", id: uniqueId() }, "Who wins? ");
  const of = element("span");
  const list = element("div", {}, ...lines.map(({ button }) => button));
  return {
    nodes: [element("div", { class: "ws-classes", role: "group", "aria-labelledby": heading.id },
      element("div", { class: "ws-head" }, heading, of), list)],
    update({ key, loads, place: chosen, ranks, scores, term }) {
      const end = largest([...scores, ...logits]) || 1;
      reword(of, `of it from ${title(key)}`);
      ranks.forEach((place, rank) => {
        const { button, share, value, length, full } = lines[place];
        if (list.children[rank] !== button) list.insertBefore(button, list.children[rank]);
        button.setAttribute("aria-pressed", String(place === chosen));
        reword(share, withSign(loads[term] * worth[place][term], 2));
        reword(value, number(scores[place], 2));
        measure(length, scores[place], end);
        full.style.setProperty("left", `${(100 * Math.abs(logits[place])) / end}%`);
      });
    },
  };
}

/** Give a bar its length and the colour of its sign. */
function measure(bar, value, end) {
  bar.classList.toggle("cx-against", value < 0);
  bar.style.setProperty("width", `${Math.min(100, (100 * Math.abs(value)) / end)}%`);
}

/** The channel that is pointed at: its own map, its product, a slider for its weights. */
function channelPart(data, state) {
  const { maps, pooled, shape: [count], title, weight, worth } = data;
  const { map, node } = picturePart(data);
  const [heading, product, words, scale] = ["heading", "ws-product", "ws-note", "ws-note"].map((one) => element("p", { class: one }));
  const turned = slider({
    state: {
      get: () => look(data, state).factor(state.get("channel")),
      set: (_, factor) => state.set("factors", { ...state.get("factors"), [state.get("channel")]: factor }),
    },
    words: "Weights", min: 0, max: 2, step: 0.05, written: (factor) => `× ${number(factor, 2)}`,
  });
  return {
    nodes: [element("div", { class: "ws-own sticky" }, node, scale),
      element("div", { class: "ws-words" }, heading, product, words), turned.node],
    update({ factor, key, loads, name, place, term }) {
      const [own, total] = [maps[place][term], number(factor(key) * worth[place][term], 2)];
      map.draw(own, largest(own));
      turned.update();
      reword(scale, `full colour: ±${number(largest(own), 2)}`);
      reword(heading, title(key));
      product.textContent = key === REST ? total
        : `${factor(key) === 1 ? "" : `${number(factor(key), 2)} × `}${number(weight[place * count + term], 3)} × ${number(pooled[term], 2)} ≈ ${total}`;
      words.textContent = (loads[term] ? "" : "switched off: ") +
        (key === REST ? `points for ${name}, all together` : `weight for ${name} × mean of its map`);
    },
  };
}

/** All channels as small maps with a switch each, and buttons for many at once. */
function switchesPart(data, state) {
  const { colours, maps, numbers, others, shape: [count, rows, columns], title, worth } = data;
  let [order, drawn, turns] = [[], [], 0];
  const pins = pinning({ get: () => state.get("channel"), set: (key) => state.set("channel", key) });
  const turn = (on, keys) => {
    const off = new Set(state.get("off"));
    keys.forEach((key) => off[on ? "delete" : "add"](key));
    state.set("off", [...off]);
  };
  const walk = (term) => (event) => {
    const step = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1, Home: -order.length, End: order.length }[event.key];
    if (!step || event.altKey || event.ctrlKey || event.metaKey) return;
    tiles[order[Math.min(order.length - 1, Math.max(0, order.indexOf(term) + step))]].box.focus();
    event.preventDefault();
  };
  const tiles = numbers.map((key, term) => {
    const map = heat(rows, columns, colours);
    const [value, length] = [element("span"), element("span", { class: "ws-length" })];
    const box = element("input", { type: "checkbox", onchange: () => turn(box.checked, [key]), onkeydown: walk(term) });
    const node = element("div", {
      class: "ws-tile",
      onpointerenter: (event) => event.pointerType !== "touch" && pins.over(key, event),
      onfocusin: ({ target }) => target.matches(":focus-visible") && pins.pin(key),
      onclick({ target }) {
        pins.pin(key);
        if (!target.closest("label")) box.focus({ preventScroll: true });
      },
    }, element("div", { class: "ws-thumb", "aria-hidden": "true" }, map.node, element("span", {}, key === REST ? "others" : key)),
    element("label", {}, box, value), element("span", { class: "ws-track" }, length));
    return { node, box, map, value, length };
  });
  const button = (words, onclick, name = words) =>
    element("button", { type: "button", class: "ws-button", "aria-label": name, onclick }, words);
  const add = (steps) => button(`+${steps}`, () => {
    const off = order.map((term) => numbers[term]).filter((key) => state.get("off").includes(key));
    turn(true, off.slice(0, steps));
  }, `+${steps}: add the next, the strongest first`);
  const reset = button("Reset weights", () => state.set("factors", {}));
  const heading = element("span", { class: "heading", id: uniqueId() }, "Channels");
  const counted = element("span");
  const list = element("div", { class: "ws-tiles", onpointerleave: pins.left });
  const fill = (now) => {
    const { factor, key: chosen, loads, name, place, silent } = now;
    const [before, off, factors] = drawn;
    drawn = [place, state.get("off"), state.get("factors")];
    order = now.order;
    pins.changed();
    tiles.forEach(({ node, box }, term) => {
      node.classList.toggle("cx-ws-chosen", numbers[term] === chosen);
      box.tabIndex = numbers[term] === pins.pinned ? 0 : -1;
    });
    if (before !== place) {
      const peak = largest(maps[place].slice(0, count).flatMap((map) => [...map]));
      tiles.forEach(({ map }, term) => map.draw(within(maps[place][term], peak), peak));
      const held = document.activeElement;
      list.append(...order.map((term) => tiles[term].node));
      if (list.contains(held)) held.focus({ preventScroll: true });
    } else if (off === drawn[1] && factors === drawn[2]) return;
    const most = largest(worth[place].slice(0, count)) || 1;
    tiles.forEach(({ node, box, value, length }, term) => {
      const [key, points] = [numbers[term], factor(numbers[term]) * worth[place][term]];
      box.checked = !now.off.has(key);
      reword(value, withSign(points, 2));
      box.setAttribute("aria-label", `${title(key)}: ${value.textContent} for ${name}`);
      measure(length, points, most);
      node.classList.toggle("cx-ws-off", !loads[term]);
    });
    reword(counted, `the strongest for ${name} first; ${silent ? whole(silent) : "none"} of ${whole(count + others)} off`);
    reset.hidden = !Object.keys(drawn[2]).length;
  };
  return {
    nodes: [element("div", { class: "ws-switches", role: "group", "aria-labelledby": heading.id },
      element("div", { class: "ws-head" }, heading, counted),
      element("div", { class: "ws-buttons" }, button("All on", () => turn(true, numbers)), button("All off", () => turn(false, numbers)),
        "Add next: ", add(1), add(5), add(20), reset),
      list)],
    update(now) {
      const mine = ++turns;
      if (drawn[0] === undefined || drawn[0] === now.place) return fill(now);
      // Another class: its map and its logit are painted first, then the tiles take their new order.
      requestAnimationFrame(() => requestAnimationFrame(() => mine === turns && fill(look(data, state))));
    },
  };
}

/** The sum written out with its numbers, beside what the network said. */
function termsPart({ held, logits, numbers, offset, title, worth }) {
  const node = element("p", { class: "sum ws-terms" });
  const part = (value, words) => element("span", { class: "term" }, element("strong", {}, value), " ", element("small", {}, words));
  return {
    nodes: [node, ...(held ? [element("p", { class: "held" }, held)] : [])],
    update({ loads, order, place, scores }) {
      const terms = order.filter((term) => loads[term]).map((term) => [loads[term] * worth[place][term], title(numbers[term])]);
      // The strongest by themselves, then the rest of those shown, then all the others.
      const more = terms.slice(3, numbers.at(-1) === REST && loads.at(-1) ? -1 : undefined);
      if (more.length > 1) terms.splice(3, more.length, [more.reduce((sum, [value]) => sum + value, 0), `${more.length} more`]);
      terms.push([offset[place], "offset"]);
      const sum = number(scores[place], 2);
      // Rounded numbers may miss the rounded sum by its last digit; then they show one digit more.
      const digits = [2, 3, 4].find((digits) =>
        number(terms.reduce((all, [value]) => all + Number(value.toFixed(digits)), 0), 2) === sum);
      node.replaceChildren(...terms.map(([value, words], position) =>
        part((value < 0 ? "− " : position ? "+ " : "") + number(Math.abs(value), digits ?? 4), words)),
      part((digits ? "= " : "≈ ") + sum, "sum"), part(number(logits[place], 2), "network’s logit"));
    },
  };
}

// ---------------------------------------------------------------- looks

const STYLE = `
.cx-app.cx-ws { grid-template: "title title" "sum own" "classes classes" "words words" "turn turn" "switches switches" "terms terms" / minmax(0, 1.6fr) minmax(0, 1fr); gap: 0.75rem; }
.cx-ws .cx-title { grid-area: title; }
.cx-ws .cx-ws-sum { grid-area: sum; }
.cx-ws .cx-ws-own { grid-area: own; }
.cx-ws .cx-ws-words { grid-area: words; }
.cx-ws .cx-ws-classes { grid-area: classes; }
.cx-ws .cx-ws-terms { grid-area: terms; }
.cx-ws .cx-ws-switches { grid-area: switches; min-width: 0; }
.cx-ws .cx-bar { margin-top: 0.5rem; }
.cx-ws .cx-stage { max-width: none; overflow: hidden; }
.cx-ws .cx-heat { image-rendering: pixelated; }
.cx-ws .cx-stage .cx-heat { opacity: var(--ws-opacity); }
.cx-ws .cx-ws-head { display: flex; flex-wrap: wrap; gap: 0 0.5rem; justify-content: space-between; align-items: baseline; }
.cx-ws .cx-ws-head span:last-child, .cx-ws .cx-ws-note, .cx-ws .cx-ws-share { color: var(--cx-muted); font-size: 0.8125rem; font-weight: 400; }
.cx-ws .cx-ws-own .cx-ws-note { margin-top: 0.375rem; }
.cx-ws .cx-ws-words .cx-heading::first-letter { text-transform: uppercase; }
.cx-ws .cx-ws-classes .cx-ws-head span:last-child { margin-right: 3.75rem; }
.cx-ws .cx-ws-class, .cx-ws .cx-ws-button { margin: 0; color: inherit; background: none; border: 1px solid transparent; border-radius: 0.5rem; font: inherit; font-size: 0.875rem; cursor: pointer; }
.cx-ws .cx-ws-class { display: grid; grid-template-columns: 1fr auto 3rem; gap: 0.125rem 0.5rem; width: 100%; padding: 0.1875rem 0.375rem; line-height: 1.3; text-align: left; }
.cx-ws .cx-ws-class:hover, .cx-ws .cx-ws-class[aria-pressed="true"], .cx-ws .cx-ws-chosen { background: var(--cx-wash); }
.cx-ws .cx-ws-class[aria-pressed="true"] { border-color: var(--cx-accent); font-weight: 600; }
.cx-ws .cx-ws-value { text-align: right; }
.cx-ws .cx-ws-track { position: relative; display: block; grid-column: 1 / -1; height: 0.25rem; background: var(--cx-line); }
.cx-ws .cx-ws-length { display: block; height: 100%; background: var(--cx-for); }
.cx-ws .cx-against { background: var(--cx-against); }
.cx-ws .cx-ws-full { position: absolute; inset: -0.125rem auto; width: 2px; margin-left: -2px; background: var(--cx-ink); }
.cx-ws .cx-ws-terms { display: flex; flex-wrap: wrap; gap: 0.25rem 0.375rem; align-items: baseline; color: var(--cx-muted); }
.cx-ws .cx-ws-terms strong { color: var(--cx-ink); font-size: 1rem; font-weight: 400; }
.cx-ws .cx-ws-terms > :nth-last-child(2) strong { font-weight: 600; }
.cx-ws .cx-ws-terms > :last-child { margin-left: auto; padding-left: 0.5rem; border-left: 1px solid var(--cx-line); }
.cx-ws .cx-ws-buttons { display: flex; flex-wrap: wrap; gap: 0.25rem; align-items: center; margin: 0.375rem 0 0.5rem; font-size: 0.875rem; }
.cx-ws .cx-ws-button { min-width: 2rem; padding: 0.1875rem 0.5rem; background: var(--cx-wash); border-color: var(--cx-line); }
.cx-ws .cx-ws-button:hover { border-color: var(--cx-ink); }
.cx-ws .cx-ws-tiles { display: grid; grid-template-rows: auto auto; grid-auto-columns: 4rem; grid-auto-flow: column; gap: 0.25rem; overflow-x: auto; }
.cx-ws .cx-ws-tile { padding: 0.25rem; border: 1px solid transparent; border-radius: 0.375rem; font-size: 0.75rem; line-height: 1.2; cursor: pointer; }
.cx-ws .cx-ws-chosen { border-color: var(--cx-accent); }
.cx-ws .cx-ws-thumb { position: relative; height: 2.75rem; background: var(--cx-wash); }
.cx-ws .cx-ws-thumb span { position: absolute; left: 0; bottom: 0; padding: 0 0.1875rem; background: var(--cx-card); opacity: 0.85; font-size: 0.6875rem; }
.cx-ws .cx-ws-tile label { display: flex; gap: 0.25rem; align-items: center; min-height: 1.5rem; margin: 0; cursor: pointer; }
.cx-ws .cx-ws-tile input { margin: 0; accent-color: var(--cx-accent); }
.cx-ws .cx-ws-off :is(canvas, .cx-ws-length) { opacity: 0.25; }
.cx-ws .cx-slider { grid-area: turn; align-self: start; grid-template-columns: auto 1fr auto; }
.cx-ws .cx-ws-off label { color: var(--cx-muted); text-decoration: line-through; }
@container (max-width: 33.99rem) {
  .cx-app.cx-ws { flex-flow: row wrap; }
  .cx-ws > * { flex: 0 0 100%; order: 1; min-width: 0; }
  .cx-ws > .cx-title { order: 0; }
  .cx-ws > .cx-ws-sum { flex: 0 0 calc(62% - 0.75rem); order: 0; }
  .cx-ws > .cx-ws-own { flex: 0 0 38%; order: 0; }
}
@container (min-width: 41rem) {
  .cx-app.cx-ws { grid-template: "title title title" auto "sum classes classes" auto "sum own words" auto "sum turn turn" 1fr "terms terms terms" auto "switches switches switches" auto / minmax(0, 21rem) 8.5rem minmax(0, 1fr); gap: 0.75rem 1.25rem; padding: 1rem; }
  .cx-ws .cx-ws-tiles { grid: auto-flow / repeat(auto-fill, minmax(3.5rem, 1fr)); }
}
`;
