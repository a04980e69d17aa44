// A term or a citation says what it means where it stands: on a card, by mouse, keyboard and touch.
const DELAY = 150; // milliseconds: a pointer that passes by opens nothing
const GAP = 6;

const terms = new Map(); // by address, what the glossary says
const card = document.createElement("div");
card.className = "book-card";
card.id = "book-card";
card.hidden = true;
card.setAttribute("role", "tooltip");
document.body.append(card);
let shown = null; // the link that the card belongs to
let waiting;

/** What a link to the glossary means: the definition's paragraphs, without links of their own. */
async function definition(link) {
  const [address, place] = link.href.split("#");
  if (!terms.has(address)) terms.set(address, fetch(address).then((answer) => answer.text())
    .then((text) => new DOMParser().parseFromString(text, "text/html")));
  const found = (await terms.get(address)).getElementById(place)?.closest("dt");
  let meant = found?.nextElementSibling;
  while (meant && meant.tagName === "DT") meant = meant.nextElementSibling; // synonyms share one
  const parts = [...(meant?.children ?? [])].map((part) => document.importNode(part, true));
  for (const inner of parts.flatMap((part) => [...part.querySelectorAll("a")])) inner.replaceWith(...inner.childNodes);
  return parts;
}

function hide() {
  clearTimeout(waiting);
  card.hidden = true;
  shown?.removeAttribute("aria-describedby");
  shown = null;
}

async function show(link) {
  clearTimeout(waiting);
  if (shown === link) return;
  hide();
  shown = link;
  const parts = link.dataset.said ? [document.createTextNode(link.dataset.said)] : await definition(link).catch(() => []);
  if (shown !== link || !parts.length) return;
  card.replaceChildren(...parts);
  card.hidden = false;
  link.setAttribute("aria-describedby", card.id);
  // Below the link's first line, or above where the window ends; never beside the page.
  const [line] = link.getClientRects();
  const { width, height } = card.getBoundingClientRect();
  const below = line.bottom + GAP + height <= innerHeight;
  card.style.top = `${scrollY + (below ? line.bottom + GAP : line.top - GAP - height)}px`;
  card.style.left = `${scrollX + Math.max(GAP, Math.min(line.left, document.documentElement.clientWidth - width - GAP))}px`;
}

const later = (what) => {
  clearTimeout(waiting);
  waiting = setTimeout(what, DELAY);
};
const mouse = (listener) => (event) => event.pointerType === "mouse" && listener(event);

for (const link of document.querySelectorAll("article a[href*='glossary.html#term-'], article a[href*='references.html#']")) {
  if (link.title) { // the browser's own words would lie over the card's
    link.dataset.said = link.title;
    link.removeAttribute("title");
  }
  link.addEventListener("pointerenter", mouse(() => later(() => show(link))));
  link.addEventListener("pointerleave", mouse(() => later(hide)));
  link.addEventListener("focus", () => link.matches(":focus-visible") && show(link));
  link.addEventListener("blur", hide);
  // The first tap shows the card, the second follows the link.
  link.addEventListener("click", (event) => {
    if (event.pointerType !== "touch" || shown === link) return;
    event.preventDefault();
    show(link);
  });
}
card.addEventListener("pointerenter", () => clearTimeout(waiting));
card.addEventListener("pointerleave", mouse(() => later(hide)));
addEventListener("keydown", ({ key }) => key === "Escape" && hide());
addEventListener("pointerdown", ({ target }) => shown && !card.contains(target) && target.closest("a") !== shown && hide());
