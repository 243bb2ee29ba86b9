// Asks the server; an answer that is an error becomes an Error with its sentence.

export async function ask(path, options = {}) {
  let answer;
  try {
    answer = await fetch(path, options);
  } catch {
    throw new Error("The server does not answer: see whether it still runs.");
  }
  if (answer.ok || (answer.status === 422 && path === "/api/describe")) return answer;
  let reason = `The server answers with status ${answer.status}.`;
  try {
    reason = (await answer.json()).error ?? reason;
  } catch {
    // not JSON: the status must do
  }
  throw new Error(reason);
}

export const send = (path, method, body) =>
  ask(path, { method, headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });

export async function describe(file, fields) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  form.append("file", file, file.name || "pasted image");
  const answer = await ask("/api/describe", { method: "POST", body: form });
  return (await answer.json()).results[0];
}

export async function download(format, results) {
  const answer = await send("/api/download", "POST", { format, results });
  const name = /filename\*=UTF-8''(.+)/.exec(answer.headers.get("Content-Disposition"));
  return [await answer.blob(), decodeURIComponent(name[1])];
}
