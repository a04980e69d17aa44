// What the page says when something is not as it should be: what is wrong, and what to do about it.

const KINDS = "a JPEG, PNG, WebP, GIF or AVIF file";
const whole = (count) => count.toLocaleString("en").replaceAll(",", "\u202f");

/** Why a file was refused, in words. */
export function refusal(reason, name, details = {}) {
  const named = name ? `“${name}”` : "What you pasted";
  const sentences = {
    "empty": () => `${named} is empty: a file without content. Perhaps it was not copied completely; choose it again from where it came from, or take another.`,
    "no picture": () => `${named} is no picture, whatever its name says. Choose ${KINDS}.`,
    "svg": () => `${named} is a drawing (SVG): lines, no pixels. Save it as a PNG, or take a screenshot of it, and choose that.`,
    "format": ({ kind }) => kind === "HEIC"
      ? `${named} is in the format HEIC, which this browser cannot read. Save it as a JPEG and choose that. (An iPhone takes JPEG photographs with Settings → Camera → Formats → Most Compatible.)`
      : `${named} is in the format ${kind}, which this browser cannot read. Save it as a JPEG or PNG and choose that.`,
    "damaged": () => `${named} begins like a picture but cannot be read to its end: it is damaged, or was not copied completely. Open it in a program for pictures, save it again, and choose the new file.`,
    "large": ({ width, height }) => `${named} has ${whole(width)} × ${whole(height)} pixels, more than can be unpacked here. Save a smaller copy, 2000 pixels wide for example, and choose that: the network looks at 224 × 224 of them.`,
    "no file": () => "What you dropped holds no file, only an address or some text, and this page asks no other site for anything. Save the picture on your machine and drop the file.",
    "unreachable": () => `${named} did not come from this site. Check the connection and try again, or choose a photograph of your own, which needs none.`,
    "broken": ({ message }) => `${named} could not be explained (${message}). Try a smaller copy of it, or load this page again.`,
  };
  return sentences[reason](details);
}

/** Which of the browser's abilities is missing, in words; "" if none. */
export function missing() {
  // A function of no use with one vector instruction: valid only where the browser knows such.
  const vector = new Uint8Array([
    0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11,
  ]);
  const abilities = [
    ["Web Workers", () => typeof Worker === "function"],
    ["WebAssembly", () => typeof WebAssembly === "object"],
    ["WebAssembly's vector instructions", () => WebAssembly.validate(vector)],
    ["drawing outside the page (OffscreenCanvas)", () => new OffscreenCanvas(1, 1).getContext("2d") !== null],
    ["reading pictures (createImageBitmap)", () => typeof createImageBitmap === "function"],
  ];
  const lacking = abilities.filter(([, there]) => {
    try {
      return !there();
    } catch {
      return true;
    }
  });
  return lacking.map(([name]) => name).join(", ");
}

export const lacks = (what) =>
  `This browser lacks ${what}, so the network cannot run in it. Browsers since spring 2023 have what is needed (Chrome or Edge 91, Firefox 114, Safari 16.4). The book's own photographs are explained in the chapters, and in Python any photograph takes three lines.`;

export const notLoaded = (message) =>
  `The network did not load (${message}). Nothing is lost: check the connection, then try again.`;
