// Keys that press buttons: an element with data-keys="1 y" is pressed by either key.

/** Elements that use keys themselves: those in which text is typed, and by key those that it moves or presses. */
const TEXT_FIELDS = "textarea, select, input:not([type=checkbox], [type=radio], [type=range])";
const USED_BY = {
  Space: "button, summary, a, input:not([type=range]), audio",
  Enter: "button, summary, a",
  ArrowLeft: "input",
  ArrowRight: "input",
};

/** Returns a function that stops it. While `isPaused()`, no key presses anything. */
export function pressByKey(root, isPaused) {
  const listener = (event) => {
    if (isPaused() || event.repeat || event.isComposing) return;
    const name = nameOf(event);
    if (isTakenBy(event.target, name)) return;
    const all = [...root.querySelectorAll("[data-keys]")].filter((each) => each.dataset.keys.split(" ").includes(name));
    const found = all.find(isShown) ?? all[0];
    found?.closest(".more-tools, .private-sound")?.setAttribute("open", "");
    if (!found || !isShown(found)) return;
    event.preventDefault();
    found.click();
  };
  document.addEventListener("keydown", listener);
  return () => document.removeEventListener("keydown", listener);
}

function isShown(element) {
  return element.checkVisibility?.() ?? Boolean(element.getClientRects().length);
}

function isTakenBy(target, name) {
  if (isCombined(name)) return false;
  return target.isContentEditable || target.matches(TEXT_FIELDS) || (USED_BY[name] && target.matches(USED_BY[name]));
}

/** Whether the key is pressed together with Ctrl, Alt or ⌘, so that it types nothing. */
export function isCombined(name) {
  return /^(Control|Meta|Alt)\+/.test(name);
}

/** The name of Ctrl and Enter is "Control+Enter"; that of a capital Y is "y". */
export function nameOf(event) {
  const digit = digitOf(event);
  if (digit) return digit;
  const key = event.code === "Space" ? "Space" : event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (event.getModifierState("AltGraph")) return key; // on many keyboards [ and @ need it
  return [event.ctrlKey && "Control", event.metaKey && "Meta", event.altKey && "Alt", key].filter(Boolean).join("+");
}

/** The digits go by their place: on a French keyboard they need Shift, on an Arabic one they are others. */
function digitOf(event) {
  const isPlain = !(event.shiftKey || event.ctrlKey || event.metaKey || event.altKey || event.getModifierState("AltGraph"));
  return isPlain ? /^Digit(\d)$/.exec(event.code)?.[1] : undefined;
}
