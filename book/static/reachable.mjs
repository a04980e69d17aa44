// A formula wider than the page scrolls by itself; then the keyboard must be able to reach it.
const formulas = document.querySelectorAll("div.math");
const update = () => {
  for (const formula of formulas) {
    if (formula.scrollWidth > formula.clientWidth) formula.tabIndex = 0;
    else formula.removeAttribute("tabindex");
  }
};

const observer = new ResizeObserver(update);
for (const formula of formulas) observer.observe(formula);
addEventListener("load", () => globalThis.MathJax?.startup?.promise.then(update));
