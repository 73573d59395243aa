// Who looks, and whether he may act: read-only without a token.

import {read, Refusal, right} from "./api.js";
import {confirm} from "./dialog.js";
import {byId, say} from "./dom.js";

const whereFrom = "It is what [agent] token, or the file of token_file, says in flipback.toml on the host. It is kept in this tab alone, until that is closed.";
const howToMake = "No token is configured, so nobody may act from here: write token_file = \"/etc/flipback/token\" into [agent] of flipback.toml, " +
  "with at least 16 bytes in that file, and reload. On the host the flipback command acts without one.";

/** Asks for a token; `after()` once the agent has taken it. */
export function askForToken(session, after) {
  confirm({
    title: "Enter the token",
    happens: [session.token_is_configured ? whereFrom : howToMake],
    fields: [
      {name: "token", label: "Token", type: "password", required: true},
      {name: "name", label: "Your name, for the record (optional)", type: "text", value: right.name},
    ],
    confirm: "Use it",
    async run({token, name}) {
      const found = await read("session", token);
      if (!found.may_change) throw new Refusal(403, "That is not this agent's token.");
      right.keep(token, name);
      after();
    },
  });
}

/** What one may do, and the way to more or less; `after()` once there is a token. */
export function showRight(session, after) {
  const button = byId("right-button");
  byId("right").hidden = false;
  byId("right").classList.toggle("may-act", session.may_change);
  say(button, session.may_change ? "Forget the token" : "Enter a token…");
  say(byId("right-says"), session.may_change ? `Here you can act${right.name ? ` as ${right.name}` : ""}.` : "Here you can look, and not act.");
  button.onclick = () => {
    if (!session.may_change) return askForToken(session, after);
    right.forget();
    location.reload();  // nothing stays that was read with it
  };
}
