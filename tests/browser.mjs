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

/* A page in a browser of its own, as after a fresh installation. */
async function newPage(options = {}) {
	const context = await browser.newContext({ ignoreHTTPSErrors: https, ...options });
	const page = await context.newPage();
	page.setDefaultTimeout(120000); // the end of hope: nothing waits for this where all is well
	page.on("pageerror", (error) => complaints.push(error.message));
	page.on("console", (message) => {
		if (message.type() === "error" && !message.text().startsWith("Failed to load resource"))
			complaints.push(message.text());
	});
	return page;
}

async function test(name, run, options) {
	const page = await newPage(options);
	try {
		await page.goto(`${base}/`);
		await run(page, page.context());
	} catch (error) {
		ok(false, `${name}: ${error.message.split("\n")[0]}`);
	}
	await page.context().close();
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

const membersPage = `${base}/members/`;
const toSignIn = `${base}/?return_to=/members/`;

/* Where a browser ends up that asks for the members' page. */
async function askForMembers(page) {
	await page.goto(membersPage);
	await says(page, "status", /Welcome|signed/i);
	return page.url();
}

await test("a guarded page", async (page) => {
	ok(await at(page, "members").isHidden(), "who is not signed in is offered no members' page");
	ok(await askForMembers(page) === toSignIn, "and asking for it leads to the sign-in",
		page.url());
	await expect(page, "status", /not signed in\. Sign in to see the page you asked for/,
		"which says what it is for");
	ok(await at(page, "continue").isHidden(), "there is no way on yet");
	await picture(page, "12-asked-for-members");
	const address = newAddress();
	await signIn(page, address);
	await expect(page, "status", /Signed in as/, "having signed in,");
	await page.waitForFunction(() => document.activeElement.id === "continue").catch(() => {});
	ok(await focused(page) === "continue", "the way on has the focus", await focused(page));
	await picture(page, "13-continue");
	await page.keyboard.press("Enter");
	await expect(page, "status", new RegExp(`^Welcome, ${address}`), "Enter leads back there");
	ok(page.url() === membersPage, "which is the members' page", page.url());
	await picture(page, "14-members");
	await at(page, "back").click();
	await expect(page, "status", /Signed in as/, "from there it goes back to the demo");
	ok(await at(page, "continue").isHidden(), "where nothing was asked for any more");
	await at(page, "members").click();
	await expect(page, "status", /^Welcome/, "which has a link to it, too");
	await at(page, "back").click();
	await at(page, "log-out").click();
	await expect(page, "status", /signed out/, "after logging out");
	await page.goBack();
	await expect(page, "status", /not signed in/, "going back shows no members' page");
	ok(await askForMembers(page) === toSignIn, "nor does asking for it", page.url());
	for (const file of ["members/members.js", "members/no-such-file"]) {
		const answer = await page.request.get(`${base}/${file}`);
		ok(answer.status() === 401, `/${file} is not told either`, answer.status());
	}
});

await test("a forged return_to", async (page) => {
	await signIn(page, newAddress());
	await says(page, "status", /Signed in as/);
	for (const forged of ["//evil.example/", "/\\evil.example/", "\\\\evil.example/",
		"https://evil.example/", "evil.example", "javascript:alert(1)", " //evil.example/",
		""]) {
		await page.goto(`${base}/?return_to=${encodeURIComponent(forged)}`);
		await says(page, "status", /Signed in as/);
		ok(await at(page, "continue").isHidden() &&
			await at(page, "continue").getAttribute("href") === null,
		`${JSON.stringify(forged)} is not followed`);
	}
	for (const path of ["/\t/evil.example/", "/\n/evil.example/", "/members/"]) {
		const taken = await page.evaluate((to) => { // lighttpd lets no such address in
			history.replaceState(null, "", `/?return_to=${encodeURIComponent(to)}`);
			return returnTo();
		}, path);
		ok(taken === (path === "/members/" ? path : ""),
			`${JSON.stringify(path)} is ${path === "/members/" ? "" : "not "}taken`, taken);
	}
	for (const good of ["/members/", "/members/?a=%2F%2Fb&c=d", "/.//evil.example/"]) {
		await page.goto(`${base}/?return_to=${encodeURIComponent(good)}`);
		await says(page, "status", /Signed in as/);
		const link = await at(page, "continue").evaluate((a) => a.href);
		ok(await at(page, "continue").isVisible() && link === new URL(good, base).href &&
			link.startsWith(`${base}/`), `${good}, of this site, is`, link);
	}
});

/* Somebody's next browser, which says that it is AGENT. */
async function alsoSignedIn(address, agent) {
	const page = await newPage({ userAgent: agent });
	await page.goto(`${base}/`);
	await signIn(page, address);
	await says(page, "status", /Signed in as/);
	return page;
}

const devices = (page, name) => at(page, "device").filter({ hasText: name });
const firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
const iphone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 " +
	"(KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1";

await test("one's devices", async (page) => {
	const address = newAddress();
	await signIn(page, address);
	await at(page, "device").first().waitFor();
	ok(await at(page, "device").count() === 1, "one sign-in, one device",
		await at(page, "device").count());
	ok(await at(page, "end-others").isHidden(), "there is no elsewhere");

	const other = await alsoSignedIn(address, firefox);
	await devices(other, "this one").waitFor();
	ok(await at(other, "device").count() === 2, "another browser makes it two");
	ok(/Firefox 140 on Linux.*this one/s.test(await at(other, "device").first().textContent()),
		"its own comes first and is marked", await at(other, "device").first().textContent());
	ok(await devices(other, "this one").count() === 1, "and no other is");
	await page.reload();
	await devices(page, "Firefox").waitFor();
	ok(await at(page, "device").count() === 2, "the first one sees both");
	const text = await devices(page, "Firefox").textContent();
	ok(/Signed in.*\d.*Last seen.*\d.*Address(127\.0\.0\.1|::1)/s.test(text),
		"with times and an address", text);
	ok(await askForMembers(other) === membersPage, "both open the members' page");
	await picture(page, "15-devices");

	const end = devices(page, "Firefox").getByTestId("end");
	const label = await end.getAttribute("aria-label");
	ok(/^End Firefox 140 on Linux, signed in .*\d/.test(label), "its button says whose end it is",
		label);
	await page.route("**/auth/sessions/*", (route) =>
		route.fulfill(problem(503, "unavailable", "database")), { times: 1 });
	await end.click();
	await expect(page, "devices-error", /try again/, "a 503 is told");
	ok(await at(page, "device").count() === 2, "and ends nothing");
	await end.focus();
	await page.keyboard.press("Enter");
	await expect(page, "devices-done", /^Firefox 140 on Linux is signed out/, "Enter ends it");
	ok(await at(page, "devices-error").isHidden(), "the complaint is gone");
	ok(await at(page, "device").count() === 1, "one is left");
	ok(await page.evaluate(() => document.activeElement.id) === "devices-title",
		"the focus stays there");
	await other.goto(`${base}/`);
	await expect(other, "status", /not signed in/, "the other is signed out at its next request");
	ok(await askForMembers(other) === toSignIn, "and may not see the members' page", other.url());
	await other.context().close();
	await page.reload();
	await expect(page, "status", /Signed in as/, "the one that ended it is still signed in");
});

await test("everywhere else", async (page) => {
	const address = newAddress();
	const others = [await alsoSignedIn(address, firefox), await alsoSignedIn(address, iphone)];
	const stranger = await alsoSignedIn(newAddress(), firefox);
	await signIn(page, address);
	await devices(page, "Safari 18 on iOS").waitFor();
	ok(await at(page, "device").count() === 3, "three devices");
	ok(await tabTo(page, "end-others"), "Tab reaches the end of the others");
	await page.keyboard.press("Enter");
	await expect(page, "devices-done", /2 sessions were ended/, "Enter signs out everywhere else");
	ok(await at(page, "device").count() === 1, "one is left");
	ok(await at(page, "end-others").isHidden(), "there is no elsewhere any more");
	ok(await askForMembers(others[0]) === toSignIn, "the first of them is out", others[0].url());
	ok(await askForMembers(others[1]) === toSignIn, "and the second", others[1].url());
	ok(await askForMembers(stranger) === membersPage, "somebody else's is not", stranger.url());
	ok(await askForMembers(page) === membersPage, "nor is this one", page.url());

	await page.goto(`${base}/`);
	await devices(page, "this one").getByTestId("end").click();
	await expect(page, "status", /signed out/, "ending this one signs out");
	ok(await at(page, "devices").isHidden(), "the list is gone");
	ok(await focused(page) === "email", "the focus is at the address", await focused(page));
	ok(await askForMembers(page) === toSignIn, "and the members' page closed", page.url());
	for (const other of [...others, stranger])
		await other.context().close();
});

await test("signed out from elsewhere", async (page) => {
	const address = newAddress();
	await signIn(page, address);
	await at(page, "device").first().waitFor();
	const other = await alsoSignedIn(address, firefox);
	await page.reload();
	await devices(page, "Firefox").waitFor();
	await at(other, "end-others").click();
	await expect(other, "devices-done", /1 session was ended/, "the other ends this one");
	await devices(page, "Firefox").getByTestId("end").click();
	await expect(page, "status", /signed out/, "which is told so when it wants to end the other");
	await other.reload();
	await expect(other, "status", /Signed in as/, "the other is unharmed");
	await at(other, "device").first().waitFor();
	await alsoSignedIn(address, iphone).then((third) => third.context().close());
	await other.reload();
	await devices(other, "Safari").waitFor();
	await other.context().request.post(`${base}/auth/logout`, { data: { scope: "others" } });
	await devices(other, "Safari").getByTestId("end").click();
	await devices(other, "Safari").waitFor({ state: "detached" });
	ok(await at(other, "devices-error").isHidden(), "ending one that is gone only updates the list");
	await other.context().close();
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

await test("devices and members on a small dark screen", async (page) => {
	const address = newAddress();
	const other = await alsoSignedIn(address, iphone);
	await askForMembers(page);
	await signIn(page, address);
	await devices(page, "Safari").waitFor();
	const width = () => page.evaluate(() => document.documentElement.scrollWidth);
	ok(await width() <= 320, "the list of devices fits", await width());
	await picture(page, "16-small-dark-devices");
	await at(page, "continue").click();
	await says(page, "status", /Welcome/);
	ok(await width() <= 320, "the members' page fits", await width());
	await picture(page, "17-small-dark-members");
	await page.setViewportSize({ width: 1000, height: 800 });
	await picture(page, "18-dark-members");
	await page.goto(`${base}/`);
	await devices(page, "Safari").waitFor();
	await picture(page, "19-dark-devices");
	await other.context().close();
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
