"use strict";

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

const asked = returnTo();
const wanted = asked === location.pathname ? "" : asked; // "" also: nothing but this page
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
	$("onward").hidden = number !== 5 || !wanted;
}

function forgetErrors() {
	for (const id of ["email", "code", "login", "session", "logout", "devices"])
		put(`${id}-error`, "");
	$("devices-done").textContent = "";
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
	const element = $(button); // it may be gone from the page afterwards
	element.setAttribute("aria-disabled", "true");
	forgetErrors();
	try {
		await action();
	} finally {
		busy = false;
		element.removeAttribute("aria-disabled");
	}
}

function startOver(text) {
	payload = null;
	reach(1);
	for (const id of ["email-done", "login-result"])
		put(id, "");
	for (const id of ["token", "login-raw", "who", "session-raw", "members", "devices"])
		$(id).hidden = true;
	status(wanted ? `${text} Sign in to see the page you asked for.` : text);
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
	(wanted ? $("continue") : $("step-3").querySelector("h2")).focus();
}

/* Who is it? Also after a reload, when nothing else is known. Returns the status. */
async function showSession() {
	const answer = await whoAmI();
	if (answer.status === 401) {
		startOver("You are not signed in.");
		return answer.status;
	}
	$("session-json").textContent = pretty(answer.body);
	$("session-raw").hidden = false;
	if (answer.status !== 200) {
		put("session-error", explain(answer));
		$("session-again").hidden = false;
		status("Whether you are signed in is not known just now.", "trouble");
		return answer.status;
	}
	const { user, session } = answer.body;
	reach(5);
	$("who-email").textContent = user.email || user.phone;
	$("who-id").textContent = user.id;
	$("who-until").textContent = clock(session.expires_at);
	$("who").hidden = false;
	put("email-done", user.email || user.phone);
	$("logout-raw").hidden = true;
	$("members").hidden = false;
	status(`Signed in as ${user.email || user.phone}.`, "in");
	await showDevices();
	return answer.status;
}

/* "Firefox 140 on Windows". A guess for people: a User-Agent says what it likes. */
function nameOfBrowser(agent) {
	const find = (names) => names.find(([pattern]) => pattern.test(agent));
	const browser = find([[/Edg\w*\/(\d+)/, "Edge"], [/OPR\/(\d+)/, "Opera"],
		[/Firefox\/(\d+)/, "Firefox"], [/Chrom\w+\/(\d+)/, "Chrome"],
		[/Version\/(\d+).* Safari/, "Safari"], [/^curl\/(\d+)/, "curl"]]);
	const system = find([[/Windows/, "Windows"], [/Android/, "Android"],
		[/iPhone|iPad/, "iOS"], [/Mac OS X/, "macOS"], [/CrOS/, "ChromeOS"],
		[/Linux/, "Linux"]]);
	return (browser ? `${browser[1]} ${browser[0].exec(agent)[1]}` :
		agent.split(/[/ ]/)[0].slice(0, 30) || "Unknown browser") +
		(system ? ` on ${system[1]}` : "");
}

function putTime(element, seconds) {
	element.textContent = clock(seconds);
	element.dateTime = new Date(seconds * 1000).toISOString();
}

function makeDevice(session) {
	const device = $("device").content.firstElementChild.cloneNode(true);
	const name = nameOfBrowser(session.user_agent);
	const part = (of) => device.querySelector(`.${of}`);
	part("name").textContent = name;
	part("name").title = session.user_agent;
	if (!session.current)
		part("mark").remove();
	putTime(part("created"), session.created_at);
	putTime(part("seen"), session.last_seen_at);
	part("address").textContent = session.address;
	part("end").id = `end-${session.id}`;
	part("end").setAttribute("aria-label", session.current ? "End this one" :
		`End ${name}, signed in ${clock(session.created_at)}`);
	part("end").addEventListener("click", () => work(`end-${session.id}`,
		() => endDevice(session, name)));
	return device;
}

async function showDevices() {
	const answer = await listSessions();
	const sessions = answer.body.sessions ?? [];
	sessions.sort((a, b) => b.current - a.current || b.last_seen_at - a.last_seen_at);
	$("device-list").replaceChildren(...sessions.map(makeDevice));
	$("others-offer").hidden = sessions.length < 2;
	$("devices-json").textContent = pretty(answer.body);
	if (answer.status !== 200)
		put("devices-error", explain(answer));
	$("devices").hidden = false;
}

/* After some were ended, this one perhaps: by its button or from another device. */
async function afterEnding(answer, text) {
	if (answer.status !== 200 && answer.status !== 401 && answer.status !== 404)
		return put("devices-error", explain(answer));
	const now = await showSession();
	if (now === 401) {
		status("You are signed out.");
		return $("email").focus();
	}
	if (answer.status === 200)
		$("devices-done").textContent = text;
	return $("devices-title").focus();
}

async function endDevice(session, name) {
	await afterEnding(await endSession(session.id), `${name} is signed out.`);
}

async function endOthers() {
	const answer = await logOut("others");
	const { ended } = answer.body;
	await afterEnding(answer, `Signed out everywhere else: ${ended} ${ended === 1 ?
		"session was" : "sessions were"} ended.`);
}

async function signOut() {
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
onClick("log-out", signOut);
onClick("end-others", endOthers);
if (wanted)
	$("continue").href = wanted;
reach(1);
work("ask-again", showSession);
