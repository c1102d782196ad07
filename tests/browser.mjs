/*
 * The demo page in a real browser: node tests/browser.mjs http://localhost:8080
 *
 * Needs chromium (PINTLE_CHROMIUM: another path) and, once, `npm ci --prefix tests`.
 * PINTLE_SCREENSHOTS: a directory for pictures of the page.
 */
import fs from "node:fs";
import path from "node:path";

const base = process.argv[2]?.replace(/\/$/, "");
if (!base) {
	console.error("usage: node tests/browser.mjs http://localhost:8080");
	process.exit(2);
}
const { chromium } = await import("playwright-core").catch(() => {
	console.error("playwright-core is missing: npm ci --prefix tests");
	process.exit(2);
});
const https = base.startsWith("https:");
const pictures = process.env.PINTLE_SCREENSHOTS;

const browser = await chromium.launch({
	executablePath: process.env.PINTLE_CHROMIUM || "/usr/bin/chromium",
	args: ["--disable-dev-shm-usage", "--disable-background-networking",
		"--disable-component-update", "--disable-sync", "--no-first-run",
		...(process.getuid() === 0 ? ["--no-sandbox"] : [])],
});

let passed = 0, failed = 0;
const complaints = []; // of the page in general: errors of scripts and of its policy

function ok(good, name, seen) {
	good ? passed++ : failed++;
	console.log(`${good ? "ok" : "not ok"} - ${name}`);
	if (!good && seen !== undefined)
		console.log(`# seen: ${JSON.stringify(seen)}`);
}

/* A test has a browser of its own, as after a fresh installation. */
async function test(name, run, options = {}) {
	const context = await browser.newContext({ ignoreHTTPSErrors: https, ...options });
	const page = await context.newPage();
	page.setDefaultTimeout(10000);
	page.on("pageerror", (error) => complaints.push(error.message));
	page.on("console", (message) => {
		if (message.type() === "error" && !message.text().startsWith("Failed to load resource"))
			complaints.push(message.text());
	});
	try {
		await page.goto(`${base}/`);
		await run(page, context);
	} catch (error) {
		ok(false, `${name}: ${error.message.split("\n")[0]}`);
	}
	await context.close();
}

let addresses = 0;
const newAddress = () => `browser-${Date.now()}-${process.pid}-${++addresses}@example.com`;
const at = (page, id) => page.getByTestId(id);

/* What an element says once it says something that fits; otherwise what it said last. */
async function says(page, id, pattern) {
	const element = at(page, id).filter({ hasText: pattern });
	await element.waitFor().catch(() => {});
	return await at(page, id).textContent();
}

async function expect(page, id, pattern, name) {
	const text = await says(page, id, pattern);
	ok(pattern.test(text), name, text);
}

async function picture(page, name) {
	if (pictures)
		await page.screenshot({ path: path.join(pictures, `${name}.png`), fullPage: true });
}

async function getCode(page, address) {
	await at(page, "email").fill(address);
	await at(page, "send-code").click();
	await says(page, "shown-code", /^\d{6}$/);
	return await at(page, "shown-code").textContent();
}

async function signIn(page, address) {
	const code = await getCode(page, address);
	await at(page, "code").fill(code);
	await at(page, "sign-in").click();
}

const focused = (page) => page.evaluate(() => document.activeElement.dataset.testid || "");

async function tabTo(page, id) {
	for (let i = 0; i < 20 && await focused(page) !== id; i++)
		await page.keyboard.press("Tab");
	return await focused(page) === id;
}

if (pictures)
	fs.mkdirSync(pictures, { recursive: true });

await test("a person's way", async (page, context) => {
	const address = newAddress();
	await expect(page, "status", /not signed in/, "a newcomer is told so");
	await picture(page, "1-email");
	const code = await getCode(page, address);
	ok(/^\d{6}$/.test(code), "the code is shown", code);
	await picture(page, "2-code");
	await at(page, "code").fill(code);
	await at(page, "sign-in").click();
	await expect(page, "login-result", /created/, "a new address makes an account");
	await expect(page, "status", new RegExp(`Signed in as ${address}`), "it says as whom");
	await expect(page, "who-email", new RegExp(`^${address}$`), "GET /session says it too");
	ok((await at(page, "token-claims").textContent()).includes(`"identifier": "${address}"`),
		"the token's claims are shown");
	ok((await at(page, "token-header").textContent()).includes('"alg": "ES256"'),
		"and its header");
	const answer = JSON.parse(await at(page, "login-json").textContent());
	ok(answer.created === true && answer.user.email === address, "and the raw answer", answer);
	await picture(page, "3-created");
	for (const details of await page.locator("details:visible").all())
		await details.locator("summary").click();
	await picture(page, "4-details");

	const cookies = (await context.cookies()).filter((c) => /session$/.test(c.name));
	const cookie = cookies[0] || {};
	ok(cookies.length === 1, "there is one session cookie", cookies);
	ok(cookie.httpOnly === true, "no script reads it");
	ok(cookie.sameSite === "Lax", "other sites cannot post with it", cookie.sameSite);
	ok(cookie.path === "/", "it is for the whole site", cookie.path);
	ok(cookie.secure === https, "it is Secure just where there is https", cookie.secure);
	ok(!(await page.evaluate(() => document.cookie)).includes("session"),
		"document.cookie does not show it");

	await page.reload();
	await expect(page, "status", new RegExp(`Signed in as ${address}`),
		"still signed in after a reload");
	await picture(page, "5-reloaded");
	await at(page, "log-out").click();
	await expect(page, "status", /signed out/, "logging out");
	await picture(page, "6-logged-out");
	await page.reload();
	await expect(page, "status", /not signed in/, "still signed out after a reload");

	await signIn(page, address);
	await expect(page, "login-result", /Welcome back/, "the same address is welcome back");
});

await test("by keyboard alone", async (page) => {
	await says(page, "status", /not signed in/);
	ok(await tabTo(page, "email"), "Tab reaches the address");
	await page.keyboard.type(newAddress());
	await page.keyboard.press("Enter");
	await says(page, "shown-code", /^\d{6}$/);
	const code = await at(page, "shown-code").textContent();
	await page.waitForFunction(() => document.activeElement.id === "code").catch(() => {});
	ok(await focused(page) === "code", "the focus goes on to the code", await focused(page));
	await page.keyboard.type(code);
	await page.keyboard.press("Enter");
	await expect(page, "login-result", /created/, "Enter signs in");
	ok(await tabTo(page, "log-out"), "Tab reaches the way out");
	await page.keyboard.press("Enter");
	await expect(page, "status", /signed out/, "Enter logs out");
	await page.waitForFunction(() => document.activeElement.id === "email").catch(() => {});
	ok(await focused(page) === "email", "the focus is back at the address", await focused(page));
});

await test("mistakes", async (page) => {
	await at(page, "email").fill("alice");
	await at(page, "send-code").click();
	await expect(page, "email-error", /email address/, "half an address is refused");
	ok(await at(page, "email").getAttribute("aria-invalid") === "true", "and marked");
	const code = await getCode(page, newAddress());
	ok(await at(page, "email-error").isHidden(), "a whole one is not");
	await at(page, "code").fill(code === "000000" ? "000001" : "000000");
	await at(page, "sign-in").click();
	await expect(page, "code-error", /not the code/, "a wrong code is refused");
	await picture(page, "7-wrong-code");
	await at(page, "code").fill(`${code.slice(0, 3)} ${code.slice(3)}`);
	await at(page, "sign-in").click();
	await expect(page, "login-result", /created/, "the right one, with a blank, is taken");
});

/* Answers that the server gives seldom, put in its place once. */
const problem = (status, error, reason) => ({
	status,
	contentType: "application/json",
	body: JSON.stringify({ error, reason, message: "-", request_id: "r-1" }),
});

await test("the site is busy", async (page) => {
	await page.route("**/auth/login", (route) =>
		route.fulfill(problem(503, "unavailable", "database")), { times: 1 });
	await signIn(page, newAddress());
	await expect(page, "login-error", /try again in a moment.*r-1/, "a 503 is told kindly");
	await picture(page, "8-busy");
	ok(await at(page, "retry").isVisible(), "and can be tried again");
	await at(page, "retry").click();
	await expect(page, "login-result", /created/, "with the same token");
	await page.route("**/auth/session", (route) =>
		route.fulfill(problem(503, "unavailable", "database")), { times: 1 });
	await page.reload();
	await expect(page, "status", /not known/, "a 503 later does not say signed out");
	await at(page, "ask-again").click();
	await expect(page, "status", /Signed in as/, "and asking again helps");
});

await test("the token is refused", async (page) => {
	await page.route("**/auth/login", (route) =>
		route.fulfill(problem(403, "invalid_token", "expired")), { times: 1 });
	await signIn(page, newAddress());
	await expect(page, "login-error", /expired.*new code/, "an expired token is explained");
	ok(await at(page, "retry").isHidden(), "and not tried again");
	await at(page, "restart").click();
	await page.route("**/auth/login", (route) => {
		const payload = route.request().postDataJSON();
		payload.oauth_token.access_token = payload.oauth_token.id_token;
		return route.continue({ postData: JSON.stringify(payload) });
	});
	await signIn(page, newAddress());
	await expect(page, "login-error", /not accepted/, "an ID token is no access token");
	await picture(page, "9-refused");
});

await test("on a small dark screen", async (page) => {
	await signIn(page, newAddress());
	await expect(page, "login-result", /created/, "it works there");
	for (const details of await page.locator("details:visible").all())
		await details.locator("summary").click();
	const width = await page.evaluate(() => document.documentElement.scrollWidth);
	ok(width <= 320, "nothing sticks out at the side", width);
	await picture(page, "10-small-dark");
}, { viewport: { width: 320, height: 640 }, colorScheme: "dark" });

await test("in the dark", async (page) => {
	await getCode(page, newAddress());
	await at(page, "code").fill("000000");
	await picture(page, "11-dark-code");
}, { colorScheme: "dark" });

ok(complaints.length === 0, "no script and no policy complained", complaints);
await browser.close();
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
