// Whose page this is. On every page: the browser keeps no one's work but that of the person who is logged in.

import "./older-browsers.js";
import "./not-sent.js";
import { installWorker } from "./install-worker.js";
import { forgetKept, sweep } from "../desk/sync/kept.js";
import { endSession, forgetWork, resumeSession, waiting } from "../desk/sync/device-store.js";

/** The account's number; "" if no one is logged in; undefined on pages that do not know. */
const { account } = document.body.dataset;
const channel = new BroadcastChannel("tagger:account");

/** Other pages show nothing of this account any more. */
export function sayLoggedOut() {
  channel.postMessage("");
}

if (account) {
  forgetWork({ exceptOf: account });
  installWorker();
  resumeSession();
  channel.postMessage(account);
  // Another person has logged in, or this one logged out: this page shows what is not theirs.
  channel.addEventListener("message", ({ data }) => data !== account && location.reload());
  // The page comes from the browser's memory, where it heard nothing of this.
  window.addEventListener("pageshow", ({ persisted }) => persisted && location.reload());
} else if (account === "") {
  forgetKept();
  tellWhatWaits(document.querySelector("[data-waiting]"));
}

sweep();

/** Someone's session ended while something waited to be sent. It is kept for its owner, but not for long. */
function tellWhatWaits(notice) {
  const { letters, drafts } = waiting();
  if (!letters && !drafts) return resumeSession();
  const say = (word) => {
    notice.querySelector("p").textContent = notice.dataset[word];
    notice.querySelector("button").hidden = word !== "waiting";
    notice.hidden = false;
  };
  const forget = (word) => {
    forgetWork();
    say(word);
  };
  say("waiting");
  const late = setTimeout(() => forget("late"), endSession());
  notice.querySelector("button").addEventListener("click", () => {
    clearTimeout(late);
    forget("deleted");
  });
}
