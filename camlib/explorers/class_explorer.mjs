// ClassExplorer in the browser: one module for both lives of the explorer.
// - In a page without a kernel the loader calls `hydrate(figure)`: data and state come from the figure.
// - In Jupyter anywidget calls `render({ model, el })`: data and state are the widget's traits.
// anywidget loads the module from a blob address, so it imports nothing.

// ---------------------------------------------------------------- data

const BEST = 5;

/** The typed array that a data address holds. */
export function decode(address) {
  const [head, body] = address.split(",", 2);
  const { buffer } = Uint8Array.from(atob(body), (letter) => letter.charCodeAt(0));
  const dtype = head.match(/application\/x-(\w+)/)[1];
  return new { uint8: Uint8Array, int16: Int16Array, int32: Int32Array, float32: Float32Array }[dtype](buffer);
}

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
  return {
    ...given, count, rows, columns, order, rank,
    peak: largest(maps),
    mapOf: (place) => maps.subarray(place * rows * columns, (place + 1) * rows * columns),
  };
}

// ---------------------------------------------------------------- mathematics

/** Largest absolute value. */
export function largest(values) {
  let peak = 0;
  for (const value of values) if (Math.abs(value) > peak) peak = Math.abs(value);
  return peak;
}

/** Mean of a map: the part of the logit that places explain. */
export function mean(values) {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}

/** Indices of the `count` largest values, largest first; equal ones in their own order. */
export function strongest(values, count) {
  const indices = Array.from(values.keys());
  return indices.sort((a, b) => values[b] - values[a] || a - b).slice(0, count);
}

/** A map enlarged to height × width; cells' centres stay in place, as in camlib.upsample. */
export function upsample(map, rows, columns, height, width, mode) {
  const result = new Float32Array(height * width);
  const down = neighbours(rows, height, mode);
  const across = neighbours(columns, width, mode);
  const line = new Float32Array(columns);
  for (let y = 0, pixel = 0; y < height; y++) {
    const above = down.first[y] * columns;
    const below = down.second[y] * columns;
    const share = down.share[y];
    for (let x = 0; x < columns; x++) line[x] = map[above + x] * (1 - share) + map[below + x] * share;
    for (let x = 0; x < width; x++, pixel++) {
      const right = across.share[x];
      result[pixel] = line[across.first[x]] * (1 - right) + line[across.second[x]] * right;
    }
  }
  return result;
}

/** The two cells around each pixel, and the second one's share. */
function neighbours(cells, pixels, mode) {
  const first = new Int32Array(pixels);
  const second = new Int32Array(pixels);
  const share = new Float32Array(pixels);
  for (let pixel = 0; pixel < pixels; pixel++) {
    const position = ((pixel + 0.5) * cells) / pixels;
    const centre = Math.max(0, position - 0.5);
    first[pixel] = Math.floor(mode === "nearest" ? position : centre);
    second[pixel] = Math.min(first[pixel] + 1, cells - 1);
    share[pixel] = mode === "nearest" ? 0 : centre - first[pixel];
  }
  return { first, second, share };
}

/** Give each value its colour and opacity: -peak to peak over the table from camlib.plotting. */
export function paint(pixels, values, peak, colours) {
  const middle = (colours.length - 1) / 2;
  const factor = peak > 0 ? middle / peak : 0;
  for (let pixel = 0; pixel < values.length; pixel++) {
    pixels[pixel] = colours[Math.round(middle + values[pixel] * factor)];
  }
}

// ---------------------------------------------------------------- state

// Both kinds answer get(name), set(name, value), subscribe(name, listener) -> unsubscribe.

export function pageState(values) {
  const listeners = new Map();
  return {
    get: (name) => values[name],
    set(name, value) {
      if (values[name] === value) return;
      values[name] = value;
      listeners.get(name)?.forEach((listener) => listener());
    },
    subscribe(name, listener) {
      if (!listeners.has(name)) listeners.set(name, new Set());
      listeners.get(name).add(listener);
      return () => listeners.get(name).delete(listener);
    },
  };
}

export function modelState(model) {
  return {
    get: (name) => model.get(name),
    set(name, value) {
      if (model.get(name) === value) return;
      model.set(name, value);
      model.save_changes();
    },
    subscribe(name, listener) {
      model.on(`change:${name}`, listener);
      return () => model.off(`change:${name}`, listener);
    },
  };
}

// ---------------------------------------------------------------- words and elements

function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "class") node.className = value.replace(/\S+/g, "cx-$&");
    else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

const number = (value, digits) => {
  const text = Math.abs(value).toFixed(digits);
  return (value < 0 && Number(text) ? "−" : "") + text;
};

const withSign = (value, digits) => {
  const text = number(value, digits);
  return Number(text) > 0 ? `+${text}` : text;
};

const plural = (count, one, many) => `${count} ${count === 1 ? one : many}`;

// ---------------------------------------------------------------- the explorer

/** Build the explorer into `root` and return the function that takes it away again. */
export function explore(root, data, state) {
  const { rows, columns } = data;
  const [height, width] = data.size;
  const placeOf = new Map(Array.from(data.classes, (index, place) => [index, place]));
  const digits = data.peak >= 100 ? 0 : data.peak >= 10 ? 1 : data.peak >= 1 ? 2 : 3;
  const here = {
    get place() { return placeOf.get(state.get("class_index")); },
    get name() { return data.names[this.place]; },
    get map() { return data.mapOf(this.place); },
    get peak() { return state.get("scale") === "own" ? largest(this.map) : data.peak; },
    get cell() { return state.get("cell"); },
    at: (place, [row, column]) => data.maps[(place * rows + row) * columns + column],
    value: (value) => withSign(value, digits),
    where: ([row, column]) => `row ${row + 1}, column ${column + 1}`,
    choose: (place) => state.set("class_index", data.classes[place]),
  };
  const id = `cx${Math.random().toString(36).slice(2)}`;
  const context = { data, state, here, id, rows, columns, height, width };

  const live = element("p", { class: "live", role: "status" });
  let waiting;
  context.announce = (text) => {
    // Somebody who sweeps over the cells hears the place where they stop, not all in between.
    clearTimeout(waiting);
    waiting = setTimeout(() => (live.textContent = text), 400);
  };

  const title = titlePart(context);
  const stage = stagePart(context);
  const bar = barPart(context);
  const best = bestPart(context);
  const search = searchPart(context);
  const sum = sumPart(context);
  const speaks = speaksPart(context);
  const settings = settingsPart(context);
  const octets = new Uint8Array(data.colours.buffer);
  const [against, favour] = [0, octets.length - 4].map((at) => `rgb(${octets.slice(at, at + 3).join(" ")})`);
  const app = element("div", { class: "app", style: `--cx-for: ${favour}; --cx-against: ${against}` },
    element("div", { class: "column" }, title.node, stage.node, bar.node, best.node),
    element("div", { class: "column" }, speaks.node, search.node, sum.node),
    settings.node, live,
  );
  // Below a wide picture there is room for the settings, beside another there is.
  app.classList.toggle("cx-wide", width > 1.5 * height);
  // Without this JupyterLab takes the arrow keys for itself and moves between notebook cells.
  app.dataset.lmSuppressShortcuts = "true";
  root.append(app);
  const grey = { update: () => app.classList.toggle("cx-grey", state.get("greyscale")) };

  const draws = {
    class_index: [title, stage.map, stage.words, bar, best, search, sum, speaks],
    cell: [stage.cell, bar, speaks],
    opacity: [stage.opacity, settings],
    greyscale: [grey, settings],
    mode: [stage.map, settings],
    scale: [stage.map, bar, settings],
  };
  const stops = Object.entries(draws).map(([name, parts]) =>
    state.subscribe(name, () => parts.forEach((part) => part.update())));
  stops.push(state.subscribe("class_index", () => context.announce(
    `${here.name}: logit ${number(data.logits[here.place], 2)}, rank ${data.rank[here.place]} of ` +
    `${data.count}. ${sum.sentence()}`)));
  new Set(Object.values(draws).flat()).forEach((part) => part.update());
  return () => {
    clearTimeout(waiting);
    stops.forEach((stop) => stop());
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
      rank.textContent = `logit ${number(data.logits[here.place], 2)} · rank ${data.rank[here.place]} of ${data.count}`;
    },
  };
}

/** The photograph, the map over it, and the cells over both. */
function stagePart({ data, state, here, rows, columns, height, width, announce }) {
  const photo = element("img", { class: "photo", src: data.photo, width, height });
  // The theme dims pictures in the dark unless they say that they suit both.
  photo.classList.add("dark-light");
  const canvas = element("canvas", { class: "heat", width, height, "aria-hidden": "true" });
  const draw = canvas.getContext("2d");
  const image = draw.createImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  const mark = element("div", { class: "mark" });
  const cells = Array.from({ length: rows * columns }, (_, index) => element("div", {
    class: "cell", role: "gridcell", tabindex: "-1", "aria-selected": "false", "data-index": index,
  }));
  const grid = element("div", {
    class: "grid", role: "grid",
    "aria-label": `The map's ${rows} × ${columns} cells. Arrow keys move from place to place.`,
    style: `--rows: ${rows}; --columns: ${columns}`,
  }, ...Array.from({ length: rows }, (_, row) =>
    element("div", { class: "row", role: "row" }, ...cells.slice(row * columns, (row + 1) * columns))));
  const indexOf = ([row, column]) => row * columns + column;
  const cellOf = (index) => [Math.floor(index / columns), index % columns];

  // The cell that was clicked or reached by keys stays when the mouse that merely passed has left.
  let pinned = here.cell;
  let ours = false;
  let home = 0;
  const show = (cell) => {
    if (String(cell) === String(here.cell)) return;
    ours = true;
    state.set("cell", cell);
    ours = false;
  };
  const pin = (cell) => {
    pinned = cell;
    show(cell);
    if (cell) announce(sentenceAbout(data, here, cell));
  };
  const under = (event) => {
    const box = grid.getBoundingClientRect();
    const row = Math.floor(((event.clientY - box.top) / box.height) * rows);
    const column = Math.floor(((event.clientX - box.left) / box.width) * columns);
    return row >= 0 && row < rows && column >= 0 && column < columns ? [row, column] : null;
  };
  grid.addEventListener("pointermove", (event) => {
    const cell = under(event);
    if (cell && event.pointerType === "touch") pinned = cell;
    if (cell) show(cell);
  });
  grid.addEventListener("pointerleave", (event) => {
    if (event.pointerType !== "touch") show(pinned);
  });
  grid.addEventListener("click", (event) => {
    const index = event.target.dataset.index;
    if (index === undefined) return;
    const cell = cellOf(Number(index));
    if (String(cell) !== String(pinned)) pin(cell);
    else if (event.pointerType === "touch") pin(null);
    else pinned = null;
  });
  grid.addEventListener("focusin", (event) => {
    if (event.target.matches(":focus-visible")) pin(cellOf(Number(event.target.dataset.index)));
  });
  grid.addEventListener("keydown", (event) => {
    const [row, column] = cellOf(home);
    const target = {
      ArrowUp: [row - 1, column], ArrowDown: [row + 1, column],
      ArrowLeft: [row, column - 1], ArrowRight: [row, column + 1],
      Home: [event.ctrlKey ? 0 : row, 0], End: [event.ctrlKey ? rows - 1 : row, columns - 1],
      PageUp: [0, column], PageDown: [rows - 1, column],
    }[event.key];
    if (event.key === "Escape") pin(null);
    else if (event.key === "Enter" || event.key === " ") pin(cellOf(home));
    else if (target && !event.altKey && !event.metaKey) {
      const cell = [
        Math.min(rows - 1, Math.max(0, target[0])), Math.min(columns - 1, Math.max(0, target[1])),
      ];
      pin(cell);
      cells[indexOf(cell)].focus({ preventScroll: true });
    } else return;
    event.preventDefault();
  });

  const label = (index) => {
    const cell = cellOf(index);
    cells[index].setAttribute("aria-label",
      `${here.where(cell)}: ${here.value(here.at(here.place, cell))} for ${here.name}`);
  };
  return {
    node: element("div", { class: "stage", style: `--width: ${width}px; --height: ${height}` },
      photo, canvas, mark, grid),
    map: {
      update() {
        const large = upsample(here.map, rows, columns, height, width, state.get("mode"));
        paint(pixels, large, here.peak, data.colours);
        draw.putImageData(image, 0, 0);
      },
    },
    words: {
      update() {
        cells.forEach((_, index) => label(index));
        photo.alt = `The photograph under the class activation map of “${here.name}”`;
      },
    },
    opacity: { update: () => canvas.style.setProperty("opacity", state.get("opacity")) },
    cell: {
      update() {
        const { cell } = here;
        if (!ours) pinned = cell;
        cells[home].tabIndex = -1;
        cells[home].setAttribute("aria-selected", "false");
        if (cell) {
          home = indexOf(cell);
          cells[home].setAttribute("aria-selected", "true");
          mark.style.setProperty("left", `${(cell[1] / columns) * 100}%`);
          mark.style.setProperty("top", `${(cell[0] / rows) * 100}%`);
          mark.style.setProperty("width", `${100 / columns}%`);
          mark.style.setProperty("height", `${100 / rows}%`);
        }
        cells[home].tabIndex = 0;
        mark.hidden = !cell;
      },
    },
  };
}

/** The colours' numbers, and where on them the chosen cell lies. */
function barPart({ data, here }) {
  const canvas = element("canvas", { width: data.colours.length, height: 1 });
  const draw = canvas.getContext("2d");
  const image = draw.createImageData(canvas.width, 1);
  new Uint32Array(image.data.buffer).set(data.colours);
  draw.putImageData(image, 0, 0);
  const least = element("span");
  const most = element("span");
  const needle = element("div", { class: "needle" });
  return {
    node: element("div", { class: "bar" },
      element("div", { class: "ramp", "aria-hidden": "true" }, canvas, needle),
      element("div", { class: "ticks" },
        element("span", {}, least, " against"), element("span", {}, "0"), element("span", {}, "for ", most))),
    update() {
      const { peak, cell } = here;
      least.textContent = here.value(-peak);
      most.textContent = here.value(peak);
      needle.hidden = !cell || peak === 0;
      if (needle.hidden) return;
      needle.style.setProperty("left", `${50 + (50 * here.at(here.place, cell)) / peak}%`);
    },
  };
}

/** The network's best guesses as small pictures: one tap shows another map. */
function bestPart({ data, here, id, rows, columns, height, width }) {
  const buttons = data.order.slice(0, BEST).map((place) => {
    const canvas = element("canvas", { width: width / 2, height: height / 2 });
    const draw = canvas.getContext("2d");
    const image = draw.createImageData(canvas.width, canvas.height);
    const large = upsample(data.mapOf(place), rows, columns, canvas.height, canvas.width, "bilinear");
    paint(new Uint32Array(image.data.buffer), large, data.peak, data.colours);
    draw.putImageData(image, 0, 0);
    const photo = element("img", { src: data.photo, alt: "" });
    photo.classList.add("dark-light");
    const button = element("button", { type: "button", class: "tile", onclick: () => here.choose(place) },
      element("span", { class: "thumb" }, photo, canvas),
      element("span", { class: "name" }, data.names[place]), " ",
      element("span", { class: "logit" }, number(data.logits[place], 2)));
    return { button, place };
  });
  const heading = element("p", { class: "heading", id: `${id}-best` }, "The network’s best guesses: choose one");
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
function searchPart({ data, here, id }) {
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
  const cellAt = (index) => [Math.floor(index / columns), index % columns];
  const sentence = () => {
    const { map, name } = here;
    const high = map.indexOf(Math.max(...map));
    const low = map.indexOf(Math.min(...map));
    if (map[high] <= 0 && map[low] >= 0) return `This picture holds no evidence for or against ${name}.`;
    if (map[high] <= 0) {
      return `No place speaks for ${name}: the largest of its ${rows * columns} values is ${here.value(map[high])}.`;
    }
    const against = map[low] < 0
      ? `Most against: ${here.value(map[low])}, ${here.where(cellAt(low))}.` : "No place speaks against it.";
    return `Most for: ${here.value(map[high])}, ${here.where(cellAt(high))}.\n${against}`;
  };
  return {
    sentence,
    node: element("div", { class: "sum" },
      element("p", { class: "terms" }, average.node, plus, offset.node, equals, logit.node),
      words),
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
  return `${here.where(cell)} speaks most for ${names}; for ${here.name}: ${here.value(values[here.place])}.`;
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
      where.textContent = cell ? here.where(cell) : "";
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
      own.textContent = `For ${here.name} here: ${here.value(mine)}, rank ${before + 1} of ${data.count}`;
    },
  };
}

/** Opacity, cells or smooth, and what the colours' ends mean. */
function settingsPart({ state, id }) {
  const slider = element("input", {
    id: `${id}-opacity`, type: "range", min: "0", max: "1", step: "0.05",
    oninput: () => state.set("opacity", Number(slider.value)),
  });
  const shown = element("output", { for: slider.id });
  const choice = (trait, words, answers) => {
    const radios = answers.map(([value, text]) => {
      const radio = element("input", {
        type: "radio", name: `${id}-${trait}`, value, onchange: () => state.set(trait, value),
      });
      return { radio, value, label: element("label", {}, radio, element("span", {}, text)) };
    });
    return {
      node: element("fieldset", { class: "choice" }, element("legend", {}, words),
        element("div", {}, ...radios.map(({ label }) => label))),
      update: () => radios.forEach(({ radio, value }) => (radio.checked = value === state.get(trait))),
    };
  };
  const mode = choice("mode", "Map", [["bilinear", "Smooth"], ["nearest", "Cells"]]);
  const scale = choice("scale", "Scale", [["shared", "All classes"], ["own", "This class"]]);
  const photo = choice("greyscale", "Photo", [[true, "Grey"], [false, "Colour"]]);
  return {
    node: element("div", { class: "settings" },
      element("div", { class: "opacity" }, element("label", { for: slider.id }, "Opacity"), slider, shown),
      photo.node, mode.node, scale.node),
    update() {
      slider.value = state.get("opacity");
      shown.textContent = `${Math.round(100 * state.get("opacity"))} %`;
      [photo, mode, scale].forEach((part) => part.update());
    },
  };
}

// ---------------------------------------------------------------- the two lives

/** Bring a static figure to life; returns the function that makes it static again. */
export function hydrate(figure) {
  if (figure.querySelector(".cx-app")) return () => {};
  const { state, ...packed } = JSON.parse(figure.querySelector("script[type='application/json']").textContent);
  dress();
  const still = figure.querySelectorAll(":scope > img, :scope > figcaption");
  const leave = explore(figure, unpack(packed), pageState(state));
  // Only now: if anything above fails, the picture stays.
  still.forEach((node) => (node.hidden = true));
  figure.setAttribute("aria-label", "Class explorer");
  return () => {
    leave();
    still.forEach((node) => (node.hidden = false));
    figure.removeAttribute("aria-label");
  };
}

function render({ model, el }) {
  dress();
  const figure = document.createElement("figure");
  figure.className = "camlib-explorer";
  figure.setAttribute("aria-label", "Class explorer");
  el.append(figure);
  const leave = explore(figure, unpack(model.get("_data")), modelState(model));
  return () => {
    leave();
    figure.remove();
  };
}

export default { render };

// ---------------------------------------------------------------- looks

const STYLE = `
.camlib-explorer {
  --cx-ink: var(--pst-color-text-base, var(--jp-ui-font-color0, var(--vscode-foreground, CanvasText)));
  --cx-muted: var(--pst-color-text-muted, var(--jp-ui-font-color2, var(--vscode-descriptionForeground, GrayText)));
  --cx-line: var(--pst-color-border, var(--jp-border-color2, var(--vscode-widget-border, color-mix(in srgb, currentColor 25%, transparent))));
  --cx-card: var(--pst-color-background, var(--jp-layout-color0, var(--vscode-editor-background, Canvas)));
  --cx-wash: var(--cam-raised, color-mix(in srgb, var(--cx-ink) 6%, var(--cx-card)));
  --cx-accent: var(--cam-focus, var(--pst-color-link, var(--jp-brand-color1, var(--vscode-focusBorder, LinkText))));
  container-type: inline-size;
  margin: 1.25rem 0;
  color: var(--cx-ink);
  font-family: var(--cam-font-label, var(--jp-ui-font-family, inherit));
  font-size: 0.9375rem;
  line-height: 1.4;
}
.camlib-explorer [hidden] { display: none !important; }
.camlib-explorer .cx-app, .camlib-explorer .cx-app * { box-sizing: border-box; }
.camlib-explorer .cx-app {
  display: grid; gap: 1rem; max-width: 60rem; padding: 0.875rem; text-align: left;
  background: var(--cx-card); border: 1px solid var(--cx-line); border-radius: 0.75rem;
  font-variant-numeric: tabular-nums;
}
.camlib-explorer .cx-column { display: flex; flex-direction: column; gap: 0.75rem; min-width: 0; }
.camlib-explorer .cx-app p { margin: 0; }
.camlib-explorer .cx-app :focus-visible { outline: 3px solid var(--cx-accent); outline-offset: 2px; }
.camlib-explorer .cx-live { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }

.camlib-explorer .cx-title { display: flex; flex-wrap: wrap; gap: 0 0.625rem; align-items: baseline; min-height: 1.75rem; }
.camlib-explorer .cx-title strong { font-size: 1.25rem; line-height: 1.4; }
.camlib-explorer .cx-title span { color: var(--cx-muted); }

.camlib-explorer .cx-stage { position: relative; width: 100%; max-width: var(--width); border-radius: 0.5rem; }
.camlib-explorer .cx-photo { display: block; width: 100%; height: auto; margin: 0; border-radius: inherit; }
/* The theme's rules for pictures in the dark are more specific than anything in here. */
.camlib-explorer .cx-grey img { filter: grayscale(1) !important; }
.camlib-explorer .cx-heat { position: absolute; inset: 0; width: 100%; height: 100%; border-radius: inherit; }
.camlib-explorer .cx-grid {
  position: absolute; inset: 0; display: flex; flex-direction: column; touch-action: pan-y; cursor: crosshair;
}
.camlib-explorer .cx-grid::before {
  content: ""; position: absolute; inset: 0; pointer-events: none; opacity: 0; transition: opacity 0.2s;
  background-image:
    linear-gradient(to right, rgb(255 255 255 / 0.45) 1px, transparent 1px),
    linear-gradient(to bottom, rgb(255 255 255 / 0.45) 1px, transparent 1px);
  background-size: calc(100% / var(--columns)) 100%, 100% calc(100% / var(--rows));
}
.camlib-explorer .cx-grid:hover::before, .camlib-explorer .cx-grid:focus-within::before { opacity: 1; }
.camlib-explorer .cx-row { display: flex; flex: 1; min-height: 0; }
.camlib-explorer .cx-cell { flex: 1; min-width: 0; border-radius: 3px; }
.camlib-explorer .cx-app .cx-cell:focus-visible { outline: 3px solid #fff; outline-offset: 1px; box-shadow: 0 0 0 6px #16181d; z-index: 1; }
.camlib-explorer .cx-mark {
  position: absolute; border-radius: 3px; pointer-events: none;
  outline: 2px solid #fff; box-shadow: 0 0 0 4px rgb(15 18 25 / 0.75);
}

.camlib-explorer .cx-bar { max-width: 448px; }
.camlib-explorer .cx-ramp { position: relative; height: 0.625rem; background: var(--cx-wash); border-radius: 0.3125rem; }
.camlib-explorer .cx-ramp canvas { display: block; width: 100%; height: 100%; border-radius: 0.3125rem; }
.camlib-explorer .cx-needle {
  position: absolute; top: -0.1875rem; bottom: -0.1875rem; width: 4px; margin-left: -2px;
  background: var(--cx-ink); border-radius: 2px; outline: 2px solid var(--cx-card);
}
.camlib-explorer .cx-ticks { display: grid; grid-template-columns: 1fr auto 1fr; padding-top: 0.25rem; color: var(--cx-muted); font-size: 0.8125rem; }
.camlib-explorer .cx-ticks span:last-child { text-align: right; }

.camlib-explorer .cx-best { display: grid; margin: 0.25rem -0.25rem 0; grid-template-columns: repeat(5, minmax(0, 1fr)); gap: 0.25rem; max-width: 456px; }
.camlib-explorer .cx-tile {
  display: flex; flex-direction: column; gap: 0.125rem; padding: 0.1875rem 0.1875rem 0.375rem; margin: 0;
  color: inherit; background: none; border: 1px solid transparent; border-radius: 0.5rem;
  font: inherit; font-size: 0.8125rem; line-height: 1.2; text-align: center; cursor: pointer;
}
.camlib-explorer .cx-tile:hover { background: var(--cx-wash); }
.camlib-explorer .cx-tile[aria-pressed="true"] { background: var(--cx-wash); border-color: var(--cx-accent); box-shadow: inset 0 0 0 1px var(--cx-accent); }
.camlib-explorer .cx-thumb { position: relative; display: block; width: 100%; margin-bottom: 0.125rem; }
.camlib-explorer .cx-thumb img { display: block; width: 100%; height: auto; margin: 0; border-radius: 0.3125rem; }
.camlib-explorer .cx-thumb canvas { position: absolute; inset: 0; width: 100%; height: 100%; border-radius: 0.3125rem; opacity: 0.85; }
.camlib-explorer .cx-tile .cx-name { flex: 1; overflow-wrap: anywhere; hyphens: auto; }
.camlib-explorer .cx-tile[aria-pressed="true"] .cx-name { font-weight: 600; }
.camlib-explorer .cx-logit, .camlib-explorer .cx-value { color: var(--cx-muted); }

.camlib-explorer .cx-search { position: relative; }
.camlib-explorer .cx-search label { display: block; margin: 0 0 0.25rem; font-weight: 600; }
.camlib-explorer .cx-field {
  width: 100%; height: 2.5rem; padding: 0 0.75rem 0 2.25rem; margin: 0; color: inherit; background: var(--cx-card);
  border: 1px solid var(--cx-muted); border-radius: 0.5rem; font: inherit; font-size: 1rem;
}
.camlib-explorer .cx-glass { position: absolute; left: 0.8125rem; top: 2.4375rem; width: 0.75rem; height: 0.75rem; border: 2px solid var(--cx-muted); border-radius: 50%; pointer-events: none; }
.camlib-explorer .cx-glass::after { content: ""; position: absolute; left: 0.5rem; top: 0.5rem; width: 0.5rem; border-top: 2px solid var(--cx-muted); transform: rotate(45deg); transform-origin: 0 0; }
.camlib-explorer .cx-popup {
  position: absolute; z-index: 30; top: 100%; left: 0; right: 0; margin-top: 0.25rem; overflow: hidden;
  background: var(--cx-card); border: 1px solid var(--cx-line); border-radius: 0.5rem; box-shadow: 0 0.5rem 1.5rem rgb(0 0 0 / 0.25);
}
.camlib-explorer .cx-list { max-height: 17rem; margin: 0; padding: 0.25rem; overflow: auto; list-style: none; }
.camlib-explorer .cx-list:empty { display: none; }
.camlib-explorer .cx-option { display: flex; justify-content: space-between; gap: 0.75rem; margin: 0; padding: 0.375rem 0.5rem; border-radius: 0.3125rem; cursor: pointer; }
.camlib-explorer .cx-option:hover { background: var(--cx-wash); }
.camlib-explorer .cx-option[aria-selected="true"] { background: var(--cx-wash); box-shadow: inset 0.1875rem 0 0 var(--cx-accent); }
.camlib-explorer .cx-note { padding: 0.375rem 0.75rem; color: var(--cx-muted); font-size: 0.8125rem; border-top: 1px solid var(--cx-line); }
.camlib-explorer .cx-note:empty { display: none; }

.camlib-explorer .cx-sum { padding: 0.625rem; background: var(--cx-wash); border-radius: 0.5rem; }
.camlib-explorer .cx-terms { display: flex; gap: 0.5rem; align-items: baseline; justify-content: space-between; }
.camlib-explorer .cx-term { display: flex; flex-direction: column; }
.camlib-explorer .cx-term strong { font-size: 1.25rem; line-height: 1.3; font-weight: 600; }
.camlib-explorer .cx-term small { font-size: 0.8125rem; color: var(--cx-muted); }
.camlib-explorer .cx-sign { font-size: 1.125rem; color: var(--cx-muted); }
.camlib-explorer .cx-words { font-size: 0.8125rem; white-space: pre-line; }
.camlib-explorer .cx-sum .cx-words { min-height: 2.8em; margin-top: 0.5rem; }
.camlib-explorer .cx-none { padding-left: 0.625rem; border-left: 3px solid var(--cx-against); }

.camlib-explorer .cx-speaks { position: relative; }
.camlib-explorer .cx-heading { font-weight: 600; }
.camlib-explorer .cx-heading span { font-weight: 400; color: var(--cx-muted); white-space: nowrap; }
.camlib-explorer .cx-invitation { position: absolute; left: 0; right: 0; padding: 0.5rem 0; color: var(--cx-muted); }
.camlib-explorer .cx-answer { margin-top: 0.25rem; }
.camlib-explorer .cx-silent { visibility: hidden; }
.camlib-explorer .cx-line {
  display: grid; grid-template-columns: 1fr auto; gap: 0.125rem 0.5rem; width: calc(100% + 0.75rem); margin: 0 -0.375rem; padding: 0.25rem 0.375rem;
  color: inherit; background: none; border: 0; border-radius: 0.375rem; font: inherit; font-size: 0.875rem; line-height: 1.3; text-align: left; cursor: pointer;
}
.camlib-explorer .cx-line:hover { background: var(--cx-wash); }
.camlib-explorer .cx-line .cx-name { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.camlib-explorer .cx-line .cx-name:empty::before { content: "\\200b"; }
.camlib-explorer .cx-line[aria-pressed="true"] .cx-name { font-weight: 600; }
.camlib-explorer .cx-track { grid-column: 1 / -1; height: 0.25rem; background: var(--cx-wash); border-radius: 0.125rem; overflow: hidden; }
.camlib-explorer .cx-length { display: block; height: 100%; background: var(--cx-for); }
.camlib-explorer .cx-length.cx-against { background: var(--cx-against); }
.camlib-explorer .cx-answer .cx-words { min-height: 2.8em; padding-top: 0.375rem; color: var(--cx-muted); }

.camlib-explorer .cx-settings { display: grid; gap: 0.625rem; padding-top: 0.75rem; border-top: 1px solid var(--cx-line); font-size: 0.875rem; }
.camlib-explorer .cx-opacity { display: grid; grid-template-columns: 4rem 1fr 3rem; gap: 0.5rem; align-items: center; }
.camlib-explorer .cx-opacity label { margin: 0; }
.camlib-explorer .cx-opacity input { width: 100%; margin: 0; accent-color: var(--cx-accent); }
.camlib-explorer .cx-opacity output { text-align: right; color: var(--cx-muted); }
.camlib-explorer .cx-choice { display: grid; grid-template-columns: 4rem 1fr; gap: 0.5rem; align-items: center; min-width: 0; margin: 0; padding: 0; border: 0; }
.camlib-explorer .cx-choice legend { float: left; width: auto; margin: 0; padding: 0; font: inherit; }
.camlib-explorer .cx-choice div { display: flex; padding: 0.125rem; background: var(--cx-wash); border-radius: 0.5rem; }
.camlib-explorer .cx-choice label { position: relative; flex: 1; margin: 0; cursor: pointer; }
.camlib-explorer .cx-choice input { position: absolute; inset: 0; width: 100%; height: 100%; margin: 0; opacity: 0; cursor: pointer; }
.camlib-explorer .cx-choice span { display: block; padding: 0.3125rem 0.5rem; border-radius: 0.375rem; text-align: center; white-space: nowrap; }
.camlib-explorer .cx-choice input:checked + span { background: var(--cx-card); box-shadow: 0 0 0 1px var(--cx-line); font-weight: 600; }
.camlib-explorer .cx-choice input:focus-visible + span { outline: 3px solid var(--cx-accent); outline-offset: 1px; }

@container (max-width: 26rem) { .camlib-explorer .cx-tile { font-size: 0.75rem; } }
@container (min-width: 41rem) {
  .camlib-explorer .cx-app {
    grid-template: "picture words" auto "picture settings" 1fr / minmax(0, 448px) minmax(15.5rem, 1fr);
    gap: 1rem 1.25rem; padding: 1rem;
  }
  .camlib-explorer .cx-app.cx-wide { grid-template-areas: "picture words" "settings words"; }
  .camlib-explorer .cx-column:first-child { grid-area: picture; }
  .camlib-explorer .cx-column:nth-child(2) { grid-area: words; }
  .camlib-explorer .cx-settings { grid-area: settings; align-self: end; }
  /* On a phone the answer stands near the place that was tapped; here there is room beside it. */
  .camlib-explorer .cx-speaks { order: 1; }
  .camlib-explorer .cx-wide .cx-settings { align-self: start; }
}
@media (prefers-reduced-motion: reduce) { .camlib-explorer .cx-grid::before { transition: none; } }
@media print { .camlib-explorer .cx-settings, .camlib-explorer .cx-search, .camlib-explorer .cx-invitation { display: none; } }
`;

let sheet;
/** Give the page the styles once. A constructed sheet also passes a policy that forbids inline ones. */
export function dress() {
  if (sheet) return;
  sheet = new CSSStyleSheet();
  sheet.replaceSync(STYLE);
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
}
