// Shows a part of the page anew while fields of a form are typed: the server draws it, as it does on every page.

const PAUSE = 500; // ms after the last change

/**
 * `ask` gets the form's data and fetches a page, out of which the element with this `id` takes the old one's place.
 * Returns a function that does so at once.
 */
export function showAsTyped(form, names, id, ask) {
  let timer;
  let asked = 0;

  async function show() {
    const mine = ++asked;
    try {
      const response = await ask(new FormData(form));
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      const shown = page.getElementById(id);
      if (shown && mine === asked) document.getElementById(id).replaceWith(shown);
    } catch {
      // The site cannot be reached: what was shown stays, and sending the form will say so.
    }
  }

  form.addEventListener("input", ({ target }) => {
    if (!names.includes(target.name)) return;
    clearTimeout(timer);
    timer = setTimeout(show, PAUSE);
  });
  return show;
}
