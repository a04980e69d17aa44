// A page that was opened from the search: go to the section that holds most of the words found.
// Sphinx marks them in the text before the page has loaded.
addEventListener("load", () => {
  const counts = new Map();
  for (const word of document.querySelectorAll("article .highlighted")) {
    const section = word.checkVisibility() && word.closest("section[id]");
    if (section) counts.set(section, (counts.get(section) ?? 0) + 1);
  }
  const [best] = [...counts].sort(([, one], [, other]) => other - one)[0] ?? [];
  if (best && !location.hash) location.replace(`#${best.id}`);
});
