// Opens dialogs by links and buttons with `data-opens`, and closes them by `data-closes` and a click beside them.
// Without this script such a link leads to the same page with the dialog open, as the server draws it.

import "../site/older-browsers.js";

document.addEventListener("click", (event) => {
  const { target, ctrlKey, metaKey, shiftKey } = event;
  if (ctrlKey || metaKey || shiftKey) return;
  const opener = target.closest("[data-opens]");
  const dialog = opener ? document.getElementById(opener.dataset.opens) : target.closest("dialog");
  if (opener) dialog.showModal();
  else if (dialog && (target === dialog || target.closest("[data-closes]"))) dialog.close();
  else return;
  event.preventDefault();
});

for (const dialog of document.querySelectorAll("dialog[open]")) {
  dialog.removeAttribute("open");
  dialog.showModal();
}
