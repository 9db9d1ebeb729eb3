"use strict";
// Shows a new mail by itself, as a mail program does.
const last = Number(document.currentScript.dataset.last);

async function look() {
  try {
    const mails = await (await fetch("/_mails")).json();
    if (mails.length && mails[mails.length - 1].number !== last) {
      location.reload();
      return;
    }
  } catch {
    // The mailbox has ended; the page stays as it is.
  }
  setTimeout(look, 1000);
}
setTimeout(look, 1000);
