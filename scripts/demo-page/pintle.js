"use strict";

/* All that a site of your own needs in the browser.
 *
 * Pintle answers JSON to everything, errors included:
 *
 *   {"error": "invalid_token", "reason": "expired", "message": "…", "request_id": "…"}
 *
 * The session is a cookie that the browser keeps and sends by itself; no script can read it,
 * and there is nothing to store here. Only a 401 means that somebody is signed out. A 503
 * means "not known just now": try again, and leave them be.
 */

const AUTH = "/auth"; // where Pintle is mounted

/* Never throws. {status, body}; status 0 when there was no answer, or none in JSON. */
async function ask(method, url, body) {
	try {
		const response = await fetch(url, {
			method,
			credentials: "same-origin", // "include" when Pintle has an origin of its own
			headers: body ? { "Content-Type": "application/json" } : {},
			body: body && JSON.stringify(body),
			signal: AbortSignal.timeout(15000),
		});
		return { status: response.status, body: (await response.json()) ?? {} };
	} catch (error) {
		return { status: 0, body: { error: "no_answer", message: error.message } };
	}
}

/* The payload as the provider's SDK handed it over; Pintle finds the token in it. */
const login = (payload) => ask("POST", `${AUTH}/login`, payload);
const whoAmI = () => ask("GET", `${AUTH}/session`);
const logOut = (scope = "this") => ask("POST", `${AUTH}/logout`, { scope }); // "others", "all"
const listSessions = () => ask("GET", `${AUTH}/sessions`);
const endSession = (id) => ask("DELETE", `${AUTH}/sessions/${encodeURIComponent(id)}`);

/*
 * The guarded page that somebody was sent here from, "" if there is none. Anybody can make a
 * link with a return_to, so only a path of this site is taken. "//host" is another site, and
 * so is "/\host" to a browser, which also drops tabs and line ends before it looks.
 */
function returnTo() {
	const path = new URLSearchParams(location.search).get("return_to") ?? "";
	return /^\/(?!\/)[!-[\]-~]*$/.test(path) ? path : "";
}

/* What to tell a person; an address that was refused is not to be tried again. */
function explain({ status, body }) {
	const said = {
		expired: "This sign-in has expired. Please ask for a new code.",
		refused: "This sign-in was not accepted. Please start again.",
		email_missing: "The provider did not tell us your email address.",
		email_unverified: "The provider has not made sure that this address is yours.",
		email_refused: "This kind of email address cannot be used here.",
		signup_closed: "There is no account for this address, and new ones are not open.",
		account_disabled: "This account has been closed.",
		identity_conflict: "This address belongs to an account with another sign-in.",
		token_replayed: "This sign-in was used before. Please ask for a new code.",
		origin_refused: "This page may not sign you in: its address is not one of the site's.",
		rate_limited: "That was a lot of tries. Please wait a minute.",
		no_session: "You are not signed in.",
		no_answer: "There was no answer. Is the connection all right?",
	};
	return said[body.reason] || said[body.error] ||
		(status === 503 ? "The site is busy. Please try again in a moment." :
		 "Something went wrong on our side. Please try again later.");
}

const isWorthRetrying = ({ status }) => status === 0 || status === 429 || status >= 500;
