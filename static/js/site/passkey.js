// The forms that a passkey or security key fills in. allauth's scripts, loaded before this one, talk to the key.

/** An address of numbers cannot have passkeys. */
const isPossible = window.PublicKeyCredential && !/^[\d.]+$|^\[/.test(location.hostname);

for (const form of document.querySelectorAll("form[data-passkey]")) {
  const button = form.querySelector("#passkey");
  if (isPossible) {
    window.allauth.webauthn.forms[form.dataset.passkey]({
      ids: {
        add: "passkey",
        authenticate: "passkey",
        login: "passkey",
        passwordless: "id_passwordless",
        credential: form.querySelector("[name=credential]").id,
        data: "passkey-options",
      },
    });
    button.disabled = false;
    button.addEventListener("click", () => show(form, "passkey-failed", false));
    document.addEventListener("allauth.error", (failed) => {
      failed.preventDefault();
      show(form, "passkey-failed", true);
    });
  } else {
    show(form, "no-passkeys", true);
  }
}

function show(form, part, isShown) {
  form.querySelector(`[data-part=${part}]`).hidden = !isShown;
}
