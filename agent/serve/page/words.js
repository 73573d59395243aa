// Numbers and times, as the agent writes them.

function trimmed(number, digits) {
  return String(Number(number.toFixed(digits)));
}

/** "4m17s": whole seconds, the two largest parts. */
export function lasting(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const [days, hours, minutes, rest] = [Math.floor(whole / 86400), Math.floor(whole / 3600) % 24, Math.floor(whole / 60) % 60, whole % 60];
  if (days > 0) return hours ? `${days}d${hours}h` : `${days}d`;
  if (hours > 0) return minutes ? `${hours}h${minutes}m` : `${hours}h`;
  if (minutes > 0) return rest ? `${minutes}m${rest}s` : `${minutes}m`;
  return `${rest}s`;
}

/** "14:49": a clock that runs down. */
export function clock(seconds) {
  const whole = Math.max(0, Math.ceil(seconds));
  const two = (number) => String(number).padStart(2, "0");
  const hours = Math.floor(whole / 3600);
  return (hours ? `${hours}:${two(Math.floor(whole / 60) % 60)}` : String(Math.floor(whole / 60))) + `:${two(whole % 60)}`;
}

/** A step's or a run's time: "128 ms", "1.3 s". */
export function took(seconds) {
  if (seconds >= 10) return lasting(seconds);
  if (seconds >= 1) return `${trimmed(seconds, 2)} s`;
  return `${trimmed(seconds * 1000, seconds < 0.01 ? 1 : 0)} ms`;
}

/** A measured value with its unit. */
export function amount(value, unit = "") {
  if (value === null || value === undefined) return "no value";
  if (unit === "ratio") return `${trimmed(value * 100, 2)}%`;
  if (unit === "seconds") return value < 1 ? `${trimmed(value * 1000, 1)}ms` : value < 60 ? `${trimmed(value, 2)}s` : lasting(value);
  if (unit === "bytes") {
    const power = value < 1024 ? 0 : Math.min(4, Math.floor(Math.log2(value) / 10));
    return `${trimmed(value / 1024 ** power, 2)}${["B", "KiB", "MiB", "GiB", "TiB"][power]}`;
  }
  return trimmed(value, 3) + (unit === "per_second" ? "/s" : "");
}

/** A rule's limit with its comparison, "> 5%": as the agent's sentence ends, or the threshold alone where it does not say. */
export function limitOf(rule) {
  const words = "the limit is ";
  const at = (rule.says ?? "").lastIndexOf(words);
  if (at >= 0) return rule.says.slice(at + words.length);
  return typeof rule.threshold === "number" ? amount(rule.threshold, rule.unit) : "";
}

/** "12:59:21" of a time in milliseconds, with the day before it where that is not today. */
export function atTime(milliseconds, now) {
  const text = new Date(milliseconds).toISOString();
  return text.slice(0, 10) === new Date(now).toISOString().slice(0, 10) ? text.slice(11, 19) : `${text.slice(0, 10)} ${text.slice(11, 16)}`;
}

/** "4m ago" and the like, in one part. */
export function ago(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 60) return `${whole} s ago`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ago`;
  if (whole < 86400) return `${Math.floor(whole / 3600)} h ago`;
  return `${Math.floor(whole / 86400)} d ago`;
}

export function withRelease(slot, release) {
  return release ? `${slot} with ${release}` : slot;
}

export function counted(number, one, several = `${one}s`) {
  return `${number} ${number === 1 ? one : several}`;
}
