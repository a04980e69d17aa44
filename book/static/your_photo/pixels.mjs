// From a photograph's pixels to the numbers that the network reads: camlib.networks.preprocess, in
// JavaScript. The resampling does what Pillow does, whole numbers and rounding included, so both
// networks see the same picture to the last bit.

// Pillow keeps weights as whole numbers: 32 bits less 8 for a pixel and 2 for room.
const PRECISION = 22;
const HALF = 2 ** (PRECISION - 1);

/** [width, height] after the shorter side became `length`. */
export function resized(width, height, length) {
  const longer = Math.floor((length * Math.max(width, height)) / Math.min(width, height));
  return width <= height ? [length, longer] : [longer, length];
}

/** The offset of a piece of `side` pixels cut from the middle of `length`; halves go to the even number. */
export function middle(length, side) {
  const offset = (length - side) / 2;
  const below = Math.floor(offset);
  if (offset - below !== 0.5) return Math.round(offset);
  return below % 2 ? below + 1 : below;
}

/**
 * The weights of a line of `length` pixels on the pixels start … start + count − 1 of the line that it
 * becomes when resized to `target`: bilinear, and widened when it shrinks (antialiased).
 * Result: for each new pixel its first old one, and `taps` weights from there on.
 */
export function weights(length, target, start, count) {
  const scale = length / target;
  const support = Math.max(1, scale);
  const taps = Math.ceil(support) * 2 + 1;
  const first = new Int32Array(count);
  const taken = new Int32Array(count);
  const values = new Int32Array(count * taps);
  const row = new Float64Array(taps);
  for (let place = 0; place < count; place++) {
    const centre = (start + place + 0.5) * scale;
    const from = Math.max(0, Math.trunc(centre - support + 0.5));
    const upTo = Math.min(length, Math.trunc(centre + support + 0.5));
    let sum = 0;
    for (let tap = 0; tap < upTo - from; tap++) {
      row[tap] = Math.max(0, 1 - Math.abs(tap + from - centre + 0.5) / support);
      sum += row[tap];
    }
    for (let tap = 0; tap < upTo - from; tap++) {
      values[place * taps + tap] = Math.trunc(0.5 + (row[tap] / sum) * 2 ** PRECISION);
    }
    first[place] = from;
    taken[place] = upTo - from;
  }
  const last = count - 1;
  return { first, taken, values, taps, from: first[0], upTo: first[last] + taken[last], count };
}

/** What has to be known of a photograph of width × height pixels before its pixels are read. */
export function plan(width, height, { resize, crop }) {
  const [wide, high] = resized(width, height, resize);
  const left = middle(wide, crop);
  const top = middle(high, crop);
  return {
    side: crop,
    columns: weights(width, wide, left, crop),
    rows: weights(height, high, top, crop),
    // The square that the network sees, in the photograph's own pixels.
    square: {
      left: (left * width) / wide, top: (top * height) / high,
      width: (crop * width) / wide, height: (crop * height) / high,
    },
  };
}

/** First pass: lines of RGBA pixels (columns.from to columns.upTo), each made `count` RGB pixels wide. */
export function across(pixels, lines, columns, into, at) {
  const { first, taken, values, taps, from, upTo, count } = columns;
  const stride = 4 * (upTo - from);
  for (let line = 0, place = at; line < lines; line++) {
    for (let column = 0; column < count; column++, place += 3) {
      let red = HALF;
      let green = HALF;
      let blue = HALF;
      let pixel = line * stride + 4 * (first[column] - from);
      const end = column * taps + taken[column];
      for (let tap = column * taps; tap < end; tap++, pixel += 4) {
        const weight = values[tap];
        red += pixels[pixel] * weight;
        green += pixels[pixel + 1] * weight;
        blue += pixels[pixel + 2] * weight;
      }
      // A Uint8ClampedArray clips as Pillow does.
      into[place] = red >> PRECISION;
      into[place + 1] = green >> PRECISION;
      into[place + 2] = blue >> PRECISION;
    }
  }
}

/** Second pass: the lines of the first (rows.from to rows.upTo) made `count` lines high; RGB. */
export function down(lines, breadth, rows) {
  const { first, taken, values, taps, from, count } = rows;
  const stride = 3 * breadth;
  const result = new Uint8ClampedArray(count * stride);
  for (let row = 0, place = 0; row < count; row++) {
    const start = (first[row] - from) * stride;
    const end = row * taps + taken[row];
    for (let x = 0; x < stride; x++, place++) {
      let sum = HALF;
      let pixel = start + x;
      for (let tap = row * taps; tap < end; tap++, pixel += stride) sum += lines[pixel] * values[tap];
      result[place] = sum >> PRECISION;
    }
  }
  return result;
}

/** RGB bytes, pixel after pixel, to (pixel − mean) / std, one colour after the other: (3, side, side). */
export function normalised(rgb, mean, std) {
  const count = rgb.length / 3;
  const result = new Float32Array(rgb.length);
  for (let pixel = 0; pixel < count; pixel++) {
    for (let colour = 0; colour < 3; colour++) {
      result[colour * count + pixel] = (rgb[3 * pixel + colour] - mean) / std;
    }
  }
  return result;
}
