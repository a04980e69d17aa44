// "Your photograph": choose one, and the book's networks explain it inside the browser.
// The Worker beside this module does the work; ClassExplorer shows what comes out of it.

import { assemble, explore } from "../explorers/class_explorer.mjs";
import { decode, pageState, wear } from "../explorers/shared/all.mjs";
import { lacks, missing, notLoaded, refusal } from "./words.mjs";

const address = (path) => new URL(path, import.meta.url).href;
const NETWORK = "../network/";
const ADDRESSES = {
  script: address("../ort/ort.wasm.min.mjs"),
  glue: address("../ort/ort-wasm-simd-threaded.mjs"),
  wasm: address("../ort/ort-wasm-simd-threaded.wasm"),
};
// What the reader set for one photograph holds for the next.
const KEPT = ["opacity", "mode", "scale", "greyscale"];

function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

const megabytes = (count) => (count / 1e6).toFixed(1);

/** Bring the page to life. */
export async function hydrate(root) {
  const lacking = missing();
  if (lacking) {
    wear(STYLE);
    root.append(element("p", { class: "yp-problem", role: "alert" }, lacks(lacking)));
    return;
  }
  wear(STYLE);
  let settings;
  try {
    const answer = await fetch(address(`${NETWORK}network.json`), { cache: "no-cache" });
    if (!answer.ok) throw new Error(`network.json: status ${answer.status}`);
    settings = await answer.json();
  } catch (error) {
    const again = element("button", { type: "button", class: "yp-button", onclick: () => {
      problem.remove();
      hydrate(root);
    } }, "Try again");
    const problem = element("div", { class: "yp-problem", role: "alert" },
      element("p", {}, notLoaded(error.message)), again);
    root.append(problem);
    return;
  }
  const here = parts(root, settings);
  const worker = engine(settings, here);
  const state = pageState({ opacity: 0.8, mode: "bilinear", scale: "shared", greyscale: true });
  let [network] = settings.networks;
  let wanted = 0;
  let asked; // the photograph that was chosen last
  let explained; // the one that is shown, and by which network
  let leave = () => {};

  /** Explain a file (or the promise of one), unless another is chosen meanwhile; `shown` gives the class to show. */
  const explain = async (given, name, source = {}, shown = undefined) => {
    const id = ++wanted;
    const by = network;
    asked = { given, name, source, shown, by };
    here.problem("");
    here.choose(source.file);
    let answer;
    try {
      answer = await worker.explain(id, given, by);
    } catch (error) {
      if (id !== wanted) return;
      here.busy("");
      const again = () => {
        choose(by);
        explain(given, name, source, shown);
      };
      if (explained) { // it is still on show
        asked = explained;
        choose(explained.by);
      }
      if (error.notLoaded) here.problem(notLoaded(error.message), again);
      else here.problem(refusal(error.reason, name, error.details));
      return;
    }
    if (id !== wanted) return;
    leave();
    const data = assemble({
      ...answer,
      offset: decode(by.offset),
      classes: Int32Array.from(settings.names.keys()),
      names: settings.names,
      colours: new Uint32Array(decode(settings.colours).buffer),
    });
    const best = data.order[0];
    const values = Object.fromEntries(KEPT.map((trait) => [trait, state.get(trait)]));
    const own = pageState({ ...values, class_index: shown?.() ?? best, cell: null });
    explained = asked = { given, name, source, by, shown: () => own.get("class_index") };
    const stops = KEPT.map((trait) => own.subscribe(trait, () => state.set(trait, own.get(trait))));
    here.busy("");
    here.overview(answer, name, source);
    here.said(by, !shown, settings.names[best]);
    const remove = explore(here.figure, data, own);
    leave = () => {
      stops.forEach((stop) => stop());
      remove();
    };
    here.show();
    here.say(`${name || "Your picture"} is explained. ${by.title}’s first word: ${settings.names[best]}, ` +
      `logit ${answer.logits[best].toFixed(2)}. Below you can choose any of ${settings.names.length} classes.`);
  };

  /** The first of some files; a list without one holds an address or text. */
  const take = (files) => {
    const file = files[0];
    if (file) explain(file, file.name);
    else here.problem(refusal("no file"));
  };
  const borrow = (photograph) => explain(fetched(photograph.file), photograph.title, photograph);
  const choose = (other) => {
    network = other;
    here.network(other);
  };
  /** The same photograph and class by another network. */
  const ask = (other) => {
    choose(other);
    explain(asked.given, asked.name, asked.source, asked.shown);
  };
  here.listen({ take, borrow, ask, intend: () => worker.load(network) });
  root.dataset.awake = "";
}

/** One of the book's photographs as a file. */
async function fetched(file) {
  try {
    const answer = await fetch(address(NETWORK + file));
    if (answer.ok) return await answer.blob();
  } catch {
    // No connection: the same for the reader as a file that is not there.
  }
  throw Object.assign(new Error(), { reason: "unreachable" });
}

// ---------------------------------------------------------------- the Worker

/** The Worker behind two functions: `load` a network once, `explain` a file by it. */
function engine(settings, here) {
  let worker;
  const networks = new Map(); // by name, the promise that it is loaded and what settles it
  const waiting = new Map();
  let latest;

  /** A network did not load, or the Worker broke down: then none is there. The next photograph tries again. */
  const fail = (message, name) => {
    const error = Object.assign(new Error(message), { notLoaded: true });
    const others = [...networks].some(([other, { ready }]) => other !== name && ready);
    const lost = ([key, { by = key }]) => !name || !others || by === name;
    if (!name || !others) {
      worker.terminate();
      worker = undefined;
    }
    for (const entries of [networks, waiting]) {
      for (const entry of [...entries].filter(lost)) {
        entries.delete(entry[0]);
        entry[1].reject(error);
      }
    }
  };
  const start = () => {
    worker = new Worker(new URL("./worker.mjs", import.meta.url), { type: "module" });
    worker.addEventListener("error", (event) => {
      event.preventDefault();
      fail(event.message || "its program did not start");
    });
    worker.addEventListener("message", ({ data }) => {
      if (data.type === "progress") here.progress(data.loaded, data.total);
      else if (data.type === "ready") {
        networks.get(data.name).ready = true;
        networks.get(data.name).resolve();
      } else if (data.type === "failed") fail(data.message, data.name);
      else {
        const { resolve, reject } = waiting.get(data.id);
        waiting.delete(data.id);
        if (data.type === "explained") resolve(data);
        else reject(data);
      }
    });
  };
  const load = ({ name, file, bytes }) => {
    if (!networks.has(name)) {
      here.progress(0, bytes + (worker ? 0 : settings.runtime.bytes));
      if (!worker) start();
      const entry = {};
      entry.loaded = new Promise((resolve, reject) => Object.assign(entry, { resolve, reject }));
      entry.loaded.then(() => here.loaded(), () => here.loaded());
      networks.set(name, entry);
      const addresses = { ...ADDRESSES, model: address(NETWORK + file) };
      worker.postMessage({ type: "load", settings, addresses, model: { name, bytes } });
    }
    return networks.get(name).loaded;
  };
  return {
    load: (network) => load(network).catch(() => {}), // whoever explains will hear of it
    async explain(id, given, network) {
      latest = id;
      const loading = load(network);
      loading.catch(() => {}); // said below, or to whoever waits
      const file = await given;
      if (loading !== networks.get(network.name)?.loaded) await loading; // it failed while the file was on its way
      const by = network.name;
      const answer = new Promise((resolve, reject) => waiting.set(id, { resolve, reject, by }));
      // At once: it waits in the Worker, which then need not run the network for practice.
      worker.postMessage({ type: "explain", id, file, name: by });
      loading.then(() => { if (waiting.has(id) && id === latest) here.busy("Explaining …"); }, () => {});
      return answer;
    },
  };
}

// ---------------------------------------------------------------- what one sees

function parts(root, settings) {
  const input = element("input", { type: "file", accept: "image/*", class: "yp-file" });
  const zone = element("label", { class: "yp-zone" },
    input,
    element("span", { class: "yp-button" }, "Choose a photograph"),
    element("span", { class: "yp-hint yp-fine" }, "or drop one anywhere on this page, or paste one"),
    element("span", { class: "yp-hint yp-coarse" }, "from your album, or take one now"),
    element("span", { class: "yp-promise" }, "It stays on this machine: nothing is sent anywhere."),
  );
  const buttons = settings.photographs.map((photograph) => element("button", {
    type: "button", class: "yp-borrow", "aria-pressed": "false", "data-file": photograph.file,
  }, element("img", {
    src: address(NETWORK + photograph.thumbnail), alt: photograph.alt, class: "dark-light",
  }), element("span", {}, photograph.title)));
  const bar = element("progress", { max: 1, value: 0, "aria-label": "Loading the network" });
  const amount = element("span", { class: "yp-amount" });
  const progress = element("div", { class: "yp-progress", hidden: "" },
    element("span", {}, "Loading the network, once"), bar, amount);
  const busy = element("p", { class: "yp-busy", hidden: "" });
  const live = element("p", { class: "yp-live", role: "status" });
  const problem = element("div", { class: "yp-problem", role: "alert", hidden: "" });
  const seen = element("div", { class: "yp-seen" });
  const words = new Map(settings.networks.map(({ name }) => [name, element("small")]));
  const inputs = new Map();
  const choices = settings.networks.map(({ name, title, bytes }, place) => {
    const input = element("input", { type: "radio", name: "yp-network", value: name });
    input.checked = !place;
    inputs.set(name, input);
    return element("label", {}, input, element("span", {}, title, ` (${megabytes(bytes)} MB) `, words.get(name)));
  });
  const asked = element("fieldset", { class: "yp-networks" }, element("legend", {}, "Which network?"), ...choices);
  const figure = element("figure", {
    class: "camlib-explorer", "data-camlib-explorer": "class_explorer", "aria-label": "Class explorer",
  });
  const result = element("section", { class: "yp-result", "aria-label": "Your photograph, explained", hidden: "" },
    seen, asked, figure);
  const app = element("div", { class: "yp-app" },
    zone,
    element("div", { class: "yp-borrowed" },
      element("p", {}, "Or take one of the book’s:"), element("div", { class: "yp-row" }, ...buttons)),
    progress, busy, problem, live, result,
  );
  root.replaceChildren(app);

  return {
    figure,
    say: (text) => { live.textContent = text; },
    busy(text) {
      busy.textContent = text;
      busy.hidden = !text;
      if (text) live.textContent = text;
    },
    progress(loaded, total) {
      if (progress.hidden) live.textContent = `Loading the network, ${megabytes(total)} megabytes, once.`;
      progress.hidden = false;
      bar.value = loaded / total;
      amount.textContent = `${megabytes(loaded)} of ${megabytes(total)} MB`;
    },
    loaded: () => { progress.hidden = true; },
    problem(text, again) {
      problem.hidden = !text;
      problem.replaceChildren(element("p", {}, text));
      if (again) {
        problem.append(element("button", { type: "button", class: "yp-button", onclick: again }, "Try again"));
      }
    },
    choose(file) {
      buttons.forEach((button) => button.setAttribute("aria-pressed", String(button.dataset.file === file)));
    },
    overview(answer, name, { credit }) {
      const share = (part, all) => `${(100 * part) / all}%`;
      const { width, height, square } = answer;
      const frame = element("span", { class: "yp-frame" });
      frame.style.left = share(square.left, width);
      frame.style.top = share(square.top, height);
      frame.style.width = share(square.width, width);
      frame.style.height = share(square.height, height);
      const picture = element("img", { src: answer.overview, class: "dark-light",
        alt: `The whole photograph; a frame marks the square in its middle that the network saw` });
      seen.replaceChildren(
        element("div", { class: "yp-whole" }, picture, frame),
        element("p", {}, element("strong", {}, name || "Your picture"), ` has ${width} × ${height} pixels. `,
          "The network saw the square in the frame, shrunk to 224 × 224. What lies outside it, it cannot name. ",
          credit ? element("small", {}, credit) : ""),
      );
    },
    network({ name }) {
      inputs.get(name).checked = true;
    },
    /** Each network's first word stays beside its name, until another photograph is explained. */
    said({ name }, first, word) {
      if (first) words.forEach((node) => { node.textContent = ""; });
      words.get(name).textContent = `says “${word}”`;
    },
    show() {
      result.hidden = false;
      // On a phone the answer would else stand below the edge, unseen.
      const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
      if (figure.getBoundingClientRect().top > 0.6 * innerHeight) {
        result.scrollIntoView({ behavior: calm ? "auto" : "smooth", block: "start" });
      }
    },
    listen({ take, borrow, ask, intend }) {
      asked.addEventListener("change", ({ target }) =>
        ask(settings.networks.find(({ name }) => name === target.value)));
      input.addEventListener("change", () => {
        if (input.files.length) take([...input.files]);
        input.value = ""; // the same file can be chosen again
      });
      // Whoever opens the dialogue will need the network: it loads while they look for a file.
      zone.addEventListener("click", intend);
      buttons.forEach((button, place) =>
        button.addEventListener("click", () => borrow(settings.photographs[place])));
      whatIsDropped(zone, take);
      document.addEventListener("paste", ({ clipboardData }) => {
        if (clipboardData?.files.length) take([...clipboardData.files]);
      });
    },
  };
}

/** A photograph may be dropped anywhere: beside the zone the browser would leave the page for it. */
function whatIsDropped(zone, take) {
  let depth = 0;
  // A piece of text that is moved into a search field is none of our business.
  const on = (type, act) => document.addEventListener(type, (event) => {
    if (event.dataTransfer.types.some((kind) => kind === "Files" || kind === "text/uri-list")) act(event);
  });
  const mark = (by) => {
    depth = Math.max(0, depth + by);
    zone.classList.toggle("yp-over", depth > 0);
  };
  on("dragenter", () => mark(1));
  on("dragleave", () => mark(-1));
  on("dragover", (event) => event.preventDefault());
  on("drop", (event) => {
    event.preventDefault();
    mark(-depth);
    take([...event.dataTransfer.files]);
  });
}

// ---------------------------------------------------------------- looks

const STYLE = `
[data-camlib-app="your_photo"][data-awake] { font-family: var(--cam-font-label); font-size: 1rem; line-height: 1.4; }
.yp-app [hidden] { display: none !important; }
.yp-app { display: grid; grid-template-columns: minmax(0, 1fr); gap: 1rem; margin: 1.25rem 0; overflow-wrap: anywhere; }
.yp-app p { margin: 0; }
.yp-app :is(button, progress):focus-visible { outline: 3px solid var(--cam-focus); outline-offset: 2px; }
.yp-live, .yp-file { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.yp-zone {
  position: relative; display: grid; justify-items: center; gap: 0.375rem; margin: 0; padding: 1.5rem 1rem; cursor: pointer;
  text-align: center; background: var(--cam-raised); border: 2px dashed var(--cam-ink-muted); border-radius: 0.75rem;
}
.yp-zone:hover, .yp-zone.yp-over { border-color: var(--cam-for); background: var(--cam-for-soft); }
.yp-zone:has(:focus-visible) { outline: 3px solid var(--cam-focus); outline-offset: 2px; }
.yp-button {
  padding: 0.5rem 1.125rem; color: var(--cam-paper); background: var(--cam-for); border: 0; border-radius: 0.5rem;
  font: inherit; font-weight: 600; cursor: pointer;
}
.yp-promise { color: var(--cam-ink-muted); font-size: 0.875rem; }
.yp-coarse { display: none; }
@media (pointer: coarse) { .yp-coarse { display: inline; } .yp-fine { display: none; } }
.yp-borrowed { display: grid; grid-template-columns: minmax(0, 1fr); gap: 0.5rem; }
.yp-row { display: grid; grid-template-columns: repeat(5, minmax(0, 1fr)); gap: 0.5rem; }
.yp-borrow {
  display: flex; flex-direction: column; gap: 0.25rem; padding: 0.25rem 0.25rem 0.375rem; color: inherit; background: none;
  border: 1px solid transparent; border-radius: 0.5rem; font: inherit; font-size: 0.875rem; line-height: 1.2; cursor: pointer;
}
.yp-borrow:hover { background: var(--cam-raised); }
.yp-borrow[aria-pressed="true"] { background: var(--cam-raised); border-color: var(--cam-focus); box-shadow: inset 0 0 0 1px var(--cam-focus); font-weight: 600; }
.yp-borrow img { display: block; width: 100%; aspect-ratio: 1; margin: 0; object-fit: cover; border-radius: 0.3125rem; }
.yp-borrow span { width: 100%; text-align: center; }
.yp-progress { display: grid; grid-template-columns: auto 1fr auto; gap: 0.75rem; align-items: center; font-variant-numeric: tabular-nums; }
.yp-progress progress { width: 100%; height: 0.625rem; accent-color: var(--cam-for); }
.yp-amount { color: var(--cam-ink-muted); }
.yp-problem { display: grid; gap: 0.75rem; justify-items: start; padding: 0.875rem 1rem; background: var(--cam-for-soft); border-left: 4px solid var(--cam-for); border-radius: 0.25rem; }
.yp-result { display: grid; grid-template-columns: minmax(0, 1fr); gap: 0.5rem; scroll-margin-top: 4rem; }
.yp-networks { display: flex; flex-wrap: wrap; gap: 0.25rem 1.25rem; margin: 0; padding: 0; border: 0; }
.yp-networks legend { float: left; margin: 0 1.25rem 0 0; padding: 0.25rem 0; font-size: inherit; font-weight: 600; }
.yp-networks label { display: flex; gap: 0.375rem; align-items: center; min-height: 2rem; margin: 0; cursor: pointer; }
.yp-networks input { flex: none; width: 1.125rem; height: 1.125rem; margin: 0; accent-color: var(--cam-for); }
.yp-networks small { color: var(--cam-ink-muted); }
@media (pointer: coarse) { .yp-networks label { min-height: 2.75rem; } }
.yp-seen { display: flex; gap: 1rem; align-items: center; font-size: 0.9375rem; }
.yp-seen p { min-width: 0; }
.yp-seen small { display: block; margin-top: 0.25rem; color: var(--cam-ink-muted); }
.yp-whole { position: relative; flex: none; overflow: hidden; max-width: 45%; border-radius: 0.375rem; }
.yp-whole img { display: block; width: auto; max-width: 100%; max-height: 9rem; margin: 0; }
.yp-frame { position: absolute; outline: 2px solid #fff; outline-offset: -2px; box-shadow: 0 0 0 100rem rgb(15 18 25 / 0.6); }
.yp-result figure.camlib-explorer { margin: 0; padding: 0; width: 100%; }
@media (max-width: 30rem) {
  .yp-row { gap: 0.125rem; margin: 0 -0.25rem; }
  .yp-borrow { font-size: 0.8125rem; }
  .yp-whole img { max-height: 6.5rem; }
  .yp-progress { grid-template-columns: 1fr auto; }
  .yp-progress progress { grid-column: 1 / -1; grid-row: 2; }
}
@media print { .yp-zone, .yp-borrowed, .yp-progress, .yp-busy { display: none; } }
`;
