// The agent's HTTP API, on the origin that the page came from.

const tokenKey = "flipback.token";
const nameKey = "flipback.name";
const patience = 10_000;  // milliseconds for what is only read; what changes something takes as long as it takes

/** The token lives as long as this tab. */
export const right = {
  get token() { return sessionStorage.getItem(tokenKey) ?? ""; },
  get name() { return sessionStorage.getItem(nameKey) ?? ""; },
  keep(token, name) {
    sessionStorage.setItem(tokenKey, token);
    sessionStorage.setItem(nameKey, name);
  },
  forget() {
    sessionStorage.removeItem(tokenKey);
  },
};

/** An answer that says no, or none: `status` is the answer's, 0 where there is none. */
export class Refusal extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** The headers that say who asks, with a token where there is one. */
function headersWith(token, more = {}) {
  return token ? {...more, Authorization: `Bearer ${token}`} : more;
}

async function refusalOf(answer) {
  const problem = await answer.json().catch(() => ({}));
  return new Refusal(answer.status, problem.detail || problem.title || `the agent answered ${answer.status}`);
}

async function ask(path, options) {
  let answer;
  try {
    answer = await fetch(`/api/v1/${path}`, {cache: "no-store", redirect: "error", ...options});
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refusal(0, "the agent does not answer");
  }
  if (!answer.ok) throw await refusalOf(answer);
  return answer;
}

export async function read(path, token = right.token) {
  return (await ask(path, {headers: headersWith(token), signal: AbortSignal.timeout(patience)})).json();
}

/** Asks the agent to change something, and gives what it says. */
export async function change(path, body) {
  const headers = headersWith(right.token, {"Content-Type": "application/json"});
  const answer = await ask(path, {method: "POST", headers, body: JSON.stringify(right.name ? {...body, by: right.name} : body)});
  return (await answer.json()).says;
}

/** The answer whose body is the stream of what happens. */
export function openEvents(signal) {
  return ask("events", {headers: headersWith(right.token, {Accept: "text/event-stream"}), signal});
}
