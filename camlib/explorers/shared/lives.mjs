// The two lives of an explorer: in a page without a kernel, and as a widget in Jupyter.

import { element } from "./elements.mjs";
import { modelState, pageState } from "./state.mjs";

/**
 * `build(root, packed, state)` builds the explorer and returns the function that takes it away.
 *
 * - In a page the loader calls `hydrate(figure)`: data and state come from the figure.
 * - In Jupyter anywidget calls `render({ model, el })`: data and state are the widget's traits.
 */
export function livesOf(name, label, build) {
  return {
    /** Bring a static figure to life; returns the function that makes it static again. */
    hydrate(figure) {
      if (figure.querySelector(".cx-app")) return () => {};
      const { state, ...packed } = JSON.parse(figure.querySelector("script[type='application/json']").textContent);
      const still = figure.querySelectorAll(":scope > img, :scope > figcaption");
      const leave = build(figure, packed, pageState(state));
      // Only now: if anything above fails, the picture stays.
      still.forEach((node) => (node.hidden = true));
      figure.setAttribute("aria-label", label);
      return () => {
        leave();
        still.forEach((node) => (node.hidden = false));
        figure.removeAttribute("aria-label");
      };
    },
    render({ model, el }) {
      const figure = element("figure", { "aria-label": label });
      figure.className = "camlib-explorer";
      figure.dataset.camlibExplorer = name;
      // In a notebook "b" adds a cell, "x" cuts one out, arrows leave it: not for keys pressed in here.
      figure.addEventListener("keydown", (event) => {
        const { ctrlKey, metaKey, altKey, shiftKey, key } = event;
        if (!ctrlKey && !metaKey && !altKey && !(shiftKey && key === "Enter")) event.stopPropagation();
      });
      el.append(figure);
      const leave = build(figure, model.get("_data"), modelState(model));
      return () => {
        leave();
        figure.remove();
      };
    },
  };
}

/** Run each part's update now and whenever one of its traits changes; returns the end of that. */
export function follow(state, draws) {
  const stops = Object.entries(draws).map(([name, parts]) =>
    state.subscribe(name, () => parts.forEach((part) => part.update())));
  new Set(Object.values(draws).flat()).forEach((part) => part.update());
  return () => stops.forEach((stop) => stop());
}
