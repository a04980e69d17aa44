// Wakes what is alive on a page: the explorers, each with a module of its own name, and the apps that
// only pages have, each with a module in a folder of its own name.
const FIND = {
  // What explorers share is asked for at once: else the browser learns from the explorer to fetch it.
  camlibExplorer: async (name) => (await Promise.all(
    [import(`./explorers/${name}.mjs`), import("./explorers/shared/all.mjs")]))[0],
  camlibApp: (name) => import(`./${name}/${name}.mjs`),
};

const wake = async (element, kind) => {
  const name = element.dataset[kind];
  if (!/^[a-z][a-z0-9_]*$/.test(name)) throw new Error(`no explorer can be called "${name}"`);
  const found = await FIND[kind](name).catch((cause) => {
    throw new Error(`there is no explorer called "${name}", or it did not arrive`, { cause });
  });
  await found.hydrate(element);
  performance.mark(`explorer ${name}`); // for those who measure how soon it answers
};

// An explorer that fails leaves its picture in place and does not keep the others asleep.
for (const element of document.querySelectorAll("[data-camlib-explorer], [data-camlib-app]")) {
  wake(element, "camlibApp" in element.dataset ? "camlibApp" : "camlibExplorer")
    .catch((error) => console.error("explorer stays a picture:", error));
}
