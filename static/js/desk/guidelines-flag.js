// Sends the flag on unclear guidelines without leaving the page, on which a clip may be half heard.

import { csrfToken } from "./sync/api.js";

for (const form of document.querySelectorAll("form[data-act=flag]")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(form);
  });
}

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
