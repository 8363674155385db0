// Sends the flag on unclear guidelines without leaving the page, on which a clip may be half heard.

import { csrfToken } from "./sync/api.js";

// On the document, because another campaign's desk, with a form of its own, may take the place of this one.
document.addEventListener("submit", (event) => {
  if (!event.target.matches("form[data-act=flag]")) return;
  event.preventDefault();
  send(event.target);
});

async function send(form) {
  const body = new FormData(form);
  body.set("csrfmiddlewaretoken", csrfToken());
  const said = form.querySelector("[role=status]");
  try {
    const response = await fetch(form.action, { method: "POST", body });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const message = page.querySelector(".messages .notice");
    if (!message) return void location.reload(); // probably logged out
    said.textContent = message.textContent;
    if (message.classList.contains("success")) form.reset();
  } catch {
    said.textContent = form.dataset.unreachable;
  }
}
