// The page's own buttons. A handler written into an element would need a laxer security policy.
for (const button of document.querySelectorAll(".btn-download-pdf-button")) {
  button.addEventListener("click", () => print());
}

// Sphinx leads out of a search by an address that is a script, which the policy does not run either.
document.addEventListener("click", (event) => {
  const link = event.target.closest?.('a[href^="javascript:SphinxHighlight.hideSearchWords"]');
  if (!link) return;
  event.preventDefault();
  SphinxHighlight.hideSearchWords();
});
