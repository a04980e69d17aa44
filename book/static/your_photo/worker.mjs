// The Worker: reads a photograph, prepares it as camlib.networks.preprocess does, runs a network.
// Messages in:  { type: "load", settings, addresses, model }   { type: "explain", id, file, name }
// Messages out: { type: "progress", loaded, total }  "ready"  "failed"  "explained"  "refused"
// Nothing is ever sent anywhere: the only requests are those of `load`, and they carry no data.

import { across, down, normalised, plan } from "./pixels.mjs";
import { recognise } from "./files.mjs";

// Where Pillow, too, refuses to open a picture: a few kilobytes can claim to hold gigabytes.
const MOST_PIXELS = 178_956_970;
const FIRST_BYTES = 2 ** 20;
// What the reader gets to see: the square at the explorer's size, and the whole photograph, small.
const SHOWN = 448;
const WHOLE = 320;
// Lines read at once: a photograph's pixels need not all lie in memory twice.
const STRIP = 128;

let settings;
let runtime;
const sessions = new Map(); // by the network's name, and that it is there a promise

class Refusal extends Error {
  constructor(reason, details = {}) {
    super(reason);
    Object.assign(this, { reason, details });
  }
}

// ---------------------------------------------------------------- the network

/** The bytes at an address, counted while they arrive. */
async function fetched(address, expected, count) {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${address.split("/").pop()}: status ${response.status}`);
  const bytes = new Uint8Array(expected);
  const reader = response.body.getReader();
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    if (length + value.length <= expected) bytes.set(value, length);
    length += value.length;
    count(value.length);
  }
  if (length !== expected) {
    throw new Error(`${address.split("/").pop()}: ${length} bytes came, ${expected} were expected`);
  }
  return bytes;
}

async function load(given, addresses, { name, bytes }) {
  settings = given;
  const total = bytes + (runtime ? 0 : settings.runtime.bytes);
  let loaded = 0;
  const count = (more) => postMessage({ type: "progress", loaded: (loaded += more), total });
  const [model] = await Promise.all([
    fetched(addresses.model, bytes, count),
    runtime ?? start(addresses, count),
  ]);
  const session = await runtime.InferenceSession.create(model, { executionProviders: ["wasm"] });
  postMessage({ type: "ready", name });
  return session;
}

async function start(addresses, count) {
  const [ort, wasm] = await Promise.all([
    import(addresses.script), fetched(addresses.wasm, settings.runtime.bytes, count),
  ]);
  // More threads need headers that a plain static server does not send.
  Object.assign(ort.env.wasm, {
    numThreads: 1, proxy: false, wasmBinary: wasm.buffer,
    wasmPaths: { mjs: addresses.glue, wasm: addresses.wasm },
  });
  runtime = ort;
}

async function run(name, images) {
  const shape = [1, 3, settings.crop, settings.crop];
  const session = await sessions.get(name);
  return session.run({ images: new runtime.Tensor("float32", images, shape) });
}

// ---------------------------------------------------------------- the photograph

async function opened(file) {
  if (!file.size) throw new Refusal("empty");
  const head = new Uint8Array(await file.slice(0, FIRST_BYTES).arrayBuffer());
  const { kind, width, height } = recognise(head);
  if (kind === "SVG") throw new Refusal("svg");
  if (width * height > MOST_PIXELS) throw new Refusal("large", { width, height });
  let picture;
  try {
    picture = await createImageBitmap(file, {
      // As Pillow: turned upright, colours as they are stored.
      imageOrientation: "from-image", colorSpaceConversion: "none", premultiplyAlpha: "none",
    });
  } catch {
    if (kind === "HEIC" || kind === "TIFF" || kind === "AVIF") throw new Refusal("format", { kind });
    if (width * height > MOST_PIXELS / 8) throw new Refusal("large", { width, height });
    throw new Refusal(kind ? "damaged" : "no picture");
  }
  if (picture.width * picture.height > MOST_PIXELS) {
    const details = { width: picture.width, height: picture.height };
    picture.close();
    throw new Refusal("large", details);
  }
  return picture;
}

function canvas(width, height) {
  const surface = new OffscreenCanvas(width, height);
  const draw = surface.getContext("2d", { alpha: false, willReadFrequently: true });
  draw.fillStyle = "white"; // what is transparent lies on white, as in camlib
  return { surface, draw };
}

/** The square of pixels that the network reads, as RGB bytes. */
export function square(picture, { columns, rows, side }) {
  const width = columns.upTo - columns.from;
  const { draw } = canvas(width, Math.min(STRIP, rows.upTo - rows.from));
  draw.imageSmoothingEnabled = false;
  const lines = new Uint8ClampedArray((rows.upTo - rows.from) * side * 3);
  for (let top = rows.from; top < rows.upTo; top += STRIP) {
    const count = Math.min(STRIP, rows.upTo - top);
    draw.fillRect(0, 0, width, count);
    draw.drawImage(picture, columns.from, top, width, count, 0, 0, width, count);
    const { data } = draw.getImageData(0, 0, width, count);
    across(data, count, columns, lines, (top - rows.from) * side * 3);
  }
  return down(lines, side, rows);
}

/** A part of the picture as the address of a JPEG, width × height pixels large. */
async function drawn(picture, part, width, height) {
  const { surface, draw } = canvas(width, height);
  draw.imageSmoothingQuality = "high";
  draw.fillRect(0, 0, width, height);
  draw.drawImage(picture, part.left, part.top, part.width, part.height, 0, 0, width, height);
  const blob = await surface.convertToBlob({ type: "image/jpeg", quality: 0.9 });
  return new FileReaderSync().readAsDataURL(blob);
}

async function explain(id, file, name) {
  const picture = await opened(file);
  try {
    const { width, height } = picture;
    const intended = plan(width, height, settings);
    const rgb = square(picture, intended);
    const { maps, logits } = await run(name, normalised(rgb, settings.mean, settings.std));
    const factor = WHOLE / Math.max(width, height);
    const whole = { left: 0, top: 0, width, height };
    const [photo, overview] = await Promise.all([
      drawn(picture, intended.square, SHOWN, SHOWN),
      drawn(picture, whole, Math.max(1, Math.round(width * factor)), Math.max(1, Math.round(height * factor))),
    ]);
    const result = {
      type: "explained", id, photo, overview, width, height, rgb, square: intended.square,
      size: [SHOWN, SHOWN], shape: maps.dims.slice(1), maps: maps.data, logits: logits.data,
    };
    postMessage(result, [rgb.buffer, maps.data.buffer, logits.data.buffer]);
  } finally {
    picture.close();
  }
}

// ---------------------------------------------------------------- one thing after the other

let queue = Promise.resolve();
let awaited = 0;

const next = (act) => { queue = queue.then(act); };

function begin({ settings: given, addresses, model }) {
  const { name } = model;
  const session = load(given, addresses, model);
  sessions.set(name, session);
  session.then(
    // The first run is slow. Who is still looking for a photograph need not wait for it.
    () => next(() => awaited || run(name, new Float32Array(3 * settings.crop ** 2))),
    (error) => {
      sessions.delete(name);
      postMessage({ type: "failed", name, message: error.message });
    },
  );
}

const answer = ({ id, file, name }) => explain(id, file, name).catch((error) =>
  postMessage({
    type: "refused", id, reason: error.reason ?? "broken", details: error.details ?? { message: error.message },
  }));

addEventListener("message", ({ data }) => {
  if (data.type === "load") return begin(data);
  awaited++;
  // Whoever asks a network that is there does not wait for another one that is on its way.
  sessions.get(data.name)?.then(() => next(() => answer(data)), () => {}); // "failed" is said already
});
