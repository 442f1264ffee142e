// The login: sends a token to the API, which answers with a cookie that no script can read.

import { logIn, Refused } from "./api.js";
import { byId } from "./dom.js";

/** `entered(session)` is called after every successful login. */
export function setUpLogin(entered) {
  byId("login-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const field = byId("token"), error = byId("login-error"), button = event.submitter || byId("login-form").querySelector("button");
    error.textContent = "";
    button.disabled = true;
    try {
      const session = await logIn(field.value.trim());
      field.value = "";
      entered(session);
    } catch (failure) {
      error.textContent = failure instanceof Refused ? `Not logged in: ${failure.message}` : `The API cannot be reached: ${failure.message}. Try again.`;
      field.focus();
      field.select();
    } finally {
      button.disabled = false;
    }
  });
}

/** Shows the login, with the reason if there is one. */
export function showLogin(why = "") {
  byId("login").hidden = false;
  byId("login-error").textContent = why;
  byId("token").focus();
}
