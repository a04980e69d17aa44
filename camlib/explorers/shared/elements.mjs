// Elements of an explorer, and the voice in which it speaks to those who don't see it.

/** Give a node attributes, listeners ("onclick") and children; classes get the prefix cx-. */
function furnished(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "class") node.setAttribute("class", value.replace(/\S+/g, "cx-$&"));
    else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

/** An HTML element. */
export const element = (tag, attributes = {}, ...children) =>
  furnished(document.createElement(tag), attributes, children);

/** An SVG element. */
export const shape = (tag, attributes = {}, ...children) =>
  furnished(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);

/** Give a node its words; what stands there already is not laid out again. */
export function reword(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** An identifier that no other element of the page has. */
export const uniqueId = () => `cx${Math.random().toString(36).slice(2)}`;

/** A photograph; the theme dims pictures in the dark unless they say that they suit both. */
export function photograph(attributes) {
  const image = element("img", attributes);
  image.classList.add("dark-light");
  return image;
}

/** A live region: `say(text)` is read out once things have come to rest, `stop()` keeps it silent. */
export function announcer() {
  const node = element("p", { class: "live", role: "status" });
  let waiting;
  return {
    node,
    say(text) {
      // Somebody who sweeps over many places hears the one where they stop, not all in between.
      clearTimeout(waiting);
      waiting = setTimeout(() => (node.textContent = text), 400);
    },
    stop: () => clearTimeout(waiting),
  };
}
