// The cells of a map as a grid for mouse, touch and keys; one of them may be chosen.

import { element } from "./elements.mjs";
import { pinning } from "./pinning.mjs";

/** In words, counted from 0 as everywhere in the book. */
export const whereIs = ([row, column]) => `row ${row}, column ${column}`;

/** The row and column of a cell that was counted along the rows. */
export const cellAt = (index, columns) => [Math.floor(index / columns), index % columns];

/** The cell of a node of rows × columns cells that a pointer is over, as [row, column] or null. */
export function cellUnder(node, event, rows, columns) {
  const box = node.getBoundingClientRect();
  const row = Math.floor(((event.clientY - box.top) / box.height) * rows);
  const column = Math.floor(((event.clientX - box.left) / box.width) * columns);
  return row >= 0 && row < rows && column >= 0 && column < columns ? [row, column] : null;
}

/** Lay a mark over one of rows × columns cells, or hide it where there is none. */
export function frame(mark, cell, rows, columns) {
  mark.hidden = !cell;
  if (!cell) return;
  const sides = { left: cell[1] / columns, top: cell[0] / rows, width: 1 / columns, height: 1 / rows };
  for (const [side, share] of Object.entries(sides)) mark.style.setProperty(side, `${100 * share}%`);
}

/**
 * A grid of rows × columns cells to lie over a picture, and the mark of the chosen one.
 *
 * - `label`: what the grid is, for those who don't see it
 * - `get()` the chosen cell as [row, column] or null, `set(cell)` to choose another
 * - `onPin(cell)`: the reader has chosen a cell to stay, by click, tap or key
 */
export function cellGrid({ rows, columns, label, get, set, onPin = () => {} }) {
  const mark = element("div", { class: "mark" });
  const cells = Array.from({ length: rows * columns }, (_, index) => element("div", {
    class: "cell", role: "gridcell", tabindex: "-1", "aria-selected": "false", "data-index": index,
  }));
  const grid = element("div", {
    class: "grid", role: "grid", "aria-label": label, style: `--rows: ${rows}; --columns: ${columns}`,
  }, ...Array.from({ length: rows }, (_, row) =>
    element("div", { class: "row", role: "row" }, ...cells.slice(row * columns, (row + 1) * columns))));
  const indexOf = ([row, column]) => row * columns + column;

  const pins = pinning({ get, set, onPin: (cell) => cell && onPin(cell) });
  let home = 0;
  grid.addEventListener("pointermove", (event) => {
    const cell = cellUnder(grid, event, rows, columns);
    if (cell) pins.over(cell, event);
  });
  grid.addEventListener("pointerleave", pins.left);
  grid.addEventListener("click", (event) => {
    const index = event.target.dataset.index;
    if (index === undefined) return;
    const cell = cellAt(Number(index), columns);
    if (String(cell) !== String(pins.pinned)) pins.pin(cell);
    else if (event.pointerType === "touch") pins.pin(null);
    else pins.release();
  });
  grid.addEventListener("focusin", (event) => {
    if (event.target.matches(":focus-visible")) pins.pin(cellAt(Number(event.target.dataset.index), columns));
  });
  grid.addEventListener("keydown", (event) => {
    const [row, column] = cellAt(home, columns);
    const target = {
      ArrowUp: [row - 1, column], ArrowDown: [row + 1, column],
      ArrowLeft: [row, column - 1], ArrowRight: [row, column + 1],
      Home: [event.ctrlKey ? 0 : row, 0], End: [event.ctrlKey ? rows - 1 : row, columns - 1],
      PageUp: [0, column], PageDown: [rows - 1, column],
    }[event.key];
    if (event.key === "Escape") pins.pin(null);
    else if (event.key === "Enter" || event.key === " ") pins.pin(cellAt(home, columns));
    else if (target && !event.altKey && !event.metaKey) {
      const cell = [
        Math.min(rows - 1, Math.max(0, target[0])), Math.min(columns - 1, Math.max(0, target[1])),
      ];
      pins.pin(cell);
      cells[indexOf(cell)].focus({ preventScroll: true });
    } else return;
    event.preventDefault();
  });
  return {
    mark,
    grid,
    /** Name every cell for those who don't see it: `words(cell)`. */
    describe: (words) => cells.forEach((cell, index) =>
      cell.setAttribute("aria-label", words(cellAt(index, columns)))),
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
    },
  };
}
