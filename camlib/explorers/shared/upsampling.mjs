// camlib.upsample, in the page.

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
