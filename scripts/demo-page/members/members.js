"use strict";

/* The web server has let this page through already: it only says to whom. */
async function greet() {
	const answer = await whoAmI();
	const { user } = answer.body;
	const place = document.getElementById("status");
	if (answer.status === 401)
		location.replace(`/?return_to=${encodeURIComponent(location.pathname)}`);
	place.className = user ? "status in" : "status trouble";
	place.textContent = user ? `Welcome, ${user.email || user.phone}.` : explain(answer);
}

/* Also when a browser takes the page out of its memory, after somebody went back to it. */
addEventListener("pageshow", greet);
