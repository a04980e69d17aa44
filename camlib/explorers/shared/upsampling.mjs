// camlib.upsample, in the page: which cells make a pixel, and the whole picture made of them.

const KEYS = -0.75; // bicubic as in PyTorch

/**
 * The share that cells have in each pixel, along one axis: pixel p is the sum over its `taps` of
 * share[p * taps + tap] × the value of cell[p * taps + tap].
 *
 * Beyond the edge the outermost cell is repeated, so that a cell may come more than once.
 */
export function shares(cells, pixels, mode, alignCorners = false) {
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

/** What a cell at this distance, in cells, gives to a pixel. */
function weight(distance, taps) {
  if (taps === 1) return 1;
  if (taps === 2) return 1 - distance;
  if (distance <= 1) return ((KEYS + 2) * distance - (KEYS + 3)) * distance * distance + 1;
  return ((KEYS * distance - 5 * KEYS) * distance + 8 * KEYS) * distance - 4 * KEYS;
}

/** Where a pixel's middle lies among the cells' centres 0, 1, 2, …; rounded as PyTorch rounds. */
function placeOfPixel(pixel, cells, pixels, alignCorners) {
  if (alignCorners) return pixels > 1 ? Math.fround(Math.fround((cells - 1) / (pixels - 1)) * pixel) : 0;
  return Math.fround(Math.fround(Math.fround(cells / pixels) * (pixel + 0.5)) - 0.5);
}

/** Where the cells' centres lie, in pixels: the other way round. */
export function centresOf(cells, pixels, alignCorners = false) {
  const aligned = alignCorners && cells > 1;
  return Float64Array.from({ length: cells }, (_, cell) =>
    aligned ? (cell * (pixels - 1)) / (cells - 1) : ((cell + 0.5) * pixels) / cells - 0.5);
}

/** A map enlarged to height × width, as camlib.upsample does it. */
export function upsample(map, rows, columns, height, width, mode, alignCorners = false) {
  const result = new Float32Array(height * width);
  const down = shares(rows, height, mode, alignCorners);
  const { taps, cell, share } = shares(columns, width, mode, alignCorners);
  for (let y = 0, pixel = 0; y < height; y++) {
    const line = mixedRow(map, columns, down, y);
    // Written out for 1, 2 or 4 taps: an inner loop would take twice as long.
    for (let at = 0; at < share.length; at += taps, pixel++) {
      let sum = share[at] * line[cell[at]];
      if (taps > 1) sum += share[at + 1] * line[cell[at + 1]];
      if (taps > 2) sum += share[at + 2] * line[cell[at + 2]] + share[at + 3] * line[cell[at + 3]];
      result[pixel] = sum;
    }
  }
  return result;
}

/** What the rows of cells that have a share in pixel row y give to it together. */
export function mixedRow(map, columns, { taps, cell, share }, y) {
  const line = new Float32Array(columns);
  for (let tap = y * taps; tap < (y + 1) * taps; tap++) {
    const start = cell[tap] * columns;
    for (let x = 0; x < columns; x++) line[x] += share[tap] * map[start + x];
  }
  return line;
}
