// A pad to lie over a picture: mouse, finger and keys choose one of its pixels.

import { element } from "./elements.mjs";
import { pinning } from "./pinning.mjs";

/**
 * The pad, which sets the trait "point" to [row, column] or null.
 *
 * - `label`: what the pad is, for those who don't see it
 * - `moved(point, [down, across], event)`: where an arrow key leads from a pixel
 * - `onPin()`: the reader has chosen a pixel to stay, by click, tap or key
 */
export function pointing({ height, width, label, state, moved, onPin }) {
  const chosen = () => state.get("point");
  const pins = pinning({ get: chosen, set: (point) => state.set("point", point), onPin });
  const within = (row, column) =>
    [[row, height], [column, width]].map(([place, length]) => Math.min(length - 1, Math.max(0, Math.floor(place))));
  const under = (event) => {
    const box = node.getBoundingClientRect();
    return within(((event.clientY - box.top) / box.height) * height, ((event.clientX - box.left) / box.width) * width);
  };
  const node = element("div", {
    class: "pad", tabindex: "0", role: "application", "aria-label": label,
    onpointermove: (event) => pins.over(under(event), event),
    onpointerleave: pins.left,
    onclick: (event) => pins.pin(under(event)),
    onkeydown(event) {
      const point = chosen() ?? [height >> 1, width >> 1];
      const [row, column] = point;
      const way = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
      const target = way ? moved(point, way, event) : {
        Home: [row, 0], End: [row, width], PageUp: [0, column], PageDown: [height, column],
        Enter: point, " ": point, Escape: [],
      }[event.key];
      if (!target || event.altKey || event.metaKey || event.ctrlKey) return;
      pins.pin(target.length ? within(...target) : null);
      event.preventDefault();
    },
  });
  return { node, stop: state.subscribe("point", pins.changed) };
}
