// Controls that set one trait each: get(name) and set(name, value) are the state's.

import { element, uniqueId } from "./elements.mjs";

/** A labelled slider; `written(value)` is the value in words. */
export function slider({ state, trait, words, min, max, step, written }) {
  const input = element("input", {
    id: uniqueId(), type: "range", min, max, step,
    oninput: () => state.set(trait, Number(input.value)),
  });
  const shown = element("output", { for: input.id });
  return {
    node: element("div", { class: "slider" }, element("label", { for: input.id }, words), input, shown),
    update() {
      input.value = state.get(trait);
      shown.textContent = written(state.get(trait));
      input.setAttribute("aria-valuetext", shown.textContent);
    },
  };
}

/** A choice among a few answers, [value, words] each; words are text, an element or a list of them. */
export function choice({ state, trait, words, answers }) {
  const name = uniqueId();
  const radios = answers.map(([value, text]) => {
    const radio = element("input", {
      type: "radio", name, value, onchange: () => state.set(trait, value),
    });
    return { radio, value, label: element("label", {}, radio, element("span", {}, ...[text].flat())) };
  });
  return {
    node: element("fieldset", { class: "choice" }, element("legend", {}, words),
      element("div", {}, ...radios.map(({ label }) => label))),
    update: () => radios.forEach(({ radio, value }) => (radio.checked = value === state.get(trait))),
  };
}
