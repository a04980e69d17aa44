// Wakes what is alive on a page. An explorer's module lies in explorers/, that of an app, which only
// pages have, in a folder of its own name.
const WHERE = {
  camlibExplorer: (name) => `./explorers/${name}.mjs`,
  camlibApp: (name) => `./${name}/${name}.mjs`,
};

const wake = async (element, kind) => {
  const name = element.dataset[kind];
  if (!/^[a-z][a-z0-9_]*$/.test(name)) throw new Error(`no explorer can be called "${name}"`);
  const { hydrate } = await import(WHERE[kind](name));
  await hydrate(element);
  performance.mark(`explorer ${name}`); // for those who measure how soon it answers
};

// An explorer that fails leaves its picture in place and does not keep the others asleep.
for (const element of document.querySelectorAll("[data-camlib-explorer], [data-camlib-app]")) {
  wake(element, "camlibApp" in element.dataset ? "camlibApp" : "camlibExplorer")
    .catch((error) => console.error("explorer stays a picture:", error));
}
