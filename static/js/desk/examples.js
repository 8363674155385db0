// Examples are not kept on this device, which keeps of voices only what is lent. Where one cannot be loaded, it says so.

/** Media events do not bubble; and another campaign's desk may take the place of this one. */
function tell(event, sentence) {
  const example = event.target.closest?.(".examples > li");
  const said = example?.querySelector("[data-unheard]");
  if (said) said.textContent = sentence(said.dataset.unheard);
}

document.addEventListener("error", (event) => tell(event, (unheard) => unheard), { capture: true });
document.addEventListener("play", (event) => tell(event, () => ""), { capture: true });
