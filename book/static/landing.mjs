// A page that was opened from the search: go to the section that holds most of the words found, unless
// its title has them all or the reader has begun to scroll. Sphinx marks the words just after the page
// has been read.
const marked = () => [...document.querySelectorAll("article .highlighted")];

const land = () => {
  const words = marked().filter((word) => word.checkVisibility?.() ?? true);
  const said = (word) => word.textContent.toLowerCase();
  const found = new Set(words.map(said));
  const inTitle = new Set(words.filter((word) => word.closest("h1")).map(said));
  if (location.hash || scrollY > 0 || inTitle.size === found.size) return;
  const sections = Map.groupBy?.(words, (word) => word.closest("section[id]")) ?? new Map();
  sections.delete(null);
  const rank = (held) => 1000 * new Set(held.map(said)).size + held.length;
  const [best] = [...sections].sort(([, one], [, other]) => rank(other) - rank(one))[0] ?? [];
  if (best) location.replace(`#${best.id}`);
};

addEventListener("load", () => {
  if (marked().length) land();
  else setTimeout(land, 100);
});
