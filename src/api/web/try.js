// SPDX-License-Identifier: MIT
// Lets a reader of the reference send its requests. The user name and the token stay in the two inputs
// of this page. Requests go to the server that the page came from: the policy of the page allows no other.
"use strict";

(() => {
  const root = new URL("..", document.currentScript.src);
  const shown = 100000; // characters of an answer

  function element(name, properties, ...children) {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children);
    return made;
  }

  function labelled(text, input) {
    return element("label", {}, element("span", { textContent: text }), input);
  }

  function input(properties) {
    return element("input", { autocomplete: "off", spellcheck: false, ...properties });
  }

  const username = input({ name: "username" });
  const token = input({ name: "token", type: "password", autocomplete: "new-password" });

  // The text in UTF-8, in base64.
  function base64(text) {
    return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
  }

  function options(method, body) {
    const headers = {};
    if (username.value || token.value)
      headers.Authorization = "Basic " + base64(`${username.value}/token:${token.value}`);
    if (body) headers["Content-Type"] = "application/json";
    // Without "omit" the browser would ask for a name and a password after a 401.
    return { method, headers, body, credentials: "omit", cache: "no-store", redirect: "error" };
  }

  // The text of an answer, as a person reads it.
  async function answer(reply) {
    const lines = [`${reply.status} ${reply.statusText}`.trim()];
    for (const [name, value] of reply.headers) lines.push(`${name}: ${value}`);
    let text = await reply.text();
    if (/json/.test(reply.headers.get("Content-Type"))) {
      try {
        text = JSON.stringify(JSON.parse(text), null, 2);
      } catch {
        // The text is shown as it came.
      }
    }
    if (text.length > shown) text = text.slice(0, shown) + "\n[The rest is left out here.]";
    return lines.join("\n") + "\n\n" + text;
  }

  async function send(method, target, body) {
    if (!target.startsWith("/")) return "The request has to begin with a slash.";
    // A link of an answer has the prefix of a proxy already.
    if (target.startsWith(root.pathname)) target = target.slice(root.pathname.length - 1);
    try {
      return await answer(await fetch(new URL("." + target, root), options(method, body)));
    } catch (error) {
      return `The browser got no answer: ${error.message}`;
    }
  }

  // What opens below a request: its target, its body, a button, and the answer.
  function panel(request) {
    const [method] = request.textContent.split(" ");
    const target = input({ value: request.dataset.target });
    const body = request.dataset.body && element("textarea", {
      value: request.dataset.body, spellcheck: false, rows: request.dataset.body.split("\n").length + 1,
    });
    const output = element("pre", { hidden: true, tabIndex: 0 });
    const state = element("span", {});
    const button = element("button", { type: "button", textContent: `Send ${method}` });

    const summary = element("summary", { textContent: "Try it" });
    summary.setAttribute("aria-label", `Try it: ${request.previousElementSibling.textContent}`);
    output.setAttribute("role", "region");
    output.setAttribute("aria-label", "Answer");
    state.setAttribute("role", "status");
    button.addEventListener("click", async () => {
      // The button keeps the focus, so it is not disabled.
      if (button.getAttribute("aria-disabled") === "true") return;
      button.setAttribute("aria-disabled", "true");
      state.textContent = "Waiting for the answer";
      output.textContent = await send(method, target.value, body ? body.value : undefined);
      output.hidden = false;
      state.textContent = output.textContent.split("\n", 1)[0];
      button.setAttribute("aria-disabled", "false");
    });
    return element("details", { className: "try" }, summary,
      labelled("Request", target), ...(body ? [labelled("Body", body)] : []),
      element("p", {}, button, " ", state), output);
  }

  document.querySelector("nav").before(element("section", { className: "try" },
    element("h2", { textContent: "Try it" }),
    element("p", { textContent: "Open \u201cTry it\u201d below a request. A request that changes something has " +
      "dry_run=1 at first: docket answers as if it had stored the change, and stores nothing. The page keeps " +
      "your user name and your token in its memory alone. They are gone when you close the page." }),
    labelled("User name", username), labelled("API token", token)));
  for (const request of document.querySelectorAll("p.request")) request.after(panel(request));
})();
