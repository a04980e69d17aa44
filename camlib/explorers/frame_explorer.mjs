// FrameExplorer in the browser: many pictures, one shown, chosen on each axis by a slider or among a few.

import { choice, slider } from "./shared/controls.mjs";
import { announcer, element, photograph, reword } from "./shared/elements.mjs";
import { follow, livesOf } from "./shared/lives.mjs";
import { dress } from "./shared/looks.mjs";

// A picture of at most so many pixels is a map or a small input: its pixels are to be seen.
const PIXELATED = 64;
const FEW = 3;

export const { hydrate, render } = livesOf("frame_explorer", "Frame explorer", explore);

/** The index of the frame at a place on each axis; the last axis changes fastest. */
export const frameAt = (at, axes) => at.reduce((index, place, axis) => index * axes[axis][1].length + place, 0);

/** An SVG as a part of the page, which gives it ink and letters; a photograph as it is. */
function picture(address, [height, width]) {
  if (!address.startsWith("data:image/svg")) {
    const image = photograph({ class: "photo", src: address, width, height, alt: "" });
    image.addEventListener("load", () => image.classList.toggle("cx-cells", image.naturalWidth <= PIXELATED));
    return image;
  }
  const octets = Uint8Array.from(atob(address.split(",")[1]), (letter) => letter.charCodeAt(0));
  const figure = new DOMParser().parseFromString(new TextDecoder().decode(octets), "image/svg+xml").documentElement;
  figure.classList.add("cx-photo");
  figure.setAttribute("aria-hidden", "true");
  return document.importNode(figure, true);
}

function explore(root, { axes, frames, size: [height, width], words }, state) {
  dress(STYLE, "frame_explorer");
  const drawn = new Map(); // each frame is made when it is first seen
  const index = () => frameAt(state.get("at"), axes);
  const stage = element("div", { class: "stage sticky", style: `--width: ${width}px; aspect-ratio: ${width} / ${height}` });
  const said = element("p", { class: "said" });
  const voice = announcer();
  const move = (axis, place) => {
    const old = state.get("at");
    if (old[axis] !== place) state.set("at", old.with(axis, place));
  };
  const show = {
    update() {
      const now = index();
      if (!drawn.has(now)) drawn.set(now, picture(frames[now], [height, width]));
      if (stage.firstChild !== drawn.get(now)) stage.replaceChildren(drawn.get(now));
      reword(said, words[now]);
    },
  };
  const controls = axes.map(([label, names], axis) => {
    const common = {
      words: label, trait: "at",
      state: { get: () => state.get("at")[axis], set: (_, place) => move(axis, place) },
    };
    return names.length > FEW
      ? slider({ ...common, min: 0, max: names.length - 1, step: 1, written: (place) => names[place] })
      : choice({ ...common, answers: names.map((name, place) => [place, name]) });
  });
  // A mouse or a finger that is drawn across the picture goes through the first axis.
  const [, places] = axes[0];
  const across = ({ clientX, buttons }) => {
    if (!buttons) return;
    const box = stage.getBoundingClientRect();
    move(0, Math.max(0, Math.min(places.length - 1, Math.floor(((clientX - box.left) / box.width) * places.length))));
  };
  for (const event of ["pointerdown", "pointermove"]) stage.addEventListener(event, across);
  const app = element("div", { class: "app" }, stage,
    element("div", { class: "column" }, said, element("div", { class: "settings" }, ...controls.map(({ node }) => node))),
    voice.node);
  app.classList.toggle("cx-wide", width > 1.5 * height);
  root.append(app);
  const ends = [
    follow(state, { at: [show, ...controls] }),
    state.subscribe("at", () => voice.say(words[index()])), voice.stop, () => app.remove(),
  ];
  return () => ends.forEach((end) => end());
}

// ---------------------------------------------------------------- looks

const STYLE = `
.cx-stage { margin-inline: auto; touch-action: pan-y; cursor: ew-resize; user-select: none; }
.cx-stage img { pointer-events: none; }
.cx-cells { image-rendering: pixelated; }
.cx-column { justify-content: center; gap: 0.5rem; }
.cx-said { min-height: 2.8em; }
.cx-settings { padding-top: 0; border: 0; }
.cx-slider { grid-template-columns: max-content 1fr minmax(5rem, max-content); }
.cx-slider input { min-height: 2.75rem; }
.cx-choice { grid-template-columns: max-content 1fr; }
@container (min-width: 36rem) {
  .cx-app:not(.cx-wide) { grid-template-columns: minmax(0, 16rem) minmax(16rem, 1fr); gap: 1.25rem; }
}
`;
