// Keys that press buttons: an element with data-keys="1 y" is pressed by either.

/** Whether a key typed here is text, or a move within the field, and no command. */
function isTyping(target) {
  return target.isContentEditable || target.matches("textarea, select, input:not([type=checkbox], [type=radio])");
}

/** Elements that answer to the space bar by themselves. */
const OWN_SPACE = "button, summary, a, input, audio";

/** Returns the function that ends it; while `isAsleep()`, no key presses anything. */
export function pressByKey(root, isAsleep) {
  const listener = (event) => {
    if (isAsleep() || event.repeat || event.isComposing || event.altKey) return;
    const name = nameOf(event);
    const isPlain = !event.ctrlKey && !event.metaKey;
    if (isPlain && (isTyping(event.target) || (name === "Space" && event.target.matches(OWN_SPACE)))) return;
    const found = [...root.querySelectorAll("[data-keys]")].find((each) => each.dataset.keys.split(" ").includes(name));
    if (!found || !found.checkVisibility()) return;
    event.preventDefault();
    found.click();
  };
  document.addEventListener("keydown", listener);
  return () => document.removeEventListener("keydown", listener);
}

/** nameOf of Ctrl and Enter is "Control+Enter", of a capital Y is "y" */
function nameOf(event) {
  const key = event.code === "Space" ? "Space" : event.key.length === 1 ? event.key.toLowerCase() : event.key;
  return [event.ctrlKey && "Control", event.metaKey && "Meta", key].filter(Boolean).join("+");
}
