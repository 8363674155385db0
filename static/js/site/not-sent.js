// A form that is sent while this device has no network stays where it is, with what was typed: a page that the browser
// has left could not come back before there is a network again. Nothing is sent later by itself.

/** After all other listeners: scripts that send their forms themselves say so themselves. */
function keep(event) {
  if (event.defaultPrevented || navigator.onLine || event.target.method !== "post") return;
  const dialog = document.getElementById("not-sent"); // on the desk, another one after each change of campaign
  if (!dialog.showModal) return; // browsers of 2021 without dialogs show a page of their own
  event.preventDefault();
  dialog.querySelector("button").onclick = () => dialog.close();
  dialog.showModal();
}

window.addEventListener("submit", keep);
