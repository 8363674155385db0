// The page as the server sent it. Imported before anything that changes it.

let served = document.documentElement.outerHTML;

export function pageAsServed() {
  return served;
}

/** Another page of the server takes the place of this one. */
export function serve(page) {
  served = page.documentElement.outerHTML;
}
