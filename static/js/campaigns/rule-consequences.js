// Shows what a typed rule would lead to, as soon as it is typed. Without this script the button does.

import { showAsTyped } from "./as-typed.js";

const RULE = ["min_annotations", "max_annotations", "confidence", "needs_track_record"];

const part = document.querySelector("rule-consequences");
const form = part.closest("form");
part.querySelector("button[name=look]").hidden = true;
showAsTyped(form, RULE, "consequences", (typed) => {
  typed.set("look", "1");
  return fetch(form.action, { method: "POST", body: typed });
});
