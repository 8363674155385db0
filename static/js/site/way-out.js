// Ways out: logging out, and leaving. What was not sent is deleted only after the page said so, and nothing before the
// server has confirmed.

import { restrictTo } from "../desk/sync/api.js";
import { Backoff } from "../desk/sync/backoff.js";
import { DeviceStore, forgetEverything, forgetWork, rememberChoices, waiting } from "../desk/sync/device-store.js";
import { Outbox } from "../desk/sync/outbox.js";
import { Letters } from "../desk/letters.js";
import { sayLoggedOut } from "./account.js";

const TIMEOUT_MS = 20_000;

/** A form with data-way-out: "log-out" or "leave". Its parts are in way_out.html; without "unsent" it only logs out. */
class WayOut {
  #form;
  #told = 0; // how many unsent answers the page has told of
  #isBusy = false;

  constructor(form) {
    this.#form = form;
    form.addEventListener("submit", (event) => this.#submit(event));
    this.#part("send")?.addEventListener("click", () => this.#send());
    this.#tell();
  }

  #part(name) {
    return this.#form.querySelector(`[data-part="${name}"]`);
  }

  #submit(event) {
    event.preventDefault();
    if (!this.#isUntold()) return void this.#go();
    if (!this.#part("unsent")) return void location.assign(this.#form.action); // that page asks
    this.#tell();
    this.#part("send").focus();
  }

  /** Whether more waits than the page has told of: other windows may have added something. */
  #isUntold() {
    const { letters, drafts } = waiting();
    return letters + drafts > this.#told;
  }

  /** `more` is said after the number of what waits. */
  #tell(more = "") {
    const notice = this.#part("unsent");
    if (!notice) return;
    const { letters, drafts } = waiting();
    this.#told = letters + drafts;
    const text = this.#part("unsent-text");
    const { letter, letters: many, draft, drafts: manyDrafts, then, sent } = text.dataset;
    const said = [letters && counted(letters, letter, many), drafts && counted(drafts, draft, manyDrafts)];
    const isSent = !this.#told && !notice.hidden && !more;
    text.textContent = [...said, this.#told && then, isSent && sent, more].filter(Boolean).join(" ");
    this.#part("send").hidden = !letters;
    notice.hidden = !text.textContent;
  }

  /** Sends what can be sent, until it arrived or the page is left. */
  async #send() {
    const { account } = document.body.dataset;
    restrictTo(account, "/first-minute/"); // that page redirects only people who are logged out
    const outbox = new Outbox(account, new Letters(new DeviceStore(account)), new Backoff());
    const { dataset } = this.#part("unsent-text");
    const refused = [];
    const tell = () => this.#tell([...refused, outbox.stuck && dataset.stuck].filter(Boolean).join(" "));
    outbox.addEventListener("change", tell);
    outbox.addEventListener("refused", ({ detail }) => refused.push(`${dataset.refused} ${detail.reason}`));
    await outbox.run();
    outbox.close();
  }

  async #go() {
    if (this.#isBusy) return;
    this.#isBusy = true;
    this.#part("blocked").hidden = true;
    const restore = rememberChoices(); // the response clears everything that is stored
    const next = await this.#post();
    this.#isBusy = false;
    if (next === UNREACHED) this.#part("blocked").hidden = false;
    else if (!next) this.#form.submit(); // the server has something to say about the form
    else {
      if (this.#form.dataset.wayOut === "leave") forgetEverything();
      else {
        forgetWork();
        restore();
      }
      sayLoggedOut();
      location.assign(next);
    }
  }

  /** The address of the next page, nothing if the form was not accepted, or UNREACHED. */
  async #post() {
    try {
      const response = await fetch(this.#form.action, {
        method: "POST",
        headers: { Accept: "application/json" },
        body: new FormData(this.#form),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      if (response.status >= 500) return UNREACHED;
      const isAccepted = response.ok && response.headers.get("Content-Type")?.startsWith("application/json");
      return isAccepted ? (await response.json()).location : null;
    } catch {
      return UNREACHED;
    }
  }
}

const UNREACHED = Symbol("unreached");

function counted(number, one, many) {
  return (number === 1 ? one : many).replace("%", number);
}

for (const form of document.querySelectorAll("[data-way-out]")) new WayOut(form);
