// BoxExplorer in the browser: threshold, region, box, and how well the box meets the true one.

import { choice, slider } from "./shared/controls.mjs";
import { decode } from "./shared/data.mjs";
import { announcer, element, photograph, reword, shape } from "./shared/elements.mjs";
import { follow, livesOf } from "./shared/lives.mjs";
import { dress } from "./shared/looks.mjs";
import { digitsFor, number } from "./shared/numbers.mjs";
import { paint } from "./shared/painting.mjs";
import { upsample } from "./shared/upsampling.mjs";

const FOUND = 0.5; // an IoU from here on counts
const STEPS = Array.from({ length: 99 }, (_, step) => Math.round(step + 1) / 100);

export const { hydrate, render } = livesOf("box_explorer", "Box explorer", (root, packed, state) =>
  explore(root, unpack(packed), state));

// ---------------------------------------------------------------- arithmetic

/** The parts of a map above `threshold` × its maximum: each with its size and half-open box. */
export function regionsOf({ map, width, peak, low }, threshold) {
  const owner = new Uint16Array(map.length); // 0: below, else the number of its region
  const regions = [];
  if (peak <= 0 || peak === low) return { owner, regions };
  const least = Math.fround(threshold * peak); // as PyTorch compares: in the map's own precision
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

/** The number of the largest region, the first of equal ones; 0 where there is none. */
export const largestOf = (regions) =>
  regions.reduce((best, { size }, index) => (best && regions[best - 1].size >= size ? best : index + 1), 0);

/** Intersection over union of two half-open boxes. */
export function iouOf(a, b) {
  const both = Math.max(0, Math.min(a[2], b[2]) - Math.max(a[0], b[0])) *
    Math.max(0, Math.min(a[3], b[3]) - Math.max(a[1], b[1]));
  const area = ([x0, y0, x1, y1]) => (x1 - x0) * (y1 - y0);
  return both / (area(a) + area(b) - both);
}

/** What a threshold makes of a scene: its regions, the box around the largest, the IoU it reaches. */
export function cut(scene, threshold) {
  const { owner, regions } = regionsOf(scene, threshold);
  const largest = largestOf(regions);
  const box = largest ? regions[largest - 1].box : null;
  return { owner, regions, largest, box, iou: box ? Math.max(...scene.boxes.map((true_) => iouOf(box, true_))) : 0 };
}

/** What the Python class packed, its maps enlarged to their pictures. */
function unpack({ scenes, colours }) {
  return {
    colours: new Uint32Array(decode(colours).buffer),
    scenes: scenes.map((scene) => {
      const [[height, width], [rows, columns]] = [scene.size, scene.shape];
      const map = upsample(decode(scene.map), rows, columns, height, width, "bilinear");
      const [low, peak] = [Math.min, Math.max].map((end) => map.reduce((a, b) => end(a, b)));
      const whole = { ...scene, map, height, width, low, peak };
      return { ...whole, curve: STEPS.map((threshold) => cut(whole, threshold).iou) };
    }),
  };
}

// ---------------------------------------------------------------- the explorer

const percent = (share) => `${Math.round(100 * share)} %`;

/** Build the explorer into `root` and return the function that takes it away again. */
function explore(root, data, state) {
  dress(STYLE, "box_explorer");
  const { scenes } = data;
  const here = {
    get threshold() { return state.get("threshold"); },
    get scene() { return scenes[state.get("scene")]; },
    update() {
      this.cut = cut(this.scene, this.threshold);
      // Another picture changes no other one's cut.
      if (this.at !== this.threshold) this.ious = scenes.map((scene) => cut(scene, this.threshold).iou);
      this.at = this.threshold;
      this.found = this.ious.filter((iou) => iou >= FOUND).length;
    },
  };
  const context = { ...data, state, here };
  const voice = announcer();
  const [title, stage, verdict, curve, choose] = [titlePart, stagePart, verdictPart, curvePart, choosePart].map((part) => part(context));
  const threshold = slider({
    state, trait: "threshold", words: "Threshold", min: 0.01, max: 0.99, step: 0.01, written: percent,
  });
  const app = element("div", { class: "app boxing" }, title.node,
    element("div", { class: "column" }, stage.node, threshold.node, keyPart()),
    element("div", { class: "column" }, choose.node, verdict.node, curve.node), voice.node);
  root.append(app);
  const changing = [here, title, stage, verdict, curve, choose, threshold];
  const ends = [
    follow(state, { threshold: changing, scene: changing }),
    ...["threshold", "scene"].map((trait) => state.subscribe(trait, () => voice.say(verdict.sentence()))),
    voice.stop, () => app.remove(),
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
    },
  };
}

const outline = ([x0, y0, x1, y1]) => `M${x0} ${y0}H${x1}V${y1}H${x0}Z`;

/** The picture with its map, all that is below the threshold in shadow, and the boxes. */
function stagePart({ scenes, colours, here }) {
  const photo = photograph({ class: "photo" });
  const [evidence, shadow] = [0, 1].map(() => element("canvas", { class: "heat", "aria-hidden": "true" }));
  const [surface, dark] = [evidence, shadow].map((canvas) => canvas.getContext("2d"));
  const [truth, found] = ["true", "found"].map((name) => [0, 1].map((over) => shape("path", { class: over ? name : `${name} halo` })));
  const over = shape("svg", { class: "over", "aria-hidden": "true" }, ...truth, ...found);
  // A scene's colours are kept, so that its second visit computes none.
  const painted = new Map();
  const colouredOf = (scene) => {
    if (!painted.has(scene)) {
      const image = surface.createImageData(scene.width, scene.height);
      paint(new Uint32Array(image.data.buffer), scene.map, Math.max(scene.peak, -scene.low), colours);
      painted.set(scene, image);
    }
    return painted.get(scene);
  };
  let shown;
  let image;
  return {
    node: element("div", { class: "stage sticky" }, photo, element("div", { class: "layers" }, evidence, shadow), over),
    update() {
      const { scene, cut: { owner, largest, box } } = here;
      const { width, height } = scene;
      if (image?.width !== width || image.height !== height) {
        for (const canvas of [evidence, shadow]) [canvas.width, canvas.height] = [width, height];
        image = dark.createImageData(width, height);
        [photo.width, photo.height] = [width, height];
        over.setAttribute("viewBox", `0 0 ${width} ${height}`);
      }
      // Black in little-endian ABGR: dark below the threshold, half dark in the smaller regions.
      const pixels = new Uint32Array(image.data.buffer);
      for (let place = 0; place < owner.length; place++) {
        pixels[place] = owner[place] === 0 ? 0xa8000000 : owner[place] === largest ? 0 : 0x54000000;
      }
      dark.putImageData(image, 0, 0);
      found.forEach((path) => path.setAttribute("d", box ? outline(box) : ""));
      if (shown === scene) return;
      shown = scene;
      surface.putImageData(colouredOf(scene), 0, 0);
      photo.src = scene.photo;
      photo.alt = `${scene.name}: the picture under its map`;
      truth.forEach((path) => path.setAttribute("d", scene.boxes.map(outline).join("")));
    },
  };
}

/** What the two kinds of lines mean. */
function keyPart() {
  const sample = (name) => shape("svg", { class: "sample", viewBox: "0 0 28 12", "aria-hidden": "true" },
    shape("path", { class: `${name} halo`, d: "M1 6H27" }), shape("path", { class: name, d: "M1 6H27" }));
  return element("p", { class: "key" },
    element("span", {}, sample("found"), " box around the largest region"),
    element("span", {}, sample("true"), " true box"));
}

/** The rule with live numbers, the IoU and what it counts for. */
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
    sentence: () => `${here.scene.name}: threshold ${percent(here.threshold)}, IoU ${result.textContent}, ${words.textContent}. ` +
      `${here.found} of ${scenes.length} found.`,
    update() {
      const { scene: { peak }, threshold, cut: { box, iou } } = here;
      const digits = digitsFor(peak);
      reword(rule, peak > 0
        ? `In the light: values above ${number(threshold, 2)} × ${number(peak, digits)} = ${number(threshold * peak, digits)}`
        : `The highest value is ${number(peak, digits)}: there is no evidence to cut.`);
      reword(result, number(iou, 2));
      result.className = box && iou >= FOUND ? "cx-yes" : "cx-no";
      reword(words, verdict());
    },
  };
}

/** IoU over all thresholds, and the share of pictures found; a click or drag sets the threshold. */
function curvePart({ scenes, state, here }) {
  const at = (threshold, value) => `${100 * threshold} ${100 * (1 - value)}`;
  const line = (values) => `M${values.map((value, step) => at(STEPS[step], value)).join("L")}`;
  const [share, own, plumb, spot] = ["share", "curve", "plumb", "spot"].map((name) => shape("path", { class: name }));
  share.setAttribute("d", line(STEPS.map((_, step) => scenes.filter(({ curve }) => curve[step] >= FOUND).length / scenes.length)));
  const pick = (event) => {
    const box = chart.getBoundingClientRect();
    const step = Math.round((100 * (event.clientX - box.left)) / box.width);
    state.set("threshold", Math.min(99, Math.max(1, step)) / 100);
  };
  const chart = element("div", {
    class: "chart", "aria-hidden": "true",
    onpointerdown: (event) => {
      chart.setPointerCapture?.(event.pointerId);
      pick(event);
    },
    onpointermove: (event) => event.buttons && pick(event),
  }, shape("svg", { viewBox: "0 0 100 100", preserveAspectRatio: "none" },
    shape("path", { class: "half", d: "M0 50H100" }), plumb, share, own, spot),
  element("span", { class: "top" }, "1"), element("span", { class: "middle" }, "0.5"), element("span", { class: "bottom" }, "0"));
  const sample = (name) => shape("svg", { class: "sample", viewBox: "0 0 28 12", "aria-hidden": "true" }, shape("path", { class: name, d: "M1 6H27" }));
  return {
    node: element("div", { class: "thresholds" },
      element("p", { class: "heading" }, "Every threshold ", element("span", {}, "click one to try it")), chart,
      element("p", { class: "ends", "aria-hidden": "true" }, element("span", {}, "1 %"), element("span", {}, "threshold"), element("span", {}, "99 %")),
      element("p", { class: "key" }, element("span", {}, sample("curve"), " IoU in this picture"),
        element("span", {}, sample("share"), ` share of the ${scenes.length} found`))),
    update() {
      own.setAttribute("d", line(here.scene.curve));
      plumb.setAttribute("d", `M${at(here.threshold, 1)}V100`);
      spot.setAttribute("d", `M${at(here.threshold, here.cut.iou)}h0`);
    },
  };
}

/** One small picture for each scene with what this threshold makes of it; arrow keys go through. */
function choosePart({ scenes, state, here }) {
  const marks = scenes.map(() => element("small"));
  const answers = scenes.map((scene, index) => [index, element("span", { class: "thumb" },
    photograph({ src: scene.photo, alt: scene.name, width: scene.width, height: scene.height }), marks[index])]);
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
    },
  };
}

// ---------------------------------------------------------------- looks

const STYLE = `
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
