// Shows what a release would hold, at once and while its bounds are typed. Without this script the button does.

import { showAsTyped } from "./as-typed.js";

const BOUNDS = ["min_confidence", "min_contributors", "audience"];

const form = document.querySelector("form[data-part=release]");
form.querySelector("[data-act=look]").hidden = true;
const show = showAsTyped(form, BOUNDS, "preview", (typed) => {
  const query = new URLSearchParams(BOUNDS.map((name) => [name, typed.get(name) ?? ""]));
  return fetch(`?${query}`);
});
if (document.querySelector("#preview[data-awaited]")) show();
