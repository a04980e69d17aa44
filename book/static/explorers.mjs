// Wakes what is alive on a page: the explorers, each with a module of its own name, and the apps that
// only pages have, each with a module in a folder of its own name.
const FIND = {
  // What explorers share is asked for at once: else the browser learns from the explorer to fetch it.
  camlibExplorer: async (name) => (await Promise.all(
    [import(`./explorers/${name}.mjs`), import("./explorers/shared/all.mjs")]))[0],
  camlibApp: (name) => import(`./${name}/${name}.mjs`),
};

const kindOf = (element) => "camlibApp" in element.dataset ? "camlibApp" : "camlibExplorer";
const fetched = async (element) => {
  const name = element.dataset[kindOf(element)];
  if (!/^[a-z][a-z0-9_]*$/.test(name)) throw new Error(`no explorer can be called "${name}"`);
  return FIND[kindOf(element)](name).catch((cause) => {
    throw new Error(`there is no explorer called "${name}", or it did not arrive`, { cause });
  });
};

// Of each figure the module, asked for as soon as it is known.
const modules = new Map();
const ask = () => {
  for (const element of document.querySelectorAll("[data-camlib-explorer], [data-camlib-app]")) {
    if (!modules.has(element)) modules.set(element, fetched(element));
    modules.get(element).catch(() => {}); // told below
  }
};

// An explorer that fails leaves its picture in place and does not keep the others asleep.
const wake = async (element) => {
  try {
    await (await modules.get(element)).hydrate(element);
    performance.mark(`explorer ${element.dataset[kindOf(element)]}`); // for those who measure how soon it answers
  } catch (error) {
    console.error("explorer stays a picture:", error);
  }
};

// This module runs as soon as it is here. A figure is whole once the page has been read: that is before
// formulas are drawn and menus work.
ask();
if (document.readyState === "loading") {
  await new Promise((done) => document.addEventListener("readystatechange", done, { once: true }));
  ask();
}

// What is near the view wakes first, the others when the browser has nothing else to do.
const idle = globalThis.requestIdleCallback ?? ((act) => setTimeout(act, 200));
const near = new IntersectionObserver((entries) => entries.forEach(({ isIntersecting, target }) => {
  near.unobserve(target);
  if (isIntersecting) wake(target);
  else idle(() => wake(target), { timeout: 300 });
}), { rootMargin: "100%" });
modules.forEach((_, element) => near.observe(element));
