// Shows what a release would hold while its bounds are typed. Without this script the button does.

const PAUSE = 400; // ms after the last change
const BOUNDS = ["min_confidence", "min_contributors", "audience"];

const form = document.querySelector("form[data-part=release]");
let timer;
let asked = 0;

form.querySelector("[data-act=look]").hidden = true;
form.addEventListener("input", ({ target }) => {
  if (!BOUNDS.includes(target.name)) return;
  clearTimeout(timer);
  timer = setTimeout(look, PAUSE);
});

async function look() {
  const typed = new FormData(form);
  const query = new URLSearchParams(BOUNDS.map((name) => [name, typed.get(name) ?? ""]));
  const mine = ++asked;
  try {
    const response = await fetch(`?${query}`);
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const shown = page.querySelector("#preview");
    if (shown && mine === asked) document.querySelector("#preview").replaceWith(shown);
  } catch {
    // The site cannot be reached; what was shown stays, and making the release will say so.
  }
}
