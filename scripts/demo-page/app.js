"use strict";

/* ==== What a site of your own needs =======================================================
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
const logOut = () => ask("POST", `${AUTH}/logout`, { scope: "this" });

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

/* ==== The provider's part ================================================================
 *
 * A real provider brings a script for this, and its form. Here it is two requests to the
 * demo's issuer, which the web server hands on.
 */

const ISSUER = "/issuer";

const sendCode = (identifier) => ask("POST", `${ISSUER}/send-code`, { identifier });
const verify = (identifier, code) => ask("POST", `${ISSUER}/verify`, { identifier, code });

/* A token is three parts in base64url. Decoded, not verified: that is not for a browser. */
function decode(token) {
	return token.split(".").slice(0, 2).map((part) => {
		const bytes = atob(part.replace(/-/g, "+").replace(/_/g, "/"));
		return JSON.parse(new TextDecoder().decode(
			Uint8Array.from(bytes, (c) => c.charCodeAt(0))));
	});
}

/* ==== This page ========================================================================= */

const $ = (id) => document.getElementById(id);
const pretty = (value) => JSON.stringify(value, null, 2);
const clock = (seconds) => new Date(seconds * 1000).toLocaleString();

let identifier = ""; // for whom a code was sent
let payload = null;  // what the provider answered, until the login is through

/* Text, and whether it is there at all. */
function put(id, text) {
	$(id).textContent = text || "";
	$(id).hidden = !text;
}

function status(text, kind) {
	$("status").textContent = text;
	$("status").className = `status ${kind || ""}`;
}

/* The steps before NUMBER are done, those after it come later. */
function reach(number) {
	for (let i = 1; i <= 5; i++) {
		$(`step-${i}`).className = i < number ? "done" : i === number ? "now" : "later";
		$(`step-${i}`).setAttribute("aria-current", i === number ? "step" : "false");
	}
	$("email-form").hidden = number !== 1;
	$("code-form").hidden = number !== 2;
	$("login-again").hidden = true;
	$("session-again").hidden = number !== 5;
	$("logout-offer").hidden = number !== 5;
}

function forgetErrors() {
	for (const id of ["email", "code", "login", "session", "logout"])
		put(`${id}-error`, "");
	$("email").removeAttribute("aria-invalid");
	$("code").removeAttribute("aria-invalid");
}

/* Beside a field, with the field to be mended at hand. */
function complain(field, text) {
	put(`${field}-error`, text);
	$(field).setAttribute("aria-invalid", "true");
	$(field).focus();
	$(field).select();
}

/* One thing at a time: a button that works is neither pressed again nor left by the focus. */
let busy = false;
async function work(button, action) {
	if (busy)
		return;
	busy = true;
	$(button).setAttribute("aria-disabled", "true");
	forgetErrors();
	try {
		await action();
	} finally {
		busy = false;
		$(button).removeAttribute("aria-disabled");
	}
}

function startOver(text) {
	payload = null;
	reach(1);
	for (const id of ["email-done", "login-result"])
		put(id, "");
	for (const id of ["token", "login-raw", "who", "session-raw"])
		$(id).hidden = true;
	status(text);
}

async function requestCode() {
	identifier = $("email").value.trim();
	if (!/^\S+@\S+\.\S+$/.test(identifier))
		return complain("email", "Please enter an email address, like alice@example.com.");
	const answer = await sendCode(identifier);
	if (answer.status === 400)
		return complain("email", "This does not look like an email address.");
	if (answer.status !== 200)
		return put("email-error", explain(answer));
	$("shown-code").textContent = answer.body.code;
	put("email-done", identifier);
	$("logout-raw").hidden = true;
	status(`A code was made for ${identifier}.`);
	reach(2);
	$("code").value = "";
	$("code").focus();
}

async function redeemCode() {
	const code = $("code").value.replace(/\s/g, "");
	if (!/^\d{6}$/.test(code))
		return complain("code", "Please enter the six digits.");
	const answer = await verify(identifier, code);
	if (answer.body.error === "wrong_code")
		return complain("code", "This is not the code that was sent. Please try again.");
	if (answer.body.error === "code_gone")
		return complain("code", "This code is no longer good. Please ask for a new one.");
	if (answer.status !== 200)
		return put("code-error", explain(answer));
	payload = answer.body;
	showToken();
	await postLogin();
}

function showToken() {
	const [header, claims] = decode(payload.oauth_token.access_token);
	put("token-result", `A token, signed with ${header.alg}, good until ${clock(claims.exp)}`);
	$("token-header").textContent = pretty(header);
	$("token-claims").textContent = pretty(claims);
	$("payload-json").textContent = pretty(payload);
	$("token").hidden = false;
}

async function postLogin() {
	reach(3);
	status("Signing in…");
	const answer = await login(payload);
	$("login-json").textContent = pretty(answer.body);
	$("login-raw").hidden = false;
	if (answer.status !== 200) {
		const reference = answer.body.request_id;
		put("login-error", explain(answer) + (reference ? ` (Reference: ${reference})` : ""));
		$("login-again").hidden = false;
		$("retry").hidden = !isWorthRetrying(answer);
		$(isWorthRetrying(answer) ? "retry" : "restart").focus();
		return status("You are not signed in yet.", "trouble");
	}
	payload = null;
	put("login-result", answer.body.created ? "Welcome! Your account was created." :
		"Welcome back!");
	await showSession();
	$("step-3").querySelector("h2").focus();
}

/* Who is it? Also after a reload, when nothing else is known. */
async function showSession() {
	const answer = await whoAmI();
	if (answer.status === 401)
		return startOver("You are not signed in.");
	$("session-json").textContent = pretty(answer.body);
	$("session-raw").hidden = false;
	if (answer.status !== 200) {
		put("session-error", explain(answer));
		$("session-again").hidden = false;
		return status("Whether you are signed in is not known just now.", "trouble");
	}
	const { user, session } = answer.body;
	reach(5);
	$("who-email").textContent = user.email || user.phone;
	$("who-id").textContent = user.id;
	$("who-until").textContent = clock(session.expires_at);
	$("who").hidden = false;
	put("email-done", user.email || user.phone);
	$("logout-raw").hidden = true;
	return status(`Signed in as ${user.email || user.phone}.`, "in");
}

async function endSession() {
	const answer = await logOut();
	$("logout-json").textContent = pretty(answer.body);
	$("logout-raw").hidden = false;
	if (answer.status !== 200)
		return put("logout-error", explain(answer));
	startOver("You are signed out.");
	return $("email").focus();
}

function onSubmit(form, button, action) {
	$(form).addEventListener("submit", (event) => {
		event.preventDefault();
		work(button, action);
	});
}

function onClick(button, action) {
	$(button).addEventListener("click", () => work(button, action));
}

onSubmit("email-form", "send-code", requestCode);
onSubmit("code-form", "sign-in", redeemCode);
onClick("new-code", requestCode);
onClick("other-address", () => { startOver("You are not signed in."); $("email").focus(); });
onClick("retry", postLogin);
onClick("restart", () => { startOver("You are not signed in."); $("email").focus(); });
onClick("ask-again", showSession);
onClick("log-out", endSession);
reach(1);
work("ask-again", showSession);
