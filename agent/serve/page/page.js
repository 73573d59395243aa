// Composes the page: what comes as it happens, what is read then, and when each part is shown anew.

import {showActions} from "./actions.js";
import {byId, say} from "./dom.js";
import {showIncidents} from "./incidents.js";
import {readAll, readIncidents, readProbes, readSession, seen, takeEvent, takeStatus} from "./known.js";
import {showLog} from "./log.js";
import {showNow} from "./now.js";
import {showProbes} from "./probes.js";
import {goOn, showRules} from "./rules.js";
import {askForToken, showRight} from "./session.js";
import {showStanding} from "./standing.js";
import {Stream} from "./stream.js";
import {showTold} from "./told.js";
import {atTime} from "./words.js";

const betweenProbes = 5_000;  // milliseconds; nothing tells when a probe has run
const together = 200;  // milliseconds in which what happens is read once

/** Whether the agent is heard, and how old what is shown is. */
function showConnection() {
  byId("lost").hidden = seen.connected;
  document.body.classList.toggle("is-stale", !seen.connected);
  byId("connection").dataset.is = seen.connected ? "pass" : "fail";
  say(byId("connection-word"), seen.connected ? "Connected" : "Not connected");
  if (seen.heard === null) return;
  const age = Math.floor((performance.now() - seen.heard) / 1000);
  say(byId("age"), `seen ${age} s ago`);
  say(byId("lost-age"), `What you see is how it was ${age} s ago, at ${atTime(seen.now(), seen.now())} UTC. It is tried again by itself.`);
}

function show() {
  showConnection();
  if (seen.session) {
    say(byId("version"), `flipback ${seen.session.version}`);
    showRight(seen.session, takeRight);
  }
  if (!seen.status || !seen.rules) return;
  for (const part of [showStanding, showRules, showProbes, showIncidents, showTold, showLog]) part(seen);
  showActions(seen, () => readAll().then(show));
  const {title} = showNow(seen);
  document.title = seen.connected ? title : `connection lost · ${title}`;
}

/** Another token than before: what one may do is asked anew, and where it was needed to look, one looks. */
async function takeRight() {
  await readSession();
  show();
  if (!seen.connected) stream.again();
}

let soon = null;

/** What happened may have changed more than the stream tells; one reading for all that come together. */
function readSoon() {
  soon ??= setTimeout(() => {
    soon = null;
    readAll().then(show);
  }, together);
}

const takers = {
  status(status) { if (takeStatus(status)) readIncidents().then(show); },
  rules(found) { seen.rules = found.rules; },
  happened(event) {
    takeEvent(event);
    readSoon();
  },
};

let isAsked = false;  // for a token to look with: once, and then by the button

function sayLost(why) {
  if (why?.status !== 401) return say(byId("lost-word"), seen.heard === null ? "The agent does not answer. It is tried again by itself." : "The connection is lost.");
  say(byId("lost-word"), "From here a token is needed to look, too.");
  seen.session ??= {may_change: false, token_is_configured: true, version: ""};
  if (!isAsked) askForToken(seen.session, takeRight);
  isAsked = true;
}

const stream = new Stream({
  open() {
    seen.connected = true;
    readAll().then(show);
  },
  heard() { seen.heard = performance.now(); },
  event(name, data) {
    takers[name]?.(data);
    show();
  },
  lost(why) {
    seen.connected = false;
    sayLost(why);
    show();
  },
});

setInterval(() => {
  if (seen.rules && seen.connected) goOn(seen.traces, seen.rules, seen.now());
  show();
}, 1000);
setInterval(() => { if (seen.connected && !document.hidden) readProbes(); }, betweenProbes);
document.addEventListener("visibilitychange", () => { if (!document.hidden && seen.connected) readAll().then(show); });
