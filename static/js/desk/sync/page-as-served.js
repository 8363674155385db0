// The page as the server sent it. Imported before anything that changes it.

export const pageAsServed = document.documentElement.outerHTML;
