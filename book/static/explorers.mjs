// Wakes what is alive on a page: the explorers, which come as one module, and the apps that only pages
// have, each with a module in a folder of its own name.
const FIND = {
  camlibExplorer: async (name) => (await import("./explorers/all.mjs"))[name],
  camlibApp: (name) => import(`./${name}/${name}.mjs`),
};

const wake = async (element, kind) => {
  const name = element.dataset[kind];
  if (!/^[a-z][a-z0-9_]*$/.test(name)) throw new Error(`no explorer can be called "${name}"`);
  const found = await FIND[kind](name);
  if (!found) throw new Error(`there is no explorer called "${name}"`);
  await found.hydrate(element);
  performance.mark(`explorer ${name}`); // for those who measure how soon it answers
};

// An explorer that fails leaves its picture in place and does not keep the others asleep.
for (const element of document.querySelectorAll("[data-camlib-explorer], [data-camlib-app]")) {
  wake(element, "camlibApp" in element.dataset ? "camlibApp" : "camlibExplorer")
    .catch((error) => console.error("explorer stays a picture:", error));
}
