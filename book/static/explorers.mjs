// Wakes the explorers of a page: each element names its module, which lies beside this one.
const wake = async (element) => {
  const name = element.dataset.camlibExplorer;
  if (!/^[a-z][a-z0-9_]*$/.test(name)) throw new Error(`no explorer can be called "${name}"`);
  const { hydrate } = await import(`./explorers/${name}.mjs`);
  await hydrate(element);
  performance.mark(`explorer ${name}`); // for those who measure how soon it answers
};

// An explorer that fails leaves its picture in place and does not keep the others asleep.
for (const element of document.querySelectorAll("[data-camlib-explorer]")) {
  wake(element).catch((error) => console.error("explorer stays a picture:", error));
}
