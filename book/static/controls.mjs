// The page's own buttons. A handler written into an element would need a laxer security policy.
for (const button of document.querySelectorAll(".btn-download-pdf-button")) {
  button.addEventListener("click", () => print());
}
