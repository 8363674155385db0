// Keys that press buttons: an element with data-keys="1 y" is pressed by either.

/** Elements that take keys for themselves: text is typed there, or they are moved and pressed by these. */
const TYPING = "textarea, select, input:not([type=checkbox], [type=radio], [type=range])";
const OWN = {
  Space: "button, summary, a, input:not([type=range]), audio",
  ArrowLeft: "input",
  ArrowRight: "input",
};

/** Returns the function that ends it; while `isAsleep()`, no key presses anything. */
export function pressByKey(root, isAsleep) {
  const listener = (event) => {
    if (isAsleep() || event.repeat || event.isComposing) return;
    const name = nameOf(event);
    if (isTakenBy(event.target, name)) return;
    const found = [...root.querySelectorAll("[data-keys]")].find((each) => each.dataset.keys.split(" ").includes(name));
    found?.closest(".more-tools")?.setAttribute("open", ""); // closed only where there is little room
    if (!found || !found.checkVisibility()) return;
    event.preventDefault();
    found.click();
  };
  document.addEventListener("keydown", listener);
  return () => document.removeEventListener("keydown", listener);
}

function isTakenBy(target, name) {
  if (isCombined(name)) return false;
  return target.isContentEditable || target.matches(TYPING) || (OWN[name] && target.matches(OWN[name]));
}

/** Whether the key is pressed together with another that makes it no letter. */
export function isCombined(name) {
  return /^(Control|Meta|Alt)\+/.test(name);
}

/** nameOf of Ctrl and Enter is "Control+Enter", of a capital Y is "y" */
export function nameOf(event) {
  const key = event.code === "Space" ? "Space" : event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (event.getModifierState("AltGraph")) return key; // on many keyboards [ and @ need it
  return [event.ctrlKey && "Control", event.metaKey && "Meta", event.altKey && "Alt", key].filter(Boolean).join("+");
}
