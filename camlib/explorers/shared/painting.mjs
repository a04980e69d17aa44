// Maps as colours, with the table that camlib.plotting's overlay amounts to.

import { element } from "./elements.mjs";
import { upsample } from "./upsampling.mjs";

/** Give each value its colour and opacity: -peak to peak over the table. */
export function paint(pixels, values, peak, colours) {
  const middle = (colours.length - 1) / 2;
  const factor = peak > 0 ? middle / peak : 0;
  for (let pixel = 0; pixel < values.length; pixel++) {
    pixels[pixel] = colours[Math.round(middle + values[pixel] * factor)];
  }
}

/** A canvas of height × width pixels; `draw(values, peak)` paints one value for each of them. */
export function heat(height, width, colours) {
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
    },
  };
}

/** The colours themselves, between the numbers at their ends, and a needle at one value. */
export function colourBar(colours, [against, favour] = ["against", "for"]) {
  const canvas = element("canvas", { width: colours.length, height: 1 });
  const surface = canvas.getContext("2d");
  const image = surface.createImageData(canvas.width, 1);
  new Uint32Array(image.data.buffer).set(colours);
  surface.putImageData(image, 0, 0);
  const least = element("span");
  const most = element("span");
  const needle = element("div", { class: "needle" });
  return {
    node: element("div", { class: "bar" },
      element("div", { class: "ramp", "aria-hidden": "true" }, canvas, needle),
      element("div", { class: "ticks" },
        element("span", {}, least, ` ${against}`), element("span", {}, "0"),
        element("span", {}, `${favour} `, most))),
    /** Write the ends with `written` and point at `value`, or at nothing where it is null. */
    show(peak, value, written) {
      least.textContent = written(-peak);
      most.textContent = written(peak);
      needle.hidden = value === null || peak === 0;
      if (!needle.hidden) needle.style.setProperty("left", `${50 + (50 * value) / peak}%`);
    },
  };
}

/** The strongest colours for and against, as values of CSS. */
export function endColours(colours) {
  const octets = new Uint8Array(colours.buffer);
  const [against, favour] = [0, octets.length - 4].map((at) => `rgb(${octets.slice(at, at + 3).join(" ")})`);
  return `--cx-for: ${favour}; --cx-against: ${against};`;
}
