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
// A font that arrives makes a formula wider, but not its box.
document.fonts.ready.then(update);
