/// Requests to the REST server that this page came from. All paths are relative to the page, so that a proxy may move it.

export class ApiError extends Error {
  constructor(status, message, body) {
    super(message);
    this.status = status;
    this.body = body;
  }
}

/// Paths that the server does not have, and when we learnt it: asked again after a while.
const missing = new Map();
const askAgainAfter = 120_000;

let token = "";
try { token = sessionStorage.getItem("token") ?? ""; } catch { /* Storage may be closed to us. */ }

/// Called when the server wants a bearer token; answers one, or null.
let askForToken = null;
let asking = null;

export function onTokenWanted(ask) { askForToken = ask; }

export function setToken(text) {
  token = text;
  try { sessionStorage.setItem("token", text); } catch { /* It lives as long as the page then. */ }
}

/// A server that hangs is as good as none: the page says so after this many ms and tries again.
const patience = 20_000;

async function send(method, path, { body, headers = {}, signal } = {}) {
  let response;
  try {
    response = await fetch(path, {
      method, cache: "no-store", signal: signal ?? AbortSignal.timeout(patience),
      headers: { ...(token ? { Authorization: `Bearer ${token}` } : {}), ...headers },
      body,
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0, "The JobManager cannot be reached.");
  }
  if (response.status === 401 && askForToken) {
    asking ??= askForToken(token !== "").finally(() => { asking = null; });
    const given = await asking;
    if (given) {
      setToken(given);
      return send(method, path, { body, headers, signal });
    }
  }
  return response;
}

async function answer(response) {
  const text = await response.text();
  let json;
  try { json = text === "" ? {} : JSON.parse(text); } catch { json = undefined; }
  if (!response.ok) throw new ApiError(response.status, reason(json) ?? `The server answered ${response.status} ${response.statusText}`.trim(), json);
  if (json === undefined) throw new ApiError(response.status, "The server's answer is no JSON.");
  return json;
}

/// The first of `errors`; of Java's stack traces only the first line.
function reason(json) {
  const words = json?.errors?.find((text) => typeof text === "string" && text !== "");
  return words?.split("\n\tat ")[0].replace(/^(?:[\w$]+\.)+[\w$]*(?:Exception|Error): /, "");
}

export async function get(path) {
  return answer(await send("GET", path));
}

/// Undefined where this server has no such path (404, 405, 501); other errors are thrown.
export async function getIfThere(path) {
  const bare = path.split("?")[0];
  if (Date.now() - (missing.get(bare) ?? -Infinity) < askAgainAfter) return undefined;
  try {
    return await get(path);
  } catch (error) {
    if (![404, 405, 501].includes(error.status)) throw error;
    missing.set(bare, Date.now());
    return undefined;
  }
}

/// Like `getIfThere`, and undefined for every other failure too: for what decorates a page.
export async function getOrNothing(path) {
  try { return await getIfThere(path); } catch { return undefined; }
}

/// The last `bytes` of a text file; all of it where the server knows no ranges. Undefined where there is none.
export async function getTail(path, bytes) {
  if (Date.now() - (missing.get(path) ?? -Infinity) < askAgainAfter) return undefined;
  let response = await send("GET", path, { headers: { Range: `bytes=-${bytes}` } });
  if (response.status === 416) response = await send("GET", path);  // An empty file has no last bytes.
  if ([404, 405, 501].includes(response.status)) {
    missing.set(path, Date.now());
    return undefined;
  }
  if (!response.ok) throw new ApiError(response.status, `The server answered ${response.status} for ${path}.`);
  const text = await response.text();
  if (text.length <= bytes) return text;
  const cut = text.slice(-bytes);
  return cut.slice(cut.indexOf("\n") + 1);
}

/// Gives a file to the browser to keep. A link alone could not send the token.
export async function save(path, name) {
  const response = await send("GET", path);
  if (!response.ok) throw new ApiError(response.status, `The server answered ${response.status} for ${path}.`);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await response.blob());
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

const withJSON = (method) => async (path, body) => answer(await send(method, path, {
  headers: body === undefined ? {} : { "Content-Type": "application/json" },
  body: body === undefined ? undefined : JSON.stringify(body),
}));

export const post = withJSON("POST");
export const put = withJSON("PUT");
export const patch = withJSON("PATCH");
export const remove = withJSON("DELETE");

/// For text that is sent as it is typed: `signal` ends it when the next one is on its way.
export async function postJSON(path, body, signal) {
  return answer(await send("POST", path, { headers: { "Content-Type": "application/json" }, body: JSON.stringify(body), signal }));
}

export async function upload(path, file) {
  const form = new FormData();
  form.append("jarfile", file, file.name);
  return answer(await send("POST", path, { body: form }));
}
