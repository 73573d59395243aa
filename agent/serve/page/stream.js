// What the agent tells as it happens, read with fetch, which can send a token: EventSource can't.

import {openEvents} from "./api.js";

const silence = 20_000;  // the agent says something every 15 s at least
const firstWait = 500;
const longestWait = 5_000;

/** Splits a text/event-stream into its events (HTML standard, section 9.2.6); what is not data or an event's name is left out. */
export function eventReader(tell) {
  let rest = "";
  return (text) => {
    const blocks = (rest + text).replaceAll("\r\n", "\n").split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) {
      let name = "message";
      const data = [];
      for (const line of block.split("\n")) {
        if (line.startsWith("event:")) name = line.slice(6).trim();
        if (line.startsWith("data:")) data.push(line.slice(5).replace(/^ /, ""));
      }
      if (data.length === 0) continue;
      try {
        tell(name, JSON.parse(data.join("\n")));
      } catch (error) {
        reportError(error);  // a mistake in showing one event ends no stream
      }
    }
  };
}

/** Follows the agent, and connects again by itself, until the page is left: `on.open()`, `on.heard()` with each piece, `on.event(name, data)`, `on.lost(error)`. */
export class Stream {
  constructor(on) {
    this.on = on;
    this.failures = 0;
    addEventListener("offline", () => this.#end());
    addEventListener("online", () => this.again());
    this.#connect();
  }

  /** Connects at once: with another token, or since there is a network again. */
  again() {
    this.failures = 0;
    clearTimeout(this.waiting);
    if (this.current) this.#end();
    else this.#connect();
  }

  #end() {
    this.current?.abort();
  }

  #listen() {
    clearTimeout(this.silent);
    this.silent = setTimeout(() => this.#end(), silence);
    this.on.heard();
  }

  async #connect() {
    const mine = new AbortController();
    this.current = mine;
    this.silent = setTimeout(() => mine.abort(), silence);
    let why = null;
    try {
      const answer = await openEvents(mine.signal);
      this.failures = 0;
      this.on.open();
      const take = eventReader(this.on.event);
      const pieces = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      for (let piece = await pieces.read(); !piece.done; piece = await pieces.read()) {
        this.#listen();
        take(piece.value);
      }
    } catch (error) {
      why = error;
    }
    clearTimeout(this.silent);
    this.current = null;
    this.on.lost(why);
    if (why?.status === 401) return;  // until there is another token
    this.waiting = setTimeout(() => this.#connect(), Math.min(longestWait, firstWait * 2 ** this.failures++));
  }
}
