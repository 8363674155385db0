// <import-drop>: files and folders are dropped or chosen, and sent in small pieces. A file is known to the server by its
// name, size and content, so whoever drops the same folder again goes on where they stopped.

import { Backoff } from "../desk/sync/backoff.js";
import { LoggedOut, Refused, Unreachable, post, restrictTo } from "../desk/sync/api.js";
import { filesIn, entriesOf } from "./dropped.js";
import { sendParts } from "./send-parts.js";

const NAMED_TOGETHER = 50; // files that are looked at, named and sent before the next ones are
const LARGEST_PART = 2 ** 22; // bytes
const CALL_BYTES = 2 ** 22; // of the parts of one call
const CALL_PARTS = 50;

customElements.define(
  "import-drop",
  class extends HTMLElement {
    #backoff = new Backoff();
    #isBusy = false;
    #goOn = null; // ends a pause
    #pause = null; // a promise while paused
    #done = 0;
    #unreadable = [];

    connectedCallback() {
      // Without a secure connection browsers compute no hashes: the form is enough for a few files.
      if (!globalThis.crypto?.subtle) return;
      restrictTo(this.dataset.account, location.pathname);
      this.querySelector("form").hidden = true;
      this.#part("place").hidden = false;
      for (const name of ["dragenter", "dragover"]) this.addEventListener(name, (event) => this.#over(event, true));
      for (const name of ["dragleave", "drop"]) this.addEventListener(name, (event) => this.#over(event, false));
      this.addEventListener("drop", ({ dataTransfer }) => this.#take(entriesOf(dataTransfer)));
      for (const act of ["files", "folder", "pause", "resume"]) {
        this.querySelector(`[data-act=${act}]`).addEventListener("click", () => this.#act(act));
      }
    }

    #act(act) {
      if (act === "pause") this.#stop("paused");
      else if (act === "resume") this.#goOn?.();
      else this.#choose(act === "folder");
    }

    #choose(isFolder) {
      const input = Object.assign(document.createElement("input"), { type: "file", multiple: true });
      input.webkitdirectory = isFolder;
      input.addEventListener("change", () => {
        this.#take([...input.files].map((file) => ({ path: file.webkitRelativePath || file.name, open: async () => file })));
      });
      input.click();
    }

    #over(event, isOver) {
      event.preventDefault();
      this.toggleAttribute("data-over", isOver);
    }

    /** `entries`: what was dropped; folders are opened here. */
    async #take(entries) {
      if (this.#isBusy) return;
      this.#isBusy = true;
      this.#part("place").hidden = true;
      this.#part("work").hidden = false;
      this.#say("reading");
      try {
        const [wanted, leftOut] = await this.#sorted(entries);
        this.#tell("left-out", leftOut.length ? `${this.dataset.wordLeftOut} ${leftOut.length}` : "");
        if (wanted.length) await this.#sendAll(wanted);
        else this.#end(this.dataset.wordNothing);
      } catch (error) {
        this.#end(error instanceof Refused ? error.message : `${error}`);
      }
    }

    async #sorted(entries) {
      const wanted = [];
      const leftOut = [];
      for await (const found of filesIn(entries)) (this.#isWanted(found.path) ? wanted : leftOut).push(found);
      return [wanted, leftOut];
    }

    #isWanted(path) {
      const name = path.slice(path.lastIndexOf("/") + 1).toLowerCase();
      const { endings, names } = this.dataset;
      return !name.startsWith(".") && (endings.split(" ").some((end) => name.endsWith(end)) || names.split(" ").includes(name));
    }

    async #sendAll(found) {
      const progress = this.querySelector("progress");
      progress.max = found.length;
      this.#say("sending");
      for (let start = 0; start < found.length; start += NAMED_TOGETHER) {
        await this.#sendSome(found.slice(start, start + NAMED_TOGETHER), found.length, progress);
      }
      if (this.#unreadable.length) this.#tell("left-out", `${this.dataset.wordUnreadable} ${this.#unreadable.join(", ")}`);
      else location.assign(location.pathname);
      this.#end("");
    }

    async #sendSome(found, all, progress) {
      const files = [];
      for (const { path, open } of found) {
        try {
          const file = await open();
          files.push({ file, name: path, size: file.size, sha256: await sha256(file) });
        } catch {
          this.#unreadable.push(path); // it is gone, or this device lets nobody read it
        }
      }
      const named = files.map(({ name, size, sha256: hash }) => ({ name, size, sha256: hash }));
      if (!named.length) return;
      const response = await this.#again(() => post(`${this.dataset.address}files/`, { files: named }));
      const { files: rows } = await response.json();
      for (const parts of calls(files, rows)) {
        await this.#again(() => sendParts(`${this.dataset.address}parts/`, parts));
      }
      this.#done += found.length;
      progress.value = this.#done;
      this.#tell("numbers", `${number(this.#done)} / ${number(all)}`);
    }

    /** The same call until it succeeds or is refused; whatever is sent twice is taken once. */
    async #again(call) {
      for (let failures = 0; ; failures++) {
        await this.#pause;
        try {
          const answer = await call();
          if (failures) this.#say("sending");
          return answer;
        } catch (error) {
          if (error instanceof LoggedOut) await this.#stop("logIn");
          else if (error instanceof Unreachable) await this.#wait(error, failures);
          else throw error;
        }
      }
    }

    async #wait(error, failures) {
      this.#say("waiting");
      await (error.until ? this.#backoff.waitUntil(error.until) : this.#backoff.wait(failures));
    }

    /** Until somebody presses Go on. */
    #stop(word) {
      this.#say(word);
      this.#buttons(true);
      this.#pause = new Promise((resolve) => {
        this.#goOn = () => {
          this.#pause = this.#goOn = null;
          this.#buttons(false);
          this.#say("sending");
          resolve();
        };
      });
      return this.#pause;
    }

    #buttons(isPaused) {
      this.querySelector("[data-act=pause]").hidden = isPaused;
      this.querySelector("[data-act=resume]").hidden = !isPaused;
      if (isPaused) this.querySelector("[data-act=resume]").focus();
    }

    #end(words) {
      this.#isBusy = false;
      this.#done = 0;
      this.#unreadable = [];
      this.#part("place").hidden = false;
      this.#tell("said", words);
      this.#tell("numbers", "");
      this.querySelector("progress").hidden = true;
      for (const act of ["pause", "resume"]) this.querySelector(`[data-act=${act}]`).hidden = true;
    }

    #say(word) {
      this.querySelector("progress").hidden = false;
      this.querySelector("[data-act=pause]").hidden = Boolean(this.#pause);
      this.#tell("said", this.dataset[`word${word[0].toUpperCase()}${word.slice(1)}`]);
    }

    #tell(part, words) {
      this.#part(part).textContent = words;
      this.#part(part).hidden = !words;
    }

    #part(name) {
      return this.querySelector(`[data-part=${name}]`);
    }
  },
);

/** What is not on the server yet, in calls of a few parts each. */
function* calls(files, rows) {
  let parts = [];
  let bytes = 0;
  for (const [place, { id, state, size, received }] of rows.entries()) {
    if (state !== "waiting") continue;
    for (let offset = received; offset < size; offset += LARGEST_PART) {
      const body = files[place].file.slice(offset, offset + LARGEST_PART);
      if (parts.length && (bytes + body.size > CALL_BYTES || parts.length === CALL_PARTS)) {
        yield parts;
        [parts, bytes] = [[], 0];
      }
      parts.push({ file: id, offset, body });
      bytes += body.size;
    }
  }
  if (parts.length) yield parts;
}

async function sha256(file) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await file.arrayBuffer()));
  return [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function number(value) {
  return new Intl.NumberFormat(document.documentElement.lang).format(value);
}
