// How clips are played on this device: speed, autoplay, trimming and levelling.

import { choice, choose } from "../desk/sync/device-store.js";

const CHOICE = "sound";

/** The choices { speed, autoplays, trims, levels }, bound to the fields of these names under `root`. */
export function soundChoices(root, onChange) {
  const choices = { speed: 1, autoplays: true, trims: true, levels: true, ...choice(CHOICE) };
  for (const name of Object.keys(choices)) {
    const field = root.querySelector(`[name=${name}]`);
    if (!field) continue;
    if (field.type === "checkbox") field.checked = choices[name];
    else field.value = choices[name];
    field.addEventListener("change", () => {
      choices[name] = field.type === "checkbox" ? field.checked : Number(field.value);
      choose(CHOICE, choices);
      onChange(choices);
    });
  }
  onChange(choices);
  return choices;
}
