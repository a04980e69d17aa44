// Made by `python -m tooling.sphinx_ext.explorers`: edit the modules beside it.

// shared/elements.mjs
function furnished(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "class") node.setAttribute("class", value.replace(/\S+/g, "cx-$&"));
    else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}
var element = (tag, attributes = {}, ...children) => furnished(document.createElement(tag), attributes, children);
var shape = (tag, attributes = {}, ...children) => furnished(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
function reword(node, text) {
  if (node.textContent !== text) node.textContent = text;
}
var uniqueId = () => `cx${Math.random().toString(36).slice(2)}`;
function photograph(attributes) {
  const image = element("img", attributes);
  image.classList.add("dark-light");
  return image;
}
function announcer() {
  const node = element("p", { class: "live", role: "status" });
  let waiting;
  return {
    node,
    say(text) {
      clearTimeout(waiting);
      waiting = setTimeout(() => node.textContent = text, 400);
    },
    stop: () => clearTimeout(waiting)
  };
}

// shared/controls.mjs
function slider({ state, trait, words, min, max, step, written }) {
  const input = element("input", {
    id: uniqueId(),
    type: "range",
    min,
    max,
    step,
    oninput: () => state.set(trait, Number(input.value))
  });
  const shown = element("output", { for: input.id });
  return {
    node: element("div", { class: "slider" }, element("label", { for: input.id }, words), input, shown),
    update() {
      input.value = state.get(trait);
      shown.textContent = written(state.get(trait));
      input.setAttribute("aria-valuetext", shown.textContent);
    }
  };
}
function choice({ state, trait, words, answers }) {
  const name = uniqueId();
  const radios = answers.map(([value, text]) => {
    const radio = element("input", {
      type: "radio",
      name,
      value,
      onchange: () => state.set(trait, value)
    });
    return { radio, value, label: element("label", {}, radio, element("span", {}, ...[text].flat())) };
  });
  return {
    node: element(
      "fieldset",
      { class: "choice" },
      element("legend", {}, words),
      element("div", {}, ...radios.map(({ label }) => label))
    ),
    update: () => radios.forEach(({ radio, value }) => radio.checked = value === state.get(trait))
  };
}

// shared/data.mjs
function decode(address) {
  const [head, body] = address.split(",", 2);
  const { buffer } = Uint8Array.from(atob(body), (letter) => letter.charCodeAt(0));
  const dtype = head.match(/application\/x-(\w+)/)[1];
  return new { uint8: Uint8Array, int16: Int16Array, int32: Int32Array, float32: Float32Array }[dtype](buffer);
}

// shared/state.mjs
function pageState(values) {
  const listeners = /* @__PURE__ */ new Map();
  return {
    get: (name) => values[name],
    set(name, value) {
      if (values[name] === value) return;
      values[name] = value;
      listeners.get(name)?.forEach((listener) => listener());
    },
    subscribe(name, listener) {
      if (!listeners.has(name)) listeners.set(name, /* @__PURE__ */ new Set());
      listeners.get(name).add(listener);
      return () => listeners.get(name).delete(listener);
    }
  };
}
function modelState(model) {
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
    }
  };
}

// shared/lives.mjs
function livesOf(name, label, build) {
  return {
    /** Bring a static figure to life; returns the function that makes it static again. */
    hydrate(figure) {
      if (figure.querySelector(".cx-app")) return () => {
      };
      const { state, ...packed } = JSON.parse(figure.querySelector("script[type='application/json']").textContent);
      const still = figure.querySelectorAll(":scope > img, :scope > figcaption");
      const leave = build(figure, packed, pageState(state));
      still.forEach((node) => node.hidden = true);
      figure.setAttribute("aria-label", label);
      return () => {
        leave();
        still.forEach((node) => node.hidden = false);
        figure.removeAttribute("aria-label");
      };
    },
    render({ model, el }) {
      const figure = element("figure", { "aria-label": label });
      figure.className = "camlib-explorer";
      figure.dataset.camlibExplorer = name;
      figure.addEventListener("keydown", (event) => {
        const { ctrlKey, metaKey, altKey, shiftKey, key } = event;
        if (!ctrlKey && !metaKey && !altKey && !(shiftKey && key === "Enter")) event.stopPropagation();
      });
      el.append(figure);
      const leave = build(figure, model.get("_data"), modelState(model));
      return () => {
        leave();
        figure.remove();
      };
    }
  };
}
function follow(state, draws) {
  const stops = Object.entries(draws).map(([name, parts]) => state.subscribe(name, () => parts.forEach((part) => part.update())));
  new Set(Object.values(draws).flat()).forEach((part) => part.update());
  return () => stops.forEach((stop) => stop());
}

// shared/looks.mjs
var SHARED = `
.camlib-explorer {
  --cx-ink: var(--pst-color-text-base, var(--jp-ui-font-color0, var(--vscode-foreground, CanvasText)));
  --cx-muted: var(--pst-color-text-muted, color-mix(in srgb, var(--cx-ink) 65%, var(--cx-card)));
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
.camlib-explorer .cx-pad { position: absolute; inset: 0; touch-action: pan-y; cursor: crosshair; }
.camlib-explorer .cx-mark {
  position: absolute; border-radius: 3px; pointer-events: none;
  outline: 2px solid #fff; box-shadow: 0 0 0 4px rgb(15 18 25 / 0.75);
}

.camlib-explorer .cx-bar { max-width: 448px; }
.camlib-explorer .cx-ramp { position: relative; height: 0.625rem; background: #c4c4c4; border-radius: 0.3125rem; }
.camlib-explorer .cx-ramp canvas { display: block; width: 100%; height: 100%; border-radius: 0.3125rem; }
.camlib-explorer .cx-needle {
  position: absolute; top: -0.1875rem; bottom: -0.1875rem; width: 4px; margin-left: -2px;
  background: var(--cx-ink); border-radius: 2px; outline: 2px solid var(--cx-card);
}
.camlib-explorer .cx-ticks { display: grid; grid-template-columns: 1fr auto 1fr; padding-top: 0.25rem; color: var(--cx-muted); font-size: 0.8125rem; }
.camlib-explorer .cx-ticks span:last-child { text-align: right; }

.camlib-explorer .cx-settings { display: grid; gap: 0.625rem; padding-top: 0.75rem; border-top: 1px solid var(--cx-line); font-size: 0.875rem; }
.camlib-explorer .cx-slider { display: grid; grid-template-columns: 4rem 1fr 3rem; gap: 0.5rem; align-items: center; }
.camlib-explorer .cx-slider label { margin: 0; }
.camlib-explorer .cx-slider input { width: 100%; margin: 0; accent-color: var(--cx-accent); }
.camlib-explorer .cx-slider output { text-align: right; color: var(--cx-muted); }
.camlib-explorer .cx-choice { display: grid; grid-template-columns: 4rem 1fr; gap: 0.5rem; align-items: center; min-width: 0; margin: 0; padding: 0; border: 0; }
.camlib-explorer .cx-choice legend { float: left; width: auto; margin: 0; padding: 0; font: inherit; }
.camlib-explorer .cx-choice div { display: flex; padding: 0.125rem; background: var(--cx-wash); border-radius: 0.5rem; }
.camlib-explorer .cx-choice label { position: relative; flex: 1; margin: 0; cursor: pointer; }
.camlib-explorer .cx-choice input { position: absolute; inset: 0; width: 100%; height: 100%; margin: 0; opacity: 0; cursor: pointer; }
.camlib-explorer .cx-choice span { display: block; padding: 0.3125rem 0.5rem; border-radius: 0.375rem; text-align: center; white-space: nowrap; }
.camlib-explorer .cx-choice input:checked + span { background: var(--cx-card); box-shadow: 0 0 0 1px var(--cx-line); font-weight: 600; }
.camlib-explorer .cx-choice input:focus-visible + span { outline: 3px solid var(--cx-accent); outline-offset: 1px; }

.camlib-explorer .cx-sum { padding: 0.625rem; background: var(--cx-wash); border-radius: 0.5rem; }
.camlib-explorer .cx-terms { display: flex; gap: 0.5rem; align-items: baseline; justify-content: space-between; }
.camlib-explorer .cx-term { display: flex; flex-direction: column; }
.camlib-explorer .cx-term strong { font-size: 1.25rem; line-height: 1.3; font-weight: 600; }
.camlib-explorer .cx-term small { font-size: 0.8125rem; color: var(--cx-muted); }
.camlib-explorer .cx-held { grid-column: 1 / -1; font-size: 0.8125rem; color: var(--cx-muted); }
.camlib-explorer .cx-sign { font-size: 1.125rem; color: var(--cx-muted); }
.camlib-explorer .cx-words { font-size: 0.8125rem; white-space: pre-line; }
.camlib-explorer .cx-heading { font-weight: 600; }
.camlib-explorer .cx-heading span { font-weight: 400; color: var(--cx-muted); white-space: nowrap; }

/* On a phone the picture stays in sight while what changes it is touched, below a page's own header. A column
   gives up its box: a picture stays within its parent, and that has to be the whole explorer. */
@container (max-width: 33.99rem) {
  .camlib-explorer .cx-app { display: flex; flex-direction: column; }
  .camlib-explorer .cx-app > :is(.cx-column, .cx-part) { display: contents; }
  .camlib-explorer .cx-app .cx-sticky { position: sticky; top: var(--cam-header, 0px); z-index: 2; background: var(--cx-card); }
  /* What the keyboard reaches must not lie below it. */
  .camlib-explorer .cx-app :is(input, button) { scroll-margin-top: calc(var(--cam-header, 0px) + 24rem); }
}

@media (prefers-reduced-motion: reduce) { .camlib-explorer .cx-grid::before { transition: none; } }
@media print { .camlib-explorer .cx-settings { display: none; } }
`;
var worn = /* @__PURE__ */ new Set();
function wear(rules) {
  if (worn.has(rules)) return;
  worn.add(rules);
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(rules);
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
}
function dress(style, name) {
  wear(SHARED);
  wear(`[data-camlib-explorer="${name}"] { ${style} }`);
}

// shared/numbers.mjs
function largest(values) {
  let peak = 0;
  for (const value of values) if (Math.abs(value) > peak) peak = Math.abs(value);
  return peak;
}
function mean(values) {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}
function strongest(values, count) {
  const indices = Array.from(values.keys());
  return indices.sort((a, b) => values[b] - values[a] || a - b).slice(0, count);
}
var digitsFor = (peak, figures = 3) => peak ? Math.min(6, Math.max(0, figures - 1 - Math.floor(Math.log10(Math.abs(peak))))) : 2;
var number = (value, digits) => {
  const text = Math.abs(value).toFixed(digits);
  return (value < 0 && Number(text) ? "−" : "") + text;
};
var withSign = (value, digits) => {
  const text = number(value, digits);
  return Number(text) > 0 ? `+${text}` : text;
};
var plural = (count, one, many) => `${count} ${count === 1 ? one : many}`;

// shared/upsampling.mjs
var KEYS = -0.75;
function shares(cells, pixels, mode, alignCorners = false) {
  const taps = { nearest: 1, bilinear: 2, bicubic: 4 }[mode];
  if (!taps) throw new Error(`mode: expected nearest, bilinear or bicubic, got ${mode}`);
  const cell = new Int32Array(pixels * taps);
  const share = new Float32Array(pixels * taps);
  for (let pixel = 0; pixel < pixels; pixel++) {
    const place = placeOfPixel(pixel, cells, pixels, alignCorners && taps > 1);
    const before = taps > 1 ? Math.floor(place) : Math.floor(place + 0.5);
    for (let tap = 0; tap < taps; tap++) {
      const asked = before + tap - (taps === 4 ? 1 : 0);
      cell[pixel * taps + tap] = Math.min(cells - 1, Math.max(0, asked));
      share[pixel * taps + tap] = weight(Math.abs(place - asked), taps);
    }
  }
  return { taps, cell, share };
}
function weight(distance, taps) {
  if (taps === 1) return 1;
  if (taps === 2) return 1 - distance;
  if (distance <= 1) return ((KEYS + 2) * distance - (KEYS + 3)) * distance * distance + 1;
  return ((KEYS * distance - 5 * KEYS) * distance + 8 * KEYS) * distance - 4 * KEYS;
}
function placeOfPixel(pixel, cells, pixels, alignCorners) {
  if (alignCorners) return pixels > 1 ? Math.fround(Math.fround((cells - 1) / (pixels - 1)) * pixel) : 0;
  return Math.fround(Math.fround(Math.fround(cells / pixels) * (pixel + 0.5)) - 0.5);
}
function centresOf(cells, pixels, alignCorners = false) {
  const aligned = alignCorners && cells > 1;
  return Float64Array.from({ length: cells }, (_, cell) => aligned ? cell * (pixels - 1) / (cells - 1) : (cell + 0.5) * pixels / cells - 0.5);
}
function upsample(map, rows, columns, height, width, mode, alignCorners = false) {
  const result = new Float32Array(height * width);
  const down = shares(rows, height, mode, alignCorners);
  const { taps, cell, share } = shares(columns, width, mode, alignCorners);
  for (let y = 0, pixel = 0; y < height; y++) {
    const line = mixedRow(map, columns, down, y);
    for (let at = 0; at < share.length; at += taps, pixel++) {
      let sum = share[at] * line[cell[at]];
      if (taps > 1) sum += share[at + 1] * line[cell[at + 1]];
      if (taps > 2) sum += share[at + 2] * line[cell[at + 2]] + share[at + 3] * line[cell[at + 3]];
      result[pixel] = sum;
    }
  }
  return result;
}
function mixedRow(map, columns, { taps, cell, share }, y) {
  const line = new Float32Array(columns);
  for (let tap = y * taps; tap < (y + 1) * taps; tap++) {
    const start = cell[tap] * columns;
    for (let x = 0; x < columns; x++) line[x] += share[tap] * map[start + x];
  }
  return line;
}

// shared/painting.mjs
function paint(pixels, values, peak, colours) {
  const middle = (colours.length - 1) / 2;
  const factor = peak > 0 ? middle / peak : 0;
  for (let pixel = 0; pixel < values.length; pixel++) {
    pixels[pixel] = colours[Math.round(middle + values[pixel] * factor)];
  }
}
function heat(height, width, colours) {
  const node = element("canvas", { class: "heat", width, height, "aria-hidden": "true" });
  const surface = node.getContext("2d");
  const image = surface.createImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  return {
    node,
    draw(values, peak) {
      paint(pixels, values, peak, colours);
      surface.putImageData(image, 0, 0);
    },
    drawMap(map, rows, columns, peak, mode = "bilinear") {
      this.draw(upsample(map, rows, columns, height, width, mode), peak);
    }
  };
}
function colourBar(colours, [against, favour] = ["against", "for"]) {
  const canvas = element("canvas", { width: colours.length, height: 1 });
  const surface = canvas.getContext("2d");
  const image = surface.createImageData(canvas.width, 1);
  new Uint32Array(image.data.buffer).set(colours);
  surface.putImageData(image, 0, 0);
  const least = element("span");
  const most = element("span");
  const needle = element("div", { class: "needle" });
  return {
    node: element(
      "div",
      { class: "bar" },
      element("div", { class: "ramp", "aria-hidden": "true" }, canvas, needle),
      element(
        "div",
        { class: "ticks" },
        element("span", {}, least, ` ${against}`),
        element("span", {}, "0"),
        element("span", {}, `${favour} `, most)
      )
    ),
    /** Write the ends with `written` and point at `value`, or at nothing where it is null. */
    show(peak, value, written) {
      least.textContent = written(-peak);
      most.textContent = written(peak);
      needle.hidden = value === null || peak === 0;
      if (!needle.hidden) needle.style.setProperty("left", `${50 + 50 * value / peak}%`);
    }
  };
}
function endColours(colours) {
  const octets = new Uint8Array(colours.buffer);
  const [against, favour] = [0, octets.length - 4].map((at) => `rgb(${octets.slice(at, at + 3).join(" ")})`);
  return `--cx-for: ${favour}; --cx-against: ${against};`;
}

// box_explorer.mjs
var FOUND = 0.5;
var STEPS = Array.from({ length: 99 }, (_, step) => Math.round(step + 1) / 100);
var { hydrate, render } = livesOf("box_explorer", "Box explorer", (root, packed, state) => explore(root, unpack(packed), state));
function regionsOf({ map, width, peak, low }, threshold) {
  const owner = new Uint16Array(map.length);
  const regions = [];
  if (peak <= 0 || peak === low) return { owner, regions };
  const least = Math.fround(threshold * peak);
  const height = map.length / width;
  const waiting = [];
  for (let start = 0; start < map.length; start++) {
    if (owner[start] || !(map[start] > least)) continue;
    const region = { size: 0, box: [width, height, 0, 0] };
    regions.push(region);
    owner[start] = regions.length;
    waiting.push(start);
    while (waiting.length) {
      const place = waiting.pop();
      const [x, y] = [place % width, Math.floor(place / width)];
      const { box } = region;
      region.size++;
      if (x < box[0]) box[0] = x;
      if (y < box[1]) box[1] = y;
      if (x >= box[2]) box[2] = x + 1;
      if (y >= box[3]) box[3] = y + 1;
      for (let v = Math.max(0, y - 1); v <= Math.min(height - 1, y + 1); v++) {
        for (let u = Math.max(0, x - 1); u <= Math.min(width - 1, x + 1); u++) {
          const next = v * width + u;
          if (owner[next] || !(map[next] > least)) continue;
          owner[next] = regions.length;
          waiting.push(next);
        }
      }
    }
  }
  return { owner, regions };
}
var largestOf = (regions) => regions.reduce((best, { size }, index) => best && regions[best - 1].size >= size ? best : index + 1, 0);
function iouOf(a, b) {
  const both = Math.max(0, Math.min(a[2], b[2]) - Math.max(a[0], b[0])) * Math.max(0, Math.min(a[3], b[3]) - Math.max(a[1], b[1]));
  const area = ([x0, y0, x1, y1]) => (x1 - x0) * (y1 - y0);
  return both / (area(a) + area(b) - both);
}
function cut(scene, threshold) {
  const { owner, regions } = regionsOf(scene, threshold);
  const largest2 = largestOf(regions);
  const box = largest2 ? regions[largest2 - 1].box : null;
  return { owner, regions, largest: largest2, box, iou: box ? Math.max(...scene.boxes.map((true_) => iouOf(box, true_))) : 0 };
}
function unpack({ scenes, colours }) {
  return {
    colours: new Uint32Array(decode(colours).buffer),
    scenes: scenes.map((scene) => {
      const [[height, width], [rows, columns]] = [scene.size, scene.shape];
      const map = upsample(decode(scene.map), rows, columns, height, width, "bilinear");
      const [low, peak] = [Math.min, Math.max].map((end) => map.reduce((a, b) => end(a, b)));
      const whole2 = { ...scene, map, height, width, low, peak };
      return { ...whole2, curve: STEPS.map((threshold) => cut(whole2, threshold).iou) };
    })
  };
}
var percent = (share) => `${Math.round(100 * share)} %`;
function explore(root, data, state) {
  dress(STYLE, "box_explorer");
  const { scenes } = data;
  const here = {
    get threshold() {
      return state.get("threshold");
    },
    get scene() {
      return scenes[state.get("scene")];
    },
    update() {
      this.cut = cut(this.scene, this.threshold);
      if (this.at !== this.threshold) this.ious = scenes.map((scene) => cut(scene, this.threshold).iou);
      this.at = this.threshold;
      this.found = this.ious.filter((iou) => iou >= FOUND).length;
    }
  };
  const context = { ...data, state, here };
  const voice = announcer();
  const [title, stage, verdict, curve, choose] = [titlePart, stagePart, verdictPart, curvePart, choosePart].map((part) => part(context));
  const threshold = slider({
    state,
    trait: "threshold",
    words: "Threshold",
    min: 0.01,
    max: 0.99,
    step: 0.01,
    written: percent
  });
  const app = element(
    "div",
    { class: "app boxing" },
    title.node,
    element("div", { class: "column" }, stage.node, threshold.node, keyPart()),
    element("div", { class: "column" }, choose.node, verdict.node, curve.node),
    voice.node
  );
  root.append(app);
  const changing = [here, title, stage, verdict, curve, choose, threshold];
  const ends = [
    follow(state, { threshold: changing, scene: changing }),
    ...["threshold", "scene"].map((trait) => state.subscribe(trait, () => voice.say(verdict.sentence()))),
    voice.stop,
    () => app.remove()
  ];
  return () => ends.forEach((end) => end());
}
function titlePart({ scenes, state, here }) {
  const [name, place] = [element("strong"), element("span")];
  return {
    node: element("p", { class: "title" }, name, " ", place),
    update() {
      reword(name, here.scene.name);
      reword(place, `picture ${state.get("scene") + 1} of ${scenes.length}`);
    }
  };
}
var outline = ([x0, y0, x1, y1]) => `M${x0} ${y0}H${x1}V${y1}H${x0}Z`;
function stagePart({ scenes, colours, here }) {
  const photo = photograph({ class: "photo" });
  const [evidence, shadow] = [0, 1].map(() => element("canvas", { class: "heat", "aria-hidden": "true" }));
  const [surface, dark] = [evidence, shadow].map((canvas) => canvas.getContext("2d"));
  const [truth, found] = ["true", "found"].map((name) => [0, 1].map((over2) => shape("path", { class: over2 ? name : `${name} halo` })));
  const over = shape("svg", { class: "over", "aria-hidden": "true" }, ...truth, ...found);
  const painted = /* @__PURE__ */ new Map();
  const colouredOf = (scene) => {
    if (!painted.has(scene)) {
      const image2 = surface.createImageData(scene.width, scene.height);
      paint(new Uint32Array(image2.data.buffer), scene.map, Math.max(scene.peak, -scene.low), colours);
      painted.set(scene, image2);
    }
    return painted.get(scene);
  };
  let shown;
  let image;
  return {
    node: element("div", { class: "stage sticky" }, photo, element("div", { class: "layers" }, evidence, shadow), over),
    update() {
      const { scene, cut: { owner, largest: largest2, box } } = here;
      const { width, height } = scene;
      if (image?.width !== width || image.height !== height) {
        for (const canvas of [evidence, shadow]) [canvas.width, canvas.height] = [width, height];
        image = dark.createImageData(width, height);
        [photo.width, photo.height] = [width, height];
        over.setAttribute("viewBox", `0 0 ${width} ${height}`);
      }
      const pixels = new Uint32Array(image.data.buffer);
      for (let place = 0; place < owner.length; place++) {
        pixels[place] = owner[place] === 0 ? 2818572288 : owner[place] === largest2 ? 0 : 1409286144;
      }
      dark.putImageData(image, 0, 0);
      found.forEach((path) => path.setAttribute("d", box ? outline(box) : ""));
      if (shown === scene) return;
      shown = scene;
      surface.putImageData(colouredOf(scene), 0, 0);
      photo.src = scene.photo;
      photo.alt = `${scene.name}: the picture under its map`;
      truth.forEach((path) => path.setAttribute("d", scene.boxes.map(outline).join("")));
    }
  };
}
function keyPart() {
  const sample = (name) => shape(
    "svg",
    { class: "sample", viewBox: "0 0 28 12", "aria-hidden": "true" },
    shape("path", { class: `${name} halo`, d: "M1 6H27" }),
    shape("path", { class: name, d: "M1 6H27" })
  );
  return element(
    "p",
    { class: "key" },
    element("span", {}, sample("found"), " box around the largest region"),
    element("span", {}, sample("true"), " true box")
  );
}
function verdictPart({ scenes, here }) {
  const [rule, result, words] = [element("p", { class: "words" }), element("strong"), element("span")];
  const verdict = () => {
    const { box, iou, regions } = here.cut;
    if (!box) return "no place stands out: a miss";
    const others = regions.length > 1 ? `; ${regions.length - 1} smaller ${regions.length > 2 ? "regions do" : "region does"} not count` : "";
    return `${iou >= FOUND ? "found" : "missed"} (${FOUND} or more counts)${others}`;
  };
  return {
    node: element("div", { class: "sum" }, rule, element("p", { class: "verdict" }, "IoU ", result, " ", words)),
    sentence: () => `${here.scene.name}: threshold ${percent(here.threshold)}, IoU ${result.textContent}, ${words.textContent}. ${here.found} of ${scenes.length} found.`,
    update() {
      const { scene: { peak }, threshold, cut: { box, iou } } = here;
      const digits = digitsFor(peak);
      reword(rule, peak > 0 ? `In the light: values above ${number(threshold, 2)} × ${number(peak, digits)} = ${number(threshold * peak, digits)}` : `The highest value is ${number(peak, digits)}: there is no evidence to cut.`);
      reword(result, number(iou, 2));
      result.className = box && iou >= FOUND ? "cx-yes" : "cx-no";
      reword(words, verdict());
    }
  };
}
function curvePart({ scenes, state, here }) {
  const at = (threshold, value) => `${100 * threshold} ${100 * (1 - value)}`;
  const line = (values) => `M${values.map((value, step) => at(STEPS[step], value)).join("L")}`;
  const [share, own, plumb, spot] = ["share", "curve", "plumb", "spot"].map((name) => shape("path", { class: name }));
  share.setAttribute("d", line(STEPS.map((_, step) => scenes.filter(({ curve }) => curve[step] >= FOUND).length / scenes.length)));
  const pick = (event) => {
    const box = chart.getBoundingClientRect();
    const step = Math.round(100 * (event.clientX - box.left) / box.width);
    state.set("threshold", Math.min(99, Math.max(1, step)) / 100);
  };
  const chart = element(
    "div",
    {
      class: "chart",
      "aria-hidden": "true",
      onpointerdown: (event) => {
        chart.setPointerCapture?.(event.pointerId);
        pick(event);
      },
      onpointermove: (event) => event.buttons && pick(event)
    },
    shape(
      "svg",
      { viewBox: "0 0 100 100", preserveAspectRatio: "none" },
      shape("path", { class: "half", d: "M0 50H100" }),
      plumb,
      share,
      own,
      spot
    ),
    element("span", { class: "top" }, "1"),
    element("span", { class: "middle" }, "0.5"),
    element("span", { class: "bottom" }, "0")
  );
  const sample = (name) => shape("svg", { class: "sample", viewBox: "0 0 28 12", "aria-hidden": "true" }, shape("path", { class: name, d: "M1 6H27" }));
  return {
    node: element(
      "div",
      { class: "thresholds" },
      element("p", { class: "heading" }, "Every threshold ", element("span", {}, "click one to try it")),
      chart,
      element("p", { class: "ends", "aria-hidden": "true" }, element("span", {}, "1 %"), element("span", {}, "threshold"), element("span", {}, "99 %")),
      element(
        "p",
        { class: "key" },
        element("span", {}, sample("curve"), " IoU in this picture"),
        element("span", {}, sample("share"), ` share of the ${scenes.length} found`)
      )
    ),
    update() {
      own.setAttribute("d", line(here.scene.curve));
      plumb.setAttribute("d", `M${at(here.threshold, 1)}V100`);
      spot.setAttribute("d", `M${at(here.threshold, here.cut.iou)}h0`);
    }
  };
}
function choosePart({ scenes, state, here }) {
  const marks = scenes.map(() => element("small"));
  const answers = scenes.map((scene, index) => [index, element(
    "span",
    { class: "thumb" },
    photograph({ src: scene.photo, alt: scene.name, width: scene.width, height: scene.height }),
    marks[index]
  )]);
  const pictures = choice({ state, trait: "scene", words: "", answers });
  const count = element("span");
  pictures.node.querySelector("legend").append("Pictures ", count);
  pictures.node.classList.add("cx-pictures");
  return {
    node: pictures.node,
    update() {
      pictures.update();
      reword(count, `${here.found} of ${scenes.length} found at ${percent(here.threshold)}`);
      here.ious.forEach((iou, index) => {
        reword(marks[index], `${iou >= FOUND ? "✓" : "✗"} ${number(iou, 2)}`);
        marks[index].className = iou >= FOUND ? "cx-yes" : "cx-no";
      });
    }
  };
}
var STYLE = `
.cx-boxing .cx-stage { max-width: 448px; overflow: hidden; background: #000; }
.cx-boxing .cx-photo, .cx-boxing .cx-heat { image-rendering: pixelated; }
.cx-boxing svg { display: block; fill: none; stroke-linecap: butt; overflow: visible; }
.cx-boxing path { vector-effect: non-scaling-stroke; }
.cx-over { position: absolute; inset: 0; width: 100%; height: 100%; }
path.cx-found { stroke: #ffb000; stroke-width: 3; }
path.cx-true { stroke: #fff; stroke-width: 2.5; stroke-dasharray: 7 5; }
path.cx-halo { stroke: #16181d; stroke-width: 5.5; stroke-dasharray: none; stroke-opacity: 0.75; }
.cx-boxing .cx-slider { grid-template-columns: 5rem 1fr 3rem; max-width: 448px; font-size: 0.875rem; }
.cx-key { display: flex; flex-wrap: wrap; gap: 0.125rem 1.25rem; font-size: 0.8125rem; color: var(--cx-muted); }
.cx-key > span { display: inline-flex; align-items: center; gap: 0.375rem; }
.cx-boxing .cx-sample { width: 28px; height: 12px; }

.cx-boxing .cx-pictures { display: block; font-size: 0.875rem; }
.cx-boxing .cx-pictures legend { float: none; margin-bottom: 0.375rem; font-weight: 600; }
.cx-boxing .cx-pictures legend span { display: inline; padding: 0; font-weight: 400; color: var(--cx-muted); }
.cx-boxing .cx-pictures div { display: grid; grid-template-columns: repeat(auto-fill, minmax(3.25rem, 1fr)); gap: 0.25rem; padding: 0; background: none; }
.cx-boxing .cx-pictures label > span { padding: 0.1875rem; border-radius: 0.5rem; }
.cx-boxing .cx-pictures input:checked + span { box-shadow: 0 0 0 2px var(--cx-accent); }
.cx-thumb { display: flex; flex-direction: column; gap: 0.125rem; }
.cx-boxing .cx-thumb { padding: 0; }
.cx-boxing .cx-thumb img { display: block; width: 100%; height: auto; margin: 0; border-radius: 0.375rem; image-rendering: pixelated; }
.cx-thumb small { font-size: 0.75rem; font-weight: 400; }
.cx-no { color: var(--cx-muted); }
.cx-thumb .cx-yes { font-weight: 600; }
.cx-boxing .cx-words { margin-bottom: 0.25rem; }
.cx-verdict { font-size: 0.875rem; min-height: 4.8em; }
.cx-verdict strong { font-size: 1.25rem; }

.cx-boxing .cx-chart { position: relative; height: 7.5rem; margin-left: 1.5rem; border: solid var(--cx-line); border-width: 0 0 1px 1px; cursor: ew-resize; touch-action: pan-y; stroke: var(--cx-ink); }
.cx-chart svg { width: 100%; height: 100%; }
.cx-chart > span { position: absolute; right: calc(100% + 0.25rem); font-size: 0.75rem; line-height: 1; color: var(--cx-muted); }
.cx-top { top: 0; } .cx-middle { top: calc(50% - 0.5em); } .cx-bottom { bottom: 0; }
path.cx-half { stroke: var(--cx-line); stroke-dasharray: 2 3; }
path.cx-plumb { stroke: var(--cx-muted); }
path.cx-curve { stroke: var(--cx-ink); stroke-width: 2; }
path.cx-share { stroke: var(--cx-accent); stroke-width: 2; stroke-dasharray: 2 3; }
svg path.cx-spot { stroke: var(--cx-accent); stroke-width: 11; stroke-linecap: round; }
.cx-ends { display: flex; justify-content: space-between; margin-left: 1.5rem !important; font-size: 0.75rem; color: var(--cx-muted); }

@container (min-width: 41rem) {
  .cx-boxing.cx-app { grid-template: none / minmax(0, 448px) minmax(15.5rem, 1fr); gap: 0.75rem 1.25rem; padding: 1rem; }
  .cx-boxing .cx-title { grid-column: 1 / -1; }
}
@media print { .cx-boxing .cx-slider { display: none; } }
`;

// shared/pinning.mjs
function pinning({ get, set, onPin = () => {
} }) {
  let pinned = get();
  let ours = false;
  const show = (value) => {
    if (String(value) === String(get())) return;
    ours = true;
    set(value);
    ours = false;
  };
  return {
    get pinned() {
      return pinned;
    },
    pin(value) {
      pinned = value;
      show(value);
      onPin(value);
    },
    /** Forget what was pinned; it is shown until the pointer leaves. */
    release: () => pinned = null,
    /** The pointer is over a value; a finger chooses it. */
    over(value, { pointerType }) {
      if (pointerType === "touch") pinned = value;
      show(value);
    },
    /** The pointer has left. */
    left: ({ pointerType }) => pointerType !== "touch" && show(pinned),
    /** The trait has changed; what somebody else has set stays. */
    changed: () => ours || (pinned = get())
  };
}

// shared/cells.mjs
var whereIs = ([row, column]) => `row ${row}, column ${column}`;
var cellAt = (index, columns) => [Math.floor(index / columns), index % columns];
function cellUnder(node, event, rows, columns) {
  const box = node.getBoundingClientRect();
  const row = Math.floor((event.clientY - box.top) / box.height * rows);
  const column = Math.floor((event.clientX - box.left) / box.width * columns);
  return row >= 0 && row < rows && column >= 0 && column < columns ? [row, column] : null;
}
function frame(mark, cell, rows, columns) {
  mark.hidden = !cell;
  if (!cell) return;
  const sides = { left: cell[1] / columns, top: cell[0] / rows, width: 1 / columns, height: 1 / rows };
  for (const [side, share] of Object.entries(sides)) mark.style.setProperty(side, `${100 * share}%`);
}
function cellGrid({ rows, columns, label, get, set, onPin = () => {
} }) {
  const mark = element("div", { class: "mark" });
  const cells = Array.from({ length: rows * columns }, (_, index) => element("div", {
    class: "cell",
    role: "gridcell",
    tabindex: "-1",
    "aria-selected": "false",
    "data-index": index
  }));
  const grid2 = element("div", {
    class: "grid",
    role: "grid",
    "aria-label": label,
    style: `--rows: ${rows}; --columns: ${columns}`
  }, ...Array.from({ length: rows }, (_, row) => element("div", { class: "row", role: "row" }, ...cells.slice(row * columns, (row + 1) * columns))));
  const indexOf = ([row, column]) => row * columns + column;
  const pins = pinning({ get, set, onPin: (cell) => cell && onPin(cell) });
  let home = 0;
  grid2.addEventListener("pointermove", (event) => {
    const cell = cellUnder(grid2, event, rows, columns);
    if (cell) pins.over(cell, event);
  });
  grid2.addEventListener("pointerleave", pins.left);
  grid2.addEventListener("click", (event) => {
    const index = event.target.dataset.index;
    if (index === void 0) return;
    const cell = cellAt(Number(index), columns);
    if (String(cell) !== String(pins.pinned)) pins.pin(cell);
    else if (event.pointerType === "touch") pins.pin(null);
    else pins.release();
  });
  grid2.addEventListener("focusin", (event) => {
    if (event.target.matches(":focus-visible")) pins.pin(cellAt(Number(event.target.dataset.index), columns));
  });
  grid2.addEventListener("keydown", (event) => {
    const [row, column] = cellAt(home, columns);
    const target = {
      ArrowUp: [row - 1, column],
      ArrowDown: [row + 1, column],
      ArrowLeft: [row, column - 1],
      ArrowRight: [row, column + 1],
      Home: [event.ctrlKey ? 0 : row, 0],
      End: [event.ctrlKey ? rows - 1 : row, columns - 1],
      PageUp: [0, column],
      PageDown: [rows - 1, column]
    }[event.key];
    if (event.key === "Escape") pins.pin(null);
    else if (event.key === "Enter" || event.key === " ") pins.pin(cellAt(home, columns));
    else if (target && !event.altKey && !event.metaKey) {
      const cell = [
        Math.min(rows - 1, Math.max(0, target[0])),
        Math.min(columns - 1, Math.max(0, target[1]))
      ];
      pins.pin(cell);
      cells[indexOf(cell)].focus({ preventScroll: true });
    } else return;
    event.preventDefault();
  });
  return {
    mark,
    grid: grid2,
    /** Name every cell for those who don't see it: `words(cell)`. */
    describe: (words) => cells.forEach((cell, index) => cell.setAttribute("aria-label", words(cellAt(index, columns)))),
    /** Show which cell is chosen now. */
    update() {
      const cell = get();
      pins.changed();
      cells[home].tabIndex = -1;
      cells[home].setAttribute("aria-selected", "false");
      if (cell) {
        home = indexOf(cell);
        cells[home].setAttribute("aria-selected", "true");
      }
      cells[home].tabIndex = 0;
      frame(mark, cell, rows, columns);
    }
  };
}

// class_explorer.mjs
var BEST = 5;
var { hydrate: hydrate2, render: render2 } = livesOf("class_explorer", "Class explorer", (root, packed, state) => explore2(root, unpack2(packed), state));
function unpack2(packed) {
  return assemble({
    ...packed,
    logits: decode(packed.logits),
    maps: Float32Array.from(decode(packed.maps), (steps) => steps * packed.step),
    offset: decode(packed.offset),
    classes: decode(packed.classes),
    colours: new Uint32Array(decode(packed.colours).buffer)
  });
}
function assemble(given) {
  const [count, rows, columns] = given.shape;
  const { maps, logits } = given;
  if (maps.length !== count * rows * columns) {
    throw new Error(`${count} maps of ${rows} × ${columns} cells expected, got ${maps.length} values`);
  }
  const order = strongest(logits, count);
  const rank = new Int32Array(count);
  order.forEach((place, position) => rank[place] = position + 1);
  const all = given.classes.some((index) => index >= count) ? `the ${count} here` : `${count}`;
  return {
    ...given,
    count,
    rows,
    columns,
    order,
    rank,
    all,
    peak: largest(maps),
    mapOf: (place) => maps.subarray(place * rows * columns, (place + 1) * rows * columns)
  };
}
function explore2(root, data, state) {
  dress(STYLE2, "class_explorer");
  const { rows, columns } = data;
  const [height, width] = data.size;
  const placeOf = new Map(Array.from(data.classes, (index, place) => [index, place]));
  const digits = digitsFor(data.peak);
  const here = {
    get place() {
      return placeOf.get(state.get("class_index"));
    },
    get name() {
      return data.names[this.place];
    },
    get map() {
      return data.mapOf(this.place);
    },
    get peak() {
      return state.get("scale") === "own" ? largest(this.map) : data.peak;
    },
    get cell() {
      return state.get("cell");
    },
    at: (place, [row, column]) => data.maps[(place * rows + row) * columns + column],
    value: (value) => withSign(value, digits),
    choose: (place) => state.set("class_index", data.classes[place])
  };
  const voice = announcer();
  const context = { data, state, here, announce: voice.say, rows, columns, height, width };
  const title = titlePart2(context);
  const stage = stagePart2(context);
  const bar = barPart(context);
  const best = bestPart(context);
  const search2 = searchPart(context);
  const sum = sumPart(context);
  const speaks = speaksPart(context);
  const settings = settingsPart(context);
  const app = element(
    "div",
    { class: "app", style: endColours(data.colours) },
    element("div", { class: "column" }, title.node, stage.node, bar.node, best.node),
    element("div", { class: "column" }, speaks.node, search2.node, sum.node),
    settings.node,
    voice.node
  );
  app.classList.toggle("cx-wide", width > 1.5 * height);
  root.append(app);
  const grey = { update: () => app.classList.toggle("cx-grey", state.get("greyscale")) };
  const rest = follow(state, {
    class_index: [title, stage.map, stage.words, bar, best, search2, sum, speaks],
    cell: [stage.cell, bar, speaks],
    opacity: [stage.opacity, settings],
    greyscale: [grey, settings],
    mode: [stage.map, settings],
    scale: [stage.map, bar, settings]
  });
  const hush = state.subscribe("class_index", () => voice.say(
    `${here.name}: logit ${number(data.logits[here.place], 2)}, rank ${data.rank[here.place]} of ${data.all}. ${sum.sentence()}`
  ));
  return () => {
    voice.stop();
    rest();
    hush();
    app.remove();
  };
}
function titlePart2({ data, here }) {
  const name = element("strong");
  const rank = element("span");
  return {
    node: element("p", { class: "title" }, name, " ", rank),
    update() {
      name.textContent = here.name;
      rank.textContent = `logit ${number(data.logits[here.place], 2)} · rank ${data.rank[here.place]} of ${data.all}`;
    }
  };
}
function stagePart2({ data, state, here, rows, columns, height, width, announce }) {
  const photo = photograph({ class: "photo", src: data.photo, width, height });
  const map = heat(height, width, data.colours);
  const cells = cellGrid({
    rows,
    columns,
    label: `The map's ${rows} × ${columns} cells. Arrow keys move from place to place.`,
    get: () => here.cell,
    set: (cell) => state.set("cell", cell),
    onPin: (cell) => announce(sentenceAbout(data, here, cell))
  });
  return {
    node: element(
      "div",
      { class: "stage sticky", style: `--width: ${width}px; --height: ${height}` },
      photo,
      map.node,
      cells.mark,
      cells.grid
    ),
    map: { update: () => map.drawMap(here.map, rows, columns, here.peak, state.get("mode")) },
    words: {
      update() {
        cells.describe((cell) => `${whereIs(cell)}: ${here.value(here.at(here.place, cell))} for ${here.name}`);
        photo.alt = `The photograph under the class activation map of “${here.name}”`;
      }
    },
    opacity: { update: () => map.node.style.setProperty("opacity", state.get("opacity")) },
    cell: cells
  };
}
function barPart({ data, here }) {
  const bar = colourBar(data.colours);
  return {
    node: bar.node,
    update: () => bar.show(here.peak, here.cell && here.at(here.place, here.cell), here.value)
  };
}
function bestPart({ data, here, rows, columns, height, width }) {
  const buttons = data.order.slice(0, BEST).map((place) => {
    const map = heat(Math.ceil(height / 2), Math.ceil(width / 2), data.colours);
    map.drawMap(data.mapOf(place), rows, columns, data.peak);
    const photo = photograph({ src: data.photo, alt: "" });
    const button = element(
      "button",
      { type: "button", class: "tile", onclick: () => here.choose(place) },
      element("span", { class: "thumb" }, photo, map.node),
      element("span", { class: "name" }, data.names[place]),
      " ",
      element("span", { class: "logit" }, number(data.logits[place], 2))
    );
    return { button, place };
  });
  const heading = element("p", { class: "heading", id: uniqueId() }, "The network’s best guesses: choose one");
  return {
    node: element(
      "div",
      { role: "group", "aria-labelledby": heading.id },
      heading,
      element("div", { class: "best" }, ...buttons.map(({ button }) => button))
    ),
    update: () => buttons.forEach(({ button, place }) => button.setAttribute("aria-pressed", String(place === here.place)))
  };
}
function search(data, typed, limit) {
  const query = typed.trim().toLowerCase();
  const quality = (place) => {
    const name = data.names[place].toLowerCase();
    if (!query) return 0;
    if (String(data.classes[place]) === query || ` ${name} `.includes(` ${query} `)) return 0;
    if (name.startsWith(query)) return 1;
    return name.includes(` ${query}`) || name.includes(`-${query}`) ? 2 : name.includes(query) ? 3 : 4;
  };
  const found = data.order.map((place) => [quality(place), place]).filter(([worth]) => worth < 4);
  found.sort(([a], [b]) => a - b);
  return { total: found.length, places: found.slice(0, limit).map(([, place]) => place) };
}
function searchPart({ data, here }) {
  const id = uniqueId();
  const input = element("input", {
    id: `${id}-search`,
    class: "field",
    type: "text",
    role: "combobox",
    autocomplete: "off",
    spellcheck: "false",
    autocapitalize: "none",
    "aria-autocomplete": "list",
    "aria-expanded": "false",
    "aria-controls": `${id}-list`
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
    options = places.map((place, position) => element(
      "li",
      {
        id: `${id}-option${position}`,
        class: "option",
        role: "option",
        "aria-selected": "false",
        "data-place": place
      },
      element("span", { class: "name" }, data.names[place]),
      " ",
      element("span", { class: "logit" }, number(data.logits[place], 2))
    ));
    list.replaceChildren(...options);
    note.textContent = total === 0 ? `No class is called “${typed.trim()}”.` : total > places.length ? `The ${places.length} with the highest logits of ${total}: type to narrow down.` : typed.trim() ? plural(total, "class", "classes") : "";
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
  popup.addEventListener("pointerdown", (event) => event.target.closest("[role=option]") && event.preventDefault());
  popup.addEventListener("mousedown", (event) => event.preventDefault());
  list.addEventListener("click", (event) => {
    const option = event.target.closest("[role=option]");
    if (option) take(option);
  });
  const glass = element("span", { class: "glass", "aria-hidden": "true" });
  return {
    node: element(
      "div",
      { class: "search" },
      element("label", { for: input.id }, `Search all ${data.count} classes`),
      input,
      glass,
      popup
    ),
    update() {
      if (popup.hidden) input.value = here.name;
    }
  };
}
function sumPart({ data, here, rows, columns }) {
  const part = (words2) => {
    const value = element("strong");
    return { value, node: element("span", { class: "term" }, value, " ", element("small", {}, words2)) };
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
    const against = map[low] < 0 ? `Most against: ${here.value(map[low])}, ${whereIs(cellAt(low, columns))}.` : "No place speaks against it.";
    return `Most for: ${here.value(map[high])}, ${whereIs(cellAt(high, columns))}.
${against}`;
  };
  return {
    sentence,
    node: element(
      "div",
      { class: "sum" },
      element("p", { class: "terms" }, average.node, plus, offset.node, equals, logit.node),
      ...data.held ? [element("p", { class: "held" }, data.held)] : [],
      words
    ),
    update() {
      const [mapMean, bias, score] = [mean(here.map), data.offset[here.place], data.logits[here.place]];
      const adds = (digits) => number(Number(mapMean.toFixed(digits)) + Number(bias.toFixed(digits)), 2) === number(score, 2);
      const fraction = [2, 3, 4].find(adds) ?? 4;
      average.value.textContent = number(mapMean, fraction);
      plus.textContent = bias < 0 ? "−" : "+";
      offset.value.textContent = number(Math.abs(bias), fraction);
      equals.textContent = adds(fraction) ? "=" : "≈";
      logit.value.textContent = number(score, 2);
      words.textContent = sentence();
      words.classList.toggle("cx-none", Math.max(...here.map) <= 0);
    }
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
function speaksPart({ data, here, rows, columns }) {
  const lines = data.order.slice(0, BEST).map(() => {
    const name = element("span", { class: "name" });
    const value = element("span", { class: "value" });
    const length = element("span", { class: "length" });
    const line = { name, value, length, place: 0 };
    line.button = element(
      "button",
      { type: "button", class: "line", onclick: () => here.choose(line.place) },
      name,
      " ",
      value,
      element("span", { class: "track", "aria-hidden": "true" }, length)
    );
    return line;
  });
  const where = element("span");
  const own = element("p", { class: "words" });
  const answer = element(
    "div",
    { class: "answer", role: "group", "aria-label": "What this place speaks for" },
    ...lines.map(({ button }) => button),
    own
  );
  const invitation = element(
    "p",
    { class: "invitation" },
    `Point at the picture, tap it or use the arrow keys: each of its ${rows * columns} cells answers.`
  );
  return {
    node: element(
      "div",
      { class: "speaks" },
      element("p", { class: "heading" }, "What does this place speak for? ", where),
      invitation,
      answer
    ),
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
        line.length.style.setProperty("width", `${data.peak ? 100 * Math.abs(values[place]) / data.peak : 0}%`);
        line.button.setAttribute("aria-pressed", String(place === here.place));
      });
      const mine = values[here.place];
      const before = values.reduce((count, value) => count + (value > mine), 0);
      own.textContent = `For ${here.name} here: ${here.value(mine)}, rank ${before + 1} of ${data.all}`;
    }
  };
}
function settingsPart({ state }) {
  const parts = [
    slider({
      state,
      trait: "opacity",
      words: "Opacity",
      min: 0,
      max: 1,
      step: 0.05,
      written: (value) => `${Math.round(100 * value)} %`
    }),
    choice({ state, trait: "greyscale", words: "Photo", answers: [[true, "Grey"], [false, "Colour"]] }),
    choice({ state, trait: "mode", words: "Map", answers: [["bilinear", "Smooth"], ["nearest", "Cells"]] }),
    choice({ state, trait: "scale", words: "Scale", answers: [["shared", "All classes"], ["own", "This class"]] })
  ];
  return {
    node: element("div", { class: "settings" }, ...parts.map(({ node }) => node)),
    update: () => parts.forEach((part) => part.update())
  };
}
var STYLE2 = `
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

// frame_explorer.mjs
var PIXELATED = 64;
var FEW = 3;
var { hydrate: hydrate3, render: render3 } = livesOf("frame_explorer", "Frame explorer", explore3);
var frameAt = (at, axes) => at.reduce((index, place, axis) => index * axes[axis][1].length + place, 0);
function picture(address, [height, width]) {
  if (!address.startsWith("data:image/svg")) {
    const image = photograph({ class: "photo", src: address, width, height, alt: "" });
    image.addEventListener("load", () => image.classList.toggle("cx-cells", image.naturalWidth <= PIXELATED));
    return image;
  }
  const octets = Uint8Array.from(atob(address.split(",")[1]), (letter) => letter.charCodeAt(0));
  const figure = new DOMParser().parseFromString(new TextDecoder().decode(octets), "image/svg+xml").documentElement;
  figure.classList.add("cx-photo");
  figure.setAttribute("aria-hidden", "true");
  return document.importNode(figure, true);
}
function explore3(root, { axes, frames, size: [height, width], words }, state) {
  dress(STYLE3, "frame_explorer");
  const drawn = /* @__PURE__ */ new Map();
  const index = () => frameAt(state.get("at"), axes);
  const stage = element("div", { class: "stage sticky", style: `--width: ${width}px; aspect-ratio: ${width} / ${height}` });
  const said = element("p", { class: "said" });
  const voice = announcer();
  const move = (axis, place) => {
    const old = state.get("at");
    if (old[axis] !== place) state.set("at", old.with(axis, place));
  };
  const show = {
    update() {
      const now = index();
      if (!drawn.has(now)) drawn.set(now, picture(frames[now], [height, width]));
      if (stage.firstChild !== drawn.get(now)) stage.replaceChildren(drawn.get(now));
      reword(said, words[now]);
    }
  };
  const controls = axes.map(([label, names], axis) => {
    const common = {
      words: label,
      trait: "at",
      state: { get: () => state.get("at")[axis], set: (_, place) => move(axis, place) }
    };
    return names.length > FEW ? slider({ ...common, min: 0, max: names.length - 1, step: 1, written: (place) => names[place] }) : choice({ ...common, answers: names.map((name, place) => [place, name]) });
  });
  const [, places] = axes[0];
  const across = ({ clientX, buttons }) => {
    if (!buttons) return;
    const box = stage.getBoundingClientRect();
    move(0, Math.max(0, Math.min(places.length - 1, Math.floor((clientX - box.left) / box.width * places.length))));
  };
  for (const event of ["pointerdown", "pointermove"]) stage.addEventListener(event, across);
  const app = element(
    "div",
    { class: "app" },
    stage,
    element("div", { class: "column" }, said, element("div", { class: "settings" }, ...controls.map(({ node }) => node))),
    voice.node
  );
  app.classList.toggle("cx-wide", width > 1.5 * height);
  root.append(app);
  const ends = [
    follow(state, { at: [show, ...controls] }),
    state.subscribe("at", () => voice.say(words[index()])),
    voice.stop,
    () => app.remove()
  ];
  return () => ends.forEach((end) => end());
}
var STYLE3 = `
.cx-stage { margin-inline: auto; touch-action: pan-y; cursor: ew-resize; user-select: none; }
.cx-stage img { pointer-events: none; }
.cx-cells { image-rendering: pixelated; }
.cx-column { justify-content: center; gap: 0.5rem; }
.cx-said { min-height: 2.8em; }
.cx-settings { padding-top: 0; border: 0; }
.cx-slider { grid-template-columns: max-content 1fr minmax(5rem, max-content); }
.cx-slider input { min-height: 2.75rem; }
.cx-choice { grid-template-columns: max-content 1fr; }
@container (min-width: 36rem) {
  .cx-app:not(.cx-wide) { grid-template-columns: minmax(0, 16rem) minmax(16rem, 1fr); gap: 1.25rem; }
}
`;

// shared/pointing.mjs
function pointing({ height, width, label, state, moved: moved2, onPin }) {
  const chosen = () => state.get("point");
  const pins = pinning({ get: chosen, set: (point) => state.set("point", point), onPin });
  const within2 = (row, column) => [[row, height], [column, width]].map(([place, length]) => Math.min(length - 1, Math.max(0, Math.floor(place))));
  const under = (event) => {
    const box = node.getBoundingClientRect();
    return within2((event.clientY - box.top) / box.height * height, (event.clientX - box.left) / box.width * width);
  };
  const node = element("div", {
    class: "pad",
    tabindex: "0",
    role: "application",
    "aria-label": label,
    onpointermove: (event) => pins.over(under(event), event),
    onpointerleave: pins.left,
    onclick: (event) => pins.pin(under(event)),
    onkeydown(event) {
      const point = chosen() ?? [height >> 1, width >> 1];
      const [row, column] = point;
      const way = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
      const target = way ? moved2(point, way, event) : {
        Home: [row, 0],
        End: [row, width],
        PageUp: [0, column],
        PageDown: [height, column],
        Enter: point,
        " ": point,
        Escape: []
      }[event.key];
      if (!target || event.altKey || event.metaKey || event.ctrlKey) return;
      pins.pin(target.length ? within2(...target) : null);
      event.preventDefault();
    }
  });
  return { node, stop: state.subscribe("point", pins.changed) };
}

// method_comparer.mjs
var PIXELS = 256;
var PALE = 0.1;
var { hydrate: hydrate4, render: render4 } = livesOf("method_comparer", "Method comparer", (root, packed, state) => explore4(root, unpack3(packed), state));
function unpack3(packed) {
  const values = decode(packed.values);
  let start = 0;
  const cut2 = (cells, step) => Float32Array.from(values.subarray(start, start += cells), (value) => value * step);
  const methods = packed.methods.map((method) => ({
    ...method,
    maps: method.steps.map((steps, at) => steps?.map((step) => cut2(method.cells[at][0] * method.cells[at][1], step)))
  }));
  if (start !== values.length) throw new Error(`${start} values expected, got ${values.length}`);
  return { ...packed, methods, colours: new Uint32Array(decode(packed.colours).buffer) };
}
function compare(methods, place, layer, scale) {
  const found = methods.map(({ maps }) => maps[layer]?.[place]);
  const peaks = found.map((map) => map ? largest(map) : 0);
  return found.map((map, at) => map && {
    map,
    high: map.reduce((a, b) => Math.max(a, b)),
    own: peaks[at],
    peak: scale === "own" ? peaks[at] : Math.max(...peaks)
  });
}
function explore4(root, data, state) {
  dress(STYLE4, "method_comparer");
  const { classes, layers, methods, names, size } = data;
  const here = {
    update() {
      this.place = classes.indexOf(state.get("class_index"));
      this.layer = layers.indexOf(state.get("layer"));
      this.panels = compare(methods, this.place, this.layer, state.get("scale"));
      const some = methods.map(({ cells }) => cells[this.layer]).find(Boolean);
      this.counts = methods.map(({ cells }) => cells[this.layer] ?? some);
      this.alike = this.counts.every((counts) => counts.join() === some.join());
    },
    cell: (index) => state.get("point")?.map((at, axis) => Math.floor(at * here.counts[index][axis] / size[axis])),
    title: ({ name, times }, index) => times ? `${name} × ${here.counts[index][0] * here.counts[index][1]}` : name
  };
  const voice = announcer();
  const pin = () => voice.say(state.get("point") ? `${words.node.firstChild.textContent}: ${panels.map(({ says }) => says()).join(", ")}.` : "");
  const panels = methods.map((_, index) => panelPart(data, state, here, index, pin));
  const [title, words] = [titlePart3, wordsPart].map((part) => part(data, state, here));
  const settings = settingsPart2(data, state);
  const app = element(
    "div",
    { class: "app comparing", style: `--count: ${methods.length}; --opacity: ${data.opacity}` },
    title.node,
    element("div", { class: "panels sticky" }, ...panels.map(({ node }) => node), words.node),
    settings.node,
    voice.node
  );
  app.classList.toggle("cx-wide", size[1] > 1.5 * size[0]);
  root.append(app);
  const points = [...panels.map(({ point }) => point), words];
  const all = [here, title, ...panels, ...points, settings];
  const ends = [
    follow(state, { class_index: all, layer: all, scale: all, point: points }),
    ...["class_index", "layer", "scale"].map((trait) => state.subscribe(trait, () => voice.say(`${title.node.textContent}. ${panels.map(({ sentence }) => sentence()).join(". ")}.`))),
    ...panels.map(({ stop }) => stop),
    voice.stop,
    () => app.remove()
  ];
  return () => ends.forEach((end) => end());
}
function titlePart3({ layers, logits, names }, state, here) {
  const [name, words] = [element("strong"), element("span")];
  return {
    node: element("p", { class: "title" }, name, " ", words),
    update() {
      reword(name, names[here.place]);
      const told = [layers.length > 1 && layers[here.layer], here.alike && grid(here.counts[0])];
      reword(words, [logits && `logit ${number(logits[here.place], 2)}`, told.filter(Boolean).join(", ")].filter(Boolean).join(" · "));
    }
  };
}
var grid = ([rows, columns]) => `${rows} × ${columns} cells`;
function panelPart({ colours, methods, names, photo, size: [height, width] }, state, here, index, onPin) {
  const method = methods[index];
  const shrink = Math.min(1, PIXELS / Math.max(height, width));
  const map = heat(Math.ceil(height * shrink), Math.ceil(width * shrink), colours);
  const bar = colourBar(colours, ["", ""]);
  const mark = element("div", { class: "mark" });
  const image = photograph({ class: "photo", src: photo, width, height });
  const [heading, value, words] = ["heading", "value", "words"].map((name) => element("p", { class: name }));
  const pad = pointing({
    height,
    width,
    state,
    onPin,
    label: `The picture under ${method.name}. Arrow keys move from cell to cell; all methods answer.`,
    moved: (point, way) => point.map((at, axis) => {
      const [count, length] = [here.counts[index][axis], [height, width][axis]];
      return (Math.floor(at * count / length) + way[axis] + 0.5) * length / count;
    })
  });
  const written = (value2) => withSign(value2, digitsFor(here.panels[index].own));
  const ends = (value2) => withSign(value2, digitsFor(here.panels[index].peak));
  return {
    stop: pad.stop,
    sentence: () => `${heading.textContent}: ${words.textContent}`,
    says: () => `${heading.textContent} ${value.textContent || "none"}`,
    node: element(
      "div",
      { class: "panel" },
      heading,
      element("div", { class: "stage" }, image, map.node, mark, pad.node),
      bar.node,
      value,
      words
    ),
    update() {
      const panel = here.panels[index];
      for (const node of [map.node, bar.node, value]) node.hidden = !panel;
      reword(heading, here.title(method, index));
      pad.node.tabIndex = index && here.alike ? -1 : 0;
      image.alt = panel ? `The photograph under the map of ${names[here.place]} by ${method.name}` : "The photograph";
      if (!panel) return reword(words, method.absent);
      map.drawMap(panel.map, ...here.counts[index], panel.peak);
      const own = `${method.logits ? `logit ${number(method.logits[here.place], 2)}, ` : ""}${here.alike ? "" : `${grid(here.counts[index])}, `}`;
      const highest2 = `highest ${written(panel.high)}`;
      reword(words, own + (panel.high <= 0 ? `nothing speaks for it: ${highest2}` : panel.own < PALE * panel.peak ? `${highest2}, pale on this scale: try its own` : highest2));
    },
    point: { update() {
      const [panel, cell, counts] = [here.panels[index], here.cell(index), here.counts[index]];
      const found = panel && cell ? panel.map[cell[0] * counts[1] + cell[1]] : null;
      frame(mark, cell, ...counts);
      reword(value, found === null ? "" : written(found));
      if (panel) bar.show(panel.peak, found, ends);
    } }
  };
}
function wordsPart({ methods }, state, here) {
  const [where, scale] = [element("p", { class: "where" }), element("p", { class: "words" })];
  return {
    node: element("div", { class: "about" }, where, scale),
    update() {
      const times = methods.filter((method, index) => method.times && here.panels[index]);
      const at = (index) => `${whereIs(here.cell(index))} of ${here.counts[index].join(" × ")}`;
      reword(where, !state.get("point") ? "Point at a place, tap it or use the arrow keys: each picture answers." : here.alike ? at(0) : methods.flatMap(({ name }, index) => here.panels[index] ? `${name}: ${at(index)}` : []).join(". "));
      const { peak } = here.panels.find(Boolean);
      reword(scale, (state.get("scale") === "own" ? "Full colour is each map’s own peak: compare places, not strengths." : `Full colour is ±${number(peak, digitsFor(peak))} in every panel.`) + times.map((method) => ` ${here.title(method, methods.indexOf(method))}: it adds up over the cells what CAM averages.`).join(""));
    }
  };
}
function settingsPart2({ classes, layers, logits, names }, state) {
  const parts = [
    ["class_index", "Class", classes.map((index, place) => [index, logits ? [names[place], " ", element("small", {}, number(logits[place], 2))] : names[place]])],
    ["layer", "Layer", layers.map((name) => [name, name])],
    ["scale", "Scale", [["one", "One scale"], ["own", "Own scale"]]]
  ].filter(([, , answers]) => answers.length > 1).map(([trait, words, answers]) => choice({ state, trait, words, answers }));
  return {
    node: element("div", { class: "settings" }, ...parts.map(({ node }) => node)),
    update: () => parts.forEach((part) => part.update())
  };
}
var STYLE4 = `
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

// pooling_explorer.mjs
var { hydrate: hydrate5, render: render5 } = livesOf("pooling_explorer", "Pooling explorer", (root, packed, state) => poolings(root, unpack4(packed), state));
function pool(map) {
  const cells = map.flat();
  return { average: mean(cells), maximum: Math.max(...cells) };
}
function moved(map, down, right) {
  const before = (list, place, step) => list[(place - step + list.length) % list.length];
  return map.map((_, row) => before(map, row, down).map((_2, column, line) => before(line, column, right)));
}
function shuffled(map, keys) {
  const cells = map.flat();
  const order = [...keys.keys()].sort((a, b) => keys[a] - keys[b]);
  return map.map((line, row) => line.map((_, column) => cells[order[row * line.length + column]]));
}
var same = (a, b) => Math.abs(a - b) <= 1e-9 * Math.max(1, Math.abs(a));
var short = (value) => number(value, 2).replace(/\.?0+$/, "");
var WRITTEN = { average: (value) => number(value, 2), maximum: short };
function unpack4({ colours, ...packed }) {
  const { start, limits: [low, high] } = packed;
  return {
    ...packed,
    low,
    high,
    count: start.length,
    rows: start[0].length,
    columns: start[0][0].length,
    colours: new Uint32Array(decode(colours).buffer),
    before: start.map(pool),
    peak: largest(packed.limits),
    blank: Math.max(low, Math.min(high, 0))
  };
}
function poolings(root, data, state) {
  dress(STYLE5, "pooling_explorer");
  const { count, rows, columns, low, high, start, before, colours, peak } = data;
  const octets = new Uint8Array(colours.buffer);
  const here = {
    get index() {
      return state.get("map_index");
    },
    get maps() {
      return state.get("values");
    },
    get map() {
      return this.maps[this.index];
    },
    get cell() {
      return state.get("cell");
    },
    at: ([row, column]) => here.map[row][column],
    colour(value) {
      const entry = 4 * Math.round((colours.length - 1) / 2 * (1 + value / peak));
      return `background: rgb(${octets.slice(entry, entry + 3).join(" ")})`;
    },
    /** Change the map that is edited, or all of them. */
    change(edit) {
      const maps = here.maps.map((map, k) => state.get("all_maps") || k === here.index ? edit(map) : map);
      if (maps.some((map, k) => map !== here.maps[k])) state.set("values", maps);
    },
    put([row, column], value) {
      const clipped = Number(Math.max(low, Math.min(high, value)).toPrecision(12));
      here.change((map) => map[row][column] === clipped ? map : map.map((line, y) => line.map((old, x) => y === row && x === column ? clipped : old)));
    }
  };
  const voice = announcer();
  const context = { data, state, here };
  const name = element("strong");
  const title = { update: () => name.textContent = `Map ${here.index + 1}` };
  const scope = choice({ state, trait: "all_maps", words: "Change", answers: [[false, "This map"], [true, `All ${count} maps`]] });
  const sheet = sheetPart(context);
  const brush = brushPart(context);
  const meters = metersPart(context);
  const shown = choice({ state, trait: "pooling", words: "Show", answers: [["average", "Average"], ["maximum", "Maximum"]] });
  const tiles = tilesPart(context);
  const news = newsPart(context);
  const button = (words, onclick) => element("button", { type: "button", class: "push", onclick }, words);
  const app = element(
    "div",
    { class: "app pool" },
    element(
      "div",
      { class: "column" },
      element("p", { class: "title" }, name, element("span", {}, `of ${count}`)),
      scope.node,
      sheet.node,
      brush.node,
      meters.node
    ),
    element(
      "div",
      { class: "column" },
      shown.node,
      tiles.node,
      news.node,
      element(
        "div",
        { class: "pushes" },
        button("Shuffle the cells", () => {
          const keys = Float64Array.from({ length: rows * columns }, Math.random);
          here.change((map) => shuffled(map, keys));
        }),
        button("Start again", () => state.set("values", start))
      )
    ),
    voice.node
  );
  root.append(app);
  const rest = follow(state, {
    values: [sheet, meters, tiles, news],
    map_index: [title, sheet, meters, tiles.chosen],
    cell: [sheet, meters],
    brush: [brush],
    all_maps: [scope],
    pooling: [shown, tiles]
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
function sheetPart({ data, state, here }) {
  const { rows, columns, low, high, step, blank } = data;
  const squares = Array.from({ length: rows * columns }, (_, index) => element("div", {
    class: "square",
    role: "spinbutton",
    tabindex: "-1",
    "aria-label": whereIs(cellAt(index, columns)),
    "aria-valuemin": low,
    "aria-valuemax": high,
    "data-index": index
  }));
  const hint = element("p", { class: "words hint", id: uniqueId() }, "Paint over the cells. ", element(
    "span",
    { class: "keys" },
    "Keys: ← → choose a cell, ↑ ↓ and digits change it; with Shift the arrows move the pattern."
  ));
  const sheet = element("div", {
    class: "sheet",
    role: "group",
    "aria-label": "The map’s cells",
    "aria-describedby": hint.id,
    style: `--columns: ${columns}`
  }, ...squares);
  const move = (down, right) => here.change((map) => moved(map, down, right));
  const arrow = (sign, side, ...way) => element("button", {
    type: "button",
    class: `push ${side}`,
    "aria-label": `Move the pattern ${side}`,
    onclick: () => move(...way)
  }, sign);
  let home = 0;
  let typed = "";
  const choose = (cell) => {
    typed = "";
    if (String(cell) !== String(here.cell)) state.set("cell", cell);
    squares[home].focus({ preventScroll: true });
  };
  const value = (cell) => here.at(cell) === state.get("brush") ? blank : state.get("brush");
  let stroke = null;
  const paint2 = (event) => {
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
    paint2(event);
  });
  sheet.addEventListener("pointermove", paint2);
  sheet.addEventListener("lostpointercapture", () => stroke = null);
  sheet.addEventListener("focusin", (event) => choose(cellAt(Number(event.target.dataset.index), columns)));
  const typing = (key) => {
    const within2 = (text) => Number(text) >= low && Number(text) <= high;
    typed = within2(typed + key) ? typed + key : key;
    if (within2(typed)) here.put(cellAt(home, columns), Number(typed));
  };
  sheet.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const { key } = event;
    const cell = cellAt(home, columns);
    const now = here.at(cell);
    const [down, right] = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[key] ?? [0, 0];
    const to = {
      ArrowUp: now + step,
      ArrowDown: now - step,
      PageUp: now + 3 * step,
      PageDown: now - 3 * step,
      Home: low,
      End: high,
      Delete: blank,
      Backspace: blank,
      Enter: value(cell),
      " ": value(cell)
    }[key];
    if (event.shiftKey && (down || right)) move(down, right);
    else if (right) choose(cellAt((home + right + squares.length) % squares.length, columns));
    else if (to !== void 0) here.put(cell, to);
    else if (/^[\d.,-]$/.test(key)) typing(key.replace(",", "."));
    else return;
    if (key.length > 1) typed = "";
    event.preventDefault();
  });
  return {
    node: element(
      "div",
      { class: "sticky" },
      element(
        "div",
        { class: "editor" },
        arrow("↑", "up", -1, 0),
        arrow("←", "left", 0, -1),
        sheet,
        arrow("→", "right", 0, 1),
        arrow("↓", "down", 1, 0)
      ),
      hint
    ),
    update() {
      const { cell } = here;
      squares[home].tabIndex = -1;
      if (cell) home = cell[0] * columns + cell[1];
      squares[home].tabIndex = 0;
      here.map.flat().forEach((value2, index) => {
        const square = squares[index];
        square.textContent = short(value2);
        square.setAttribute("aria-valuenow", value2);
        square.style = `${here.colour(value2)}; font-size: ${Math.min(1.4, 5 / columns, 18 / columns / short(value2).length)}rem`;
        square.classList.toggle("cx-chosen", Boolean(cell) && index === home);
      });
    }
  };
}
function brushPart({ data: { low, high, step }, state, here }) {
  const stride = step * Math.ceil((high - low) / step / (low < 0 || step < 1 ? 6 : 10) - 1e-9);
  const values = Array.from({ length: Math.ceil((high - low) / stride - 1e-9) }, (_, i) => Number((low + i * stride).toPrecision(12)));
  const brush = choice({ state, trait: "brush", words: "Paint with", answers: [...values, high].map((value) => [value, element("span", { style: here.colour(value) }, short(value))]) });
  brush.node.classList.add("cx-brush");
  return brush;
}
function gauge({ data: { low, high, blank, before }, here }) {
  const value = element("strong");
  const reach = element("span", { class: "reach" });
  const tick = element("span", { class: "tick" });
  const percent2 = (length) => `${100 * length / (high - low)}%`;
  return {
    value,
    rail: element("span", { class: "rail", "aria-hidden": "true" }, reach, tick),
    /** Returns by how much the number has changed, or 0. */
    show(k, kind) {
      const is = pool(here.maps[k])[kind];
      const was = before[k][kind];
      reword(value, WRITTEN[kind](is));
      value.className = same(is, was) ? "" : "cx-new";
      reach.style.left = percent2(Math.min(blank, is) - low);
      reach.style.width = percent2(Math.abs(is - blank));
      tick.style.left = percent2(was - low);
      return same(is, was) ? 0 : is - was;
    }
  };
}
function metersPart(context) {
  const { data: { rows, columns }, here } = context;
  const meters = Object.keys(WRITTEN).map((kind) => ({ kind, change: element("small"), ...gauge(context) }));
  const words = element("p", { class: "words" });
  return {
    node: element("div", { class: "meters" }, ...meters.map(({ kind, rail, value, change }) => element("p", {}, element("span", {}, kind), rail, value, change)), words),
    update() {
      for (const { kind, change, show } of meters) {
        change.textContent = withSign(show(here.index, kind), 2).replace(/^0.00$/, "unchanged");
      }
      const value = here.cell && here.at(here.cell);
      words.textContent = !here.cell ? "The tick on a bar is the number at the start." : `The cell in ${whereIs(here.cell)} gives ${short(value)} / ${rows * columns} = ${number(value / rows / columns, 2)} to the average and ${value === pool(here.map).maximum ? "holds the maximum" : "nothing to the maximum"}.`;
    }
  };
}
function tilesPart(context) {
  const { data: { count, rows, columns, start, colours, peak }, state, here } = context;
  const tiles = start.map(() => ({
    picture: heat(rows, columns, colours),
    name: element("span", { class: "live" }),
    ...gauge(context)
  }));
  const maps = choice({
    state,
    trait: "map_index",
    words: `${count} maps, ${count} numbers: choose one to edit`,
    answers: tiles.map(({ picture: picture2, name, value, rail }, k) => [k, element(
      "span",
      {},
      element("span", { class: "face", style: `aspect-ratio: ${columns} / ${rows}` }, picture2.node),
      name,
      value,
      rail
    )])
  });
  maps.node.classList.add("cx-maps");
  return {
    node: maps.node,
    chosen: maps,
    update() {
      tiles.forEach(({ picture: picture2, name, show }, k) => {
        picture2.draw(here.maps[k].flat(), peak);
        reword(name, `Map ${k + 1}, ${state.get("pooling")} `);
        show(k, state.get("pooling"));
      });
    }
  };
}
function newsPart({ data: { count, rows, columns, start, before }, here }) {
  const terms = Object.entries({ cells: count * rows * columns, averages: count, maxima: count }).map(([words, total]) => [element("strong"), element("small", {}, ` of ${total} ${words} changed`)]);
  return {
    node: element("p", { class: "sum terms" }, ...terms.map((term) => element("span", { class: "term" }, ...term))),
    update() {
      const now = here.maps.map(pool);
      const changed = (is, was) => is.filter((value, i) => !same(value, was[i])).length;
      const counts = [
        changed(here.maps.flat(2), start.flat(2)),
        ...Object.keys(WRITTEN).map((kind) => changed(now.map((all) => all[kind]), before.map((all) => all[kind])))
      ];
      terms.forEach(([value], i) => value.textContent = counts[i]);
    }
  };
}
var STYLE5 = `
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

// upsampling_explorer.mjs
var MODES = [["nearest", "Nearest"], ["bilinear", "Bilinear"], ["bicubic", "Bicubic"]];
var ROOM = 9;
var { hydrate: hydrate6, render: render6 } = livesOf("upsampling_explorer", "Upsampling explorer", (root, packed, state) => explore5(root, unpack5(packed), state));
var lowest = (values) => values.reduce((least, value) => Math.min(least, value));
var highest = (values) => values.reduce((most, value) => Math.max(most, value));
function unpack5(packed) {
  const [rows, columns] = packed.shape;
  const [height, width] = packed.size;
  const map = decode(packed.map);
  if (map.length !== rows * columns) {
    throw new Error(`a map of ${rows} × ${columns} cells expected, got ${map.length} values`);
  }
  const all = [map, ...[false, true].map((aligned) => upsample(map, rows, columns, height, width, "bicubic", aligned))];
  const [low, high] = [Math.min(...all.map(lowest)), Math.max(...all.map(highest))];
  const peak = Math.max(-low, high);
  return {
    ...packed,
    map,
    rows,
    columns,
    height,
    width,
    low,
    high,
    peak,
    colours: new Uint32Array(decode(packed.colours).buffer),
    digits: digitsFor(peak, 4)
  };
}
function cellsOf({ down, across }, [y, x]) {
  const found = /* @__PURE__ */ new Map();
  const [above, beside] = [along(down, y), along(across, x)];
  for (const [row, downShare] of above) {
    for (const [column, share] of beside) {
      const place = `${row},${column}`;
      found.set(place, [row, column, (found.get(place)?.[2] ?? 0) + downShare * share]);
    }
  }
  return { cells: [...found.values()], copies: above.length * beside.length - found.size };
}
var along = ({ taps, cell, share }, pixel) => Array.from({ length: taps }, (_, tap) => [cell[pixel * taps + tap], share[pixel * taps + tap]]).filter(([, part]) => Math.abs(part) > 1e-6);
function hottest(values, width) {
  const value = highest(values);
  const close = value - 1e-6 * Math.abs(value);
  let [first, last] = [0, values.length - 1];
  while (values[first] < close) first++;
  while (values[last] < close) last--;
  const pixel = (index) => [Math.floor(index / width), index % width];
  return { first: pixel(first), last: pixel(last) };
}
function explore5(root, data, state) {
  dress(STYLE6, "upsampling_explorer");
  const { map, rows, columns, height, width } = data;
  const here = {
    get point() {
      return state.get("point");
    },
    get value() {
      return this.point && this.large[this.point[0] * width + this.point[1]];
    },
    written: (value) => number(value, data.digits),
    update() {
      const mode = state.get("mode");
      this.aligned = state.get("align_corners") && mode !== "nearest";
      this.down = shares(rows, height, mode, this.aligned);
      this.across = shares(columns, width, mode, this.aligned);
      this.large = upsample(map, rows, columns, height, width, mode, this.aligned);
    }
  };
  const voice = announcer();
  const context = { ...data, state, here };
  const sum = sumPart2(context);
  const stage = stagePart3({ ...context, onPin: () => voice.say(sum.sentence()) });
  const [switches, hot, profile, stencil] = [switchesPart, hotPart, profilePart, stencilPart].map((part) => part(context));
  const bar = colourBar(data.colours);
  const scale = { update: () => bar.show(data.peak, here.value, here.written) };
  const opacity = slider({
    state,
    trait: "opacity",
    words: "Opacity",
    min: 0,
    max: 1,
    step: 0.05,
    written: (value) => `${Math.round(100 * value)} %`
  });
  const app = element(
    "div",
    { class: "app enlarging", style: `--width: ${448 * Math.min(1, width / height)}px` },
    element(
      "p",
      { class: "title" },
      element("strong", {}, data.name || "One map"),
      " ",
      element("span", {}, `${rows} × ${columns} cells on ${height} × ${width} pixels`)
    ),
    switches.node,
    element("div", { class: "part" }, stage.node, profile.node, bar.node, opacity.node),
    element("div", { class: "part" }, hot.node, stencil.node, sum.node),
    voice.node
  );
  root.append(app);
  const asked = [stage.point, profile, stencil, sum, scale];
  const setting = [here, stage.map, switches, hot, ...asked];
  const ends = [
    follow(state, { mode: setting, align_corners: setting, point: asked, opacity: [stage.opacity, opacity] }),
    ...["mode", "align_corners"].map((trait) => state.subscribe(trait, () => voice.say(`${hot.sentence()} ${sum.sentence()}`))),
    stage.stop,
    voice.stop,
    () => app.remove()
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
    }
  };
}
function hotPart({ state, here, width }) {
  let hot;
  const where = element("span");
  const node = element("button", {
    type: "button",
    class: "hot",
    onclick: () => state.set("point", hot.first.map((first, axis) => Math.ceil((first + hot.last[axis]) / 2)))
  }, "Hottest pixel: ", where);
  return {
    node,
    sentence: () => `${node.textContent}.`,
    update() {
      hot = hottest(here.large, width);
      const [row, column] = hot.first.map((first, axis) => first === hot.last[axis] ? `${first}` : `${first}–${hot.last[axis]}`);
      where.textContent = `row ${row}, column ${column}`;
    }
  };
}
var draw = (node, lines) => node.setAttribute("d", lines.join(""));
var dot = ([x, y]) => `M${x} ${y}h0`;
function stagePart3({ photo, colours, peak, rows, columns, height, width, state, here, onPin }) {
  const painted = heat(height, width, colours);
  const [lines, ways, dots, cut2, spot] = ["lines", "ways", "dots", "cut", "spot"].map((name) => shape("path", { class: name }));
  const discs = shape("g");
  draw(lines, [
    ...Array.from({ length: rows - 1 }, (_, row) => `M0 ${(row + 1) * height / rows}H${width}`),
    ...Array.from({ length: columns - 1 }, (_, column) => `M${(column + 1) * width / columns} 0V${height}`)
  ]);
  const places = (aligned) => {
    const across = centresOf(columns, width, aligned);
    return Array.from(centresOf(rows, height, aligned)).flatMap((y) => Array.from(across, (x) => [x + 0.5, y + 0.5]));
  };
  const pad = pointing({
    height,
    width,
    state,
    onPin,
    label: `The enlarged map. Arrow keys move over its ${height} × ${width} pixels, with Shift by half a cell.`,
    moved(point, way, { shiftKey }) {
      const step = shiftKey ? [height / rows / 2, width / columns / 2].map(Math.ceil) : [1, 1];
      return point.map((at, axis) => at + way[axis] * step[axis]);
    }
  });
  let centres;
  return {
    stop: pad.stop,
    node: element(
      "div",
      { class: "stage sticky" },
      photograph({ class: "photo", src: photo, width, height, alt: "The photograph under the enlarged map" }),
      painted.node,
      shape("svg", { class: "over", viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" }, lines, ways, discs, dots, cut2, spot),
      pad.node
    ),
    map: {
      update() {
        painted.draw(here.large, peak);
        centres = places(here.aligned);
        draw(dots, centres.map(dot));
        draw(ways, here.aligned ? places(false).map(([x, y], index) => `M${x} ${y}L${centres[index]}`) : []);
      }
    },
    point: {
      update() {
        const { point } = here;
        const [y, x] = (point ?? []).map((place) => place + 0.5);
        draw(cut2, point ? [`M0 ${y}H${width}M${x} ${y}V${height}`] : []);
        draw(spot, point ? [dot([x, y])] : []);
        discs.replaceChildren(...(point ? cellsOf(here, point).cells : []).map(([row, column, share]) => shape("path", {
          class: share < 0 ? "less" : "more",
          d: dot(centres[row * columns + column]),
          style: `stroke-width: ${8 + 30 * Math.sqrt(Math.abs(share))}px`
        })));
      }
    },
    opacity: { update: () => painted.node.style.setProperty("opacity", state.get("opacity")) }
  };
}
function profilePart({ map, columns, height, width, low, high, here }) {
  const [least, most] = [lowest(map), highest(map)];
  const top = Math.max(0, high);
  const span = top - Math.min(0, low) || 1;
  const level = (value) => 8 + 84 * (top - value) / span;
  const [zero, plumb, curve, dots, spot] = ["zero", "plumb", "curve", "dots", "spot"].map((name) => shape("path", { class: name }));
  draw(zero, [`M0 ${level(0)}H${width}`]);
  const words = element("p", { class: "words" });
  return {
    node: element("div", { class: "profile" }, element(
      "div",
      { class: "chart", "aria-hidden": "true" },
      shape(
        "svg",
        { viewBox: `0 0 ${width} 100`, preserveAspectRatio: "none" },
        shape("rect", { class: "band", width, y: level(most), height: level(least) - level(most) }),
        zero,
        plumb,
        curve,
        dots,
        spot
      ),
      element("span", { style: `top: ${level(most)}%` }, `highest cell ${here.written(most)}`),
      element("span", { style: `bottom: ${100 - level(least)}%` }, `lowest cell ${here.written(least)}`)
    ), words),
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
      words.textContent = `The picture’s row ${y} as a curve. Dots: cell row${cells.length > 1 ? `s ${cells[0]} ${cells.length > 2 ? "to" : "and"} ${cells.at(-1)}, mixed` : ` ${cells[0]}`}. Shaded: from the lowest to the highest cell.`;
    }
  };
}
function stencilPart({ map, rows, columns, peak, colours, here }) {
  const squares = Array.from({ length: rows * columns }, () => element("span"));
  const sides = (count) => Array.from({ length: count }, (_, place) => element("span", { class: "side" }, String(place)));
  const background = heat(rows, columns, colours);
  background.draw(map, peak);
  return {
    node: element(
      "div",
      {},
      element("p", { class: "heading" }, "Which cells make this pixel? ", element("span", {}, "in %")),
      element(
        "div",
        {
          class: Math.max(rows, columns) > ROOM ? "stencil narrow" : "stencil",
          "aria-hidden": "true",
          style: `--rows: ${rows}; --columns: ${columns}`
        },
        background.node,
        element("span"),
        ...sides(columns),
        ...sides(rows).flatMap((side, row) => [side, ...squares.slice(row * columns, (row + 1) * columns)])
      )
    ),
    update() {
      for (const square of squares) square.textContent = square.className = "";
      for (const [row, column, share] of here.point ? cellsOf(here, here.point).cells : []) {
        const square = squares[row * columns + column];
        square.textContent = number(100 * share, Math.abs(share - 1) < 5e-4 ? 0 : 1);
        square.className = share < 0 ? "cx-less" : "cx-more";
      }
    }
  };
}
function sumPart2({ map, columns, here }) {
  const where = element("span");
  const list = element("ul", { class: "products" });
  const equals = element("span", { class: "sign" });
  const result = element("strong");
  const words = element("p", { class: "words" });
  const answer = element(
    "div",
    {},
    element("p", { class: "heading" }, "Pixel ", where),
    list,
    element("p", { class: "result" }, equals, " ", result),
    words
  );
  const invitation = element(
    "p",
    { class: "invitation" },
    "Point at the picture, tap it or use the arrow keys: each pixel tells which cells it is made of."
  );
  const [least, most] = [lowest(map), highest(map)];
  const remark = ({ cells, copies }) => {
    const [value, low, high] = [here.value, least, most].map((number2) => Number(here.written(number2).replace("−", "-")));
    return (value > high ? "Higher than every cell. " : value < low ? "Lower than every cell. " : "") + (copies ? `It asks for ${cells.length + copies} cells: beyond the edge the outermost are repeated.` : "");
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
        rounded += Number(part) / 100 * Number(value.replace("−", "-"));
        const sign = Number(part) < 0 ? "− " : index ? "+ " : "";
        return element("li", {}, `${sign}${part.replace("-", "")} % × ${value}`);
      }));
      equals.textContent = here.written(rounded) === here.written(here.value) ? "=" : "≈";
      result.textContent = here.written(here.value);
      where.textContent = `row ${point[0]}, column ${point[1]}`;
      words.textContent = remark(made);
    }
  };
}
var STYLE6 = `
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

// weighted_sum_explorer.mjs
var { hydrate: hydrate7, render: render7 } = livesOf("weighted_sum_explorer", "Weighted sum explorer", (root, packed, state) => explore6(root, unpack6(packed), state));
var REST = -1;
function unpack6(packed) {
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
  const [logits, offset, weight2, rest] = [classes, classes, classes * count, classes * cells].map(take);
  const cut2 = (values2, position) => values2.subarray(position * cells, (position + 1) * cells);
  const numbers = [...decode(packed.channels), ...packed.others ? [REST] : []];
  const maps = packed.names.map((_, place) => numbers.map((key, term) => key === REST ? cut2(rest, place) : cut2(features, term).map((value) => value * weight2[place * count + term])));
  return {
    ...packed,
    logits,
    offset,
    weight: weight2,
    numbers,
    maps,
    colours: new Uint32Array(decode(packed.colours).buffer),
    worth: maps.map((terms) => terms.map(mean)),
    pooled: numbers.map((_, term) => mean(cut2(features, term))),
    peak: largest(maps.flatMap((terms) => [...summed(terms, terms.map(() => 1))])),
    title: (key) => key === REST ? `${whole(packed.others)} others` : `channel ${key}`
  };
}
var summed = (maps, loads) => maps[0].map((_, cell) => maps.reduce((sum, map, term) => sum + loads[term] * map[cell], 0));
var within = (values, peak) => values.map((value) => Math.max(-peak, Math.min(peak, value)));
var whole = (count) => count.toLocaleString("en");
function look(data, state) {
  const { classes, names, numbers, offset, others, shape: [count], worth } = data;
  const place = classes.indexOf(state.get("class_index"));
  const off = new Set(state.get("off"));
  const factor = (key) => state.get("factors")[key] ?? 1;
  const loads = numbers.map((key) => off.has(key) ? 0 : factor(key));
  const scores = names.map((_, place2) => loads.reduce((sum, load, term) => sum + load * worth[place2][term], offset[place2]));
  return {
    place,
    name: names[place],
    off,
    factor,
    loads,
    scores,
    ranks: strongest(scores, scores.length),
    key: state.get("channel"),
    term: numbers.indexOf(state.get("channel")),
    // The strongest for the class first; what is not shown by itself comes last.
    order: [...strongest(worth[place].slice(0, count), count), ...others ? [count] : []],
    silent: [...off].reduce((sum, key) => sum + (key === REST ? others : 1), 0)
  };
}
function explore6(root, data, state) {
  dress(STYLE7, "weighted_sum_explorer");
  const voice = announcer();
  const parts = [sumPart3, classesPart, channelPart, switchesPart2, termsPart].map((part) => part(data, state));
  const app = element(
    "div",
    { class: "app ws", style: `${endColours(data.colours)} --ws-opacity: ${data.opacity}` },
    ...parts.flatMap(({ nodes }) => nodes),
    voice.node
  );
  root.append(app);
  const draw2 = (these) => ({ update() {
    const now = look(data, state);
    these.forEach((part) => part.update(now));
  } });
  const all = draw2(parts);
  const say = { update() {
    const { name, place, ranks, scores, silent } = look(data, state);
    voice.say(`${name}: ${number(scores[place], 2)}, rank ${ranks.indexOf(place) + 1} of ${ranks.length}. First is ${data.names[ranks[0]]}. Channels off: ${whole(silent)}.`);
  } };
  const rest = follow(state, { class_index: [all, say], off: [all, say], factors: [all, say], channel: [draw2(parts.slice(1, 4))] });
  voice.stop();
  return () => {
    voice.stop();
    rest();
    app.remove();
  };
}
function picturePart({ colours, photo, shape: [, rows, columns], size: [height, width] }) {
  const image = photograph({ class: "photo", src: photo, alt: "", width, height });
  const map = heat(rows, columns, colours);
  return { image, map, node: element("div", { class: "stage" }, image, map.node) };
}
function sumPart3(data) {
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
    }
  };
}
function classesPart({ classes, logits, names, title, worth }, state) {
  const lines = names.map((name, place) => {
    const [share, value, length, full] = ["share", "value", "length", "full"].map((one) => element("span", { class: `ws-${one}` }));
    const button = element(
      "button",
      { type: "button", class: "ws-class", onclick: () => state.set("class_index", classes[place]) },
      element("span", {}, name),
      " ",
      share,
      " ",
      value,
      element("span", { class: "ws-track", "aria-hidden": "true" }, length, full)
    );
    return { button, share, value, length, full };
  });
  const heading = element("p", { class: "heading", id: uniqueId() }, "Who wins? ");
  const of = element("span");
  const list = element("div", {}, ...lines.map(({ button }) => button));
  return {
    nodes: [element(
      "div",
      { class: "ws-classes", role: "group", "aria-labelledby": heading.id },
      element("div", { class: "ws-head" }, heading, of),
      list
    )],
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
        full.style.setProperty("left", `${100 * Math.abs(logits[place]) / end}%`);
      });
    }
  };
}
function measure(bar, value, end) {
  bar.classList.toggle("cx-against", value < 0);
  bar.style.setProperty("width", `${Math.min(100, 100 * Math.abs(value) / end)}%`);
}
function channelPart(data, state) {
  const { maps, pooled, shape: [count], title, weight: weight2, worth } = data;
  const { map, node } = picturePart(data);
  const [heading, product, words, scale] = ["heading", "ws-product", "ws-note", "ws-note"].map((one) => element("p", { class: one }));
  const turned = slider({
    state: {
      get: () => look(data, state).factor(state.get("channel")),
      set: (_, factor) => state.set("factors", { ...state.get("factors"), [state.get("channel")]: factor })
    },
    words: "Weights",
    min: 0,
    max: 2,
    step: 0.05,
    written: (factor) => `× ${number(factor, 2)}`
  });
  return {
    nodes: [
      element("div", { class: "ws-own sticky" }, node, scale),
      element("div", { class: "ws-words" }, heading, product, words),
      turned.node
    ],
    update({ factor, key, loads, name, place, term }) {
      const [own, total] = [maps[place][term], number(factor(key) * worth[place][term], 2)];
      map.draw(own, largest(own));
      turned.update();
      reword(scale, `full colour: ±${number(largest(own), 2)}`);
      reword(heading, title(key));
      product.textContent = key === REST ? total : `${factor(key) === 1 ? "" : `${number(factor(key), 2)} × `}${number(weight2[place * count + term], 3)} × ${number(pooled[term], 2)} ≈ ${total}`;
      words.textContent = (loads[term] ? "" : "switched off: ") + (key === REST ? `points for ${name}, all together` : `weight for ${name} × mean of its map`);
    }
  };
}
function switchesPart2(data, state) {
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
    const node = element(
      "div",
      {
        class: "ws-tile",
        onpointerenter: (event) => event.pointerType !== "touch" && pins.over(key, event),
        onfocusin: ({ target }) => target.matches(":focus-visible") && pins.pin(key),
        onclick({ target }) {
          pins.pin(key);
          if (!target.closest("label")) box.focus({ preventScroll: true });
        }
      },
      element("div", { class: "ws-thumb", "aria-hidden": "true" }, map.node, element("span", {}, key === REST ? "others" : key)),
      element("label", {}, box, value),
      element("span", { class: "ws-track" }, length)
    );
    return { node, box, map, value, length };
  });
  const button = (words, onclick, name = words) => element("button", { type: "button", class: "ws-button", "aria-label": name, onclick }, words);
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
    nodes: [element(
      "div",
      { class: "ws-switches", role: "group", "aria-labelledby": heading.id },
      element("div", { class: "ws-head" }, heading, counted),
      element(
        "div",
        { class: "ws-buttons" },
        button("All on", () => turn(true, numbers)),
        button("All off", () => turn(false, numbers)),
        "Add next: ",
        add(1),
        add(5),
        add(20),
        reset
      ),
      list
    )],
    update(now) {
      const mine = ++turns;
      if (drawn[0] === void 0 || drawn[0] === now.place) return fill(now);
      requestAnimationFrame(() => requestAnimationFrame(() => mine === turns && fill(look(data, state))));
    }
  };
}
function termsPart({ held, logits, numbers, offset, title, worth }) {
  const node = element("p", { class: "sum ws-terms" });
  const part = (value, words) => element("span", { class: "term" }, element("strong", {}, value), " ", element("small", {}, words));
  return {
    nodes: [node, ...held ? [element("p", { class: "held" }, held)] : []],
    update({ loads, order, place, scores }) {
      const terms = order.filter((term) => loads[term]).map((term) => [loads[term] * worth[place][term], title(numbers[term])]);
      const more = terms.slice(3, numbers.at(-1) === REST && loads.at(-1) ? -1 : void 0);
      if (more.length > 1) terms.splice(3, more.length, [more.reduce((sum2, [value]) => sum2 + value, 0), `${more.length} more`]);
      terms.push([offset[place], "offset"]);
      const sum = number(scores[place], 2);
      const digits = [2, 3, 4].find((digits2) => number(terms.reduce((all, [value]) => all + Number(value.toFixed(digits2)), 0), 2) === sum);
      node.replaceChildren(
        ...terms.map(([value, words], position) => part((value < 0 ? "− " : position ? "+ " : "") + number(Math.abs(value), digits ?? 4), words)),
        part((digits ? "= " : "≈ ") + sum, "sum"),
        part(number(logits[place], 2), "network’s logit")
      );
    }
  };
}
var STYLE7 = `
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

// widgets
var explorers = { box_explorer: render, class_explorer: render2, frame_explorer: render3, method_comparer: render4, pooling_explorer: render5, upsampling_explorer: render6, weighted_sum_explorer: render7 };
var widgets_default = { render: (given) => explorers[given.model.get("_module")](given) };
export {
  widgets_default as default
};
