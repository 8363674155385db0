// Shows what a release would hold while its bounds are typed. Without this script the button does.

import { showAsTyped } from "./as-typed.js";

const BOUNDS = ["min_confidence", "min_contributors", "audience"];

const form = document.querySelector("form[data-part=release]");
form.querySelector("[data-act=look]").hidden = true;
showAsTyped(form, BOUNDS, "preview", (typed) => {
  const query = new URLSearchParams(BOUNDS.map((name) => [name, typed.get(name) ?? ""]));
  return fetch(`?${query}`);
});
