/*
 * What the web server passes on: a running Pintle is asked through it, and says what arrived.
 * It answers only who shows the secret that stands, hashed, in its own state_dir.
 */
#include <stdio.h>

#include "doctor.h"
#include "pass.h"
#include "fetch_probe.h"

#define SPOOFED "203.0.113.77" /* RFC 5737: nobody's */
#define MARK "pintle-doctor"

struct echo {
	struct doctor *d;
	const char *url; /* with the path that is asked for */
	char secret[SECRET_TEXT_LEN + 1];
	struct probed answer;
	const struct json *variables;
	bool https;
};

static bool ask(struct echo *e, const char *method, const char *where, const char *body,
		size_t length)
{
	struct doctor *d = e->d;
	struct probe probe = {
		.url = DOCTOR_TEXT(d, "%s%s", d->url, where),
		.method = method,
		.plain = true,
		.headers = { "Content-Type: application/json",
			     "Authorization: Bearer " MARK,
			     "Cookie: " MARK "=1; " MARK "-2=2",
			     "X-Forwarded-For: " SPOOFED, "X-Real-IP: " SPOOFED,
			     "Forwarded: for=" SPOOFED,
			     DOCTOR_TEXT(d, "Origin: %s", d->config->public_origin) },
		.body = body,
		.length = length,
		.ca_file = d->config->ca_file,
		.timeout_s = 15,
	};
	struct problem p = { 0 };

	e->url = probe.url;
	if (probe_ask(d->arena, &probe, &e->answer, &p))
		return true;
	doctor_note(d, DOCTOR_WRONG, "fetch_broken", "install pintle-fetch again", "%s",
		    p.detail);
	return false;
}

static const char *member(const struct echo *e, const struct json *object,
			  const char *name)
{
	const struct json *value;
	struct text text;

	return json_member(object, name, &value) && json_string(value, &text)
		       ? arena_copy(e->d->arena, text).data
		       : "";
}

/* The first of the variables of that name as Pintle saw them; "" if there was none. */
static const char *seen(const struct echo *e, const char *name, size_t *times)
{
	const struct json *list;
	struct text text;

	*times = json_member(e->variables, name, &list) ? json_array_length(list) : 0;
	return *times && json_string(json_array_at(list, 0), &text)
		       ? arena_copy(e->d->arena, text).data
		       : "";
}

/* ---- did anything come back? */

static void note_fault(struct echo *e)
{
	const char *fault = e->answer.fault;
	const bool tls = strncmp(fault, "tls", 3) == 0 || strcmp(fault, "ca_file") == 0;

	if (tls)
		doctor_note(e->d, DOCTOR_WRONG, "url_tls",
			    "give the web server a certificate for this name that "
			    "browsers trust "
			    "(certbot); for one of your own, set ca_file",
			    "%s: %s", e->url, e->answer.detail);
	else
		doctor_note(e->d, DOCTOR_AWAY, "url_away",
			    "start the web server; correct the URL, or this machine's "
			    "view of that "
			    "name (/etc/hosts)",
			    "%s: %s", e->url, e->answer.detail);
}

static bool is_ours(const struct echo *e)
{
	const struct json *ignored;

	return e->answer.body && json_member(e->answer.body, "request_id", &ignored);
}

static void note_status(struct echo *e)
{
	struct doctor *d = e->d;
	const int status = e->answer.status;

	if (status >= 300 && status < 400)
		doctor_note(
			d, DOCTOR_WRONG, "url_redirect",
			"ask with the URL that it leads to, and set public_url to that",
			"%s leads to %.200s", e->url, e->answer.location);
	else if (is_ours(e) && status == 404)
		doctor_note(
			d, DOCTOR_WRONG, "url_other_state",
			"run this on the same machine, as root or Pintle's account, with "
			"the "
			"configuration that it has been started with (-c); restart "
			"Pintle after "
			"a change of state_dir",
			"%s: a Pintle answers there, but with another state_dir than %s",
			e->url, d->config->state_dir);
	else if (status == 502 || status == 503 || status == 504)
		doctor_note(
			d, DOCTOR_WRONG, "url_no_backend",
			"start Pintle (systemctl status pintle.socket), and let the web "
			"server's account connect to its socket; its error log says more",
			"%s: the web server answers %d: it does not reach Pintle", e->url,
			status);
	else if (status == 500)
		doctor_note(d, DOCTOR_WRONG, "url_broken",
			    "look into the web server's error log: Pintle does not "
			    "start, or cannot "
			    "read its configuration",
			    "%s: the web server answers 500", e->url);
	else
		doctor_note(d, DOCTOR_WRONG, "url_not_pintle",
			    "mount Pintle at the path of public_url (the *-example.conf "
			    "files), or "
			    "correct --url",
			    "%s: what answers there (status %d%s%s) is not Pintle",
			    e->url, status, *e->answer.server ? ", " : "",
			    e->answer.server);
}

/* ---- what arrived */

static void check_credentials(struct echo *e)
{
	size_t times;
	const char *value = seen(e, "HTTP_AUTHORIZATION", &times);

	if (strcmp(value, "Bearer " MARK) != 0)
		doctor_note(e->d, DOCTOR_WRONG, "authorization_dropped",
			    "Apache: CGIPassAuth On in the <Location> of Pintle; nginx: "
			    "fastcgi_param HTTP_AUTHORIZATION $http_authorization",
			    "the web server does not pass Authorization on: bearer "
			    "tokens do not "
			    "arrive");
	value = seen(e, "HTTP_COOKIE", &times);
	if (!strstr(value, MARK "=1") || !strstr(value, MARK "-2=2"))
		doctor_note(
			e->d, DOCTOR_WRONG, "cookie_dropped",
			"let Cookie through: no RequestHeader unset Cookie, no cache or "
			"CDN "
			"rule that strips it from this path",
			"the web server does not pass Cookie on: nobody stays signed in");
	value = seen(e, "HTTP_ORIGIN", &times);
	if (strcmp(value, e->d->config->public_origin) != 0)
		doctor_note(e->d, DOCTOR_WRONG, "origin_dropped",
			    "let Origin through as it is",
			    "the web server drops or changes Origin, by which foreign "
			    "pages are "
			    "told apart");
}

static void check_address(struct echo *e)
{
	const char *address = member(e, e->answer.body, "address");
	size_t times;
	const char *forwarded = seen(e, "HTTP_X_FORWARDED_FOR", &times);

	if (!*address)
		doctor_note(e->d, DOCTOR_WRONG, "address_missing",
			    "nginx: include fastcgi_params, or fastcgi_param REMOTE_ADDR "
			    "$remote_addr",
			    "the web server does not say who asks (REMOTE_ADDR): "
			    "rate_login and "
			    "the sessions' addresses are void");
	else if (strcmp(address, SPOOFED) == 0)
		doctor_note(e->d, DOCTOR_WRONG, "address_spoofed",
			    "trust X-Forwarded-For from your own proxy alone: Apache "
			    "RemoteIPInternalProxy, nginx set_real_ip_from, lighttpd "
			    "extforward.forwarder",
			    "the web server believes X-Forwarded-For of anybody: "
			    "rate_login and "
			    "metrics_allow can be passed by");
	else if (strstr(forwarded, ",") || seen(e, "HTTP_VIA", &times)[0])
		doctor_note(
			e->d, DOCTOR_RISK, "address_of_proxy",
			"Apache: mod_remoteip; nginx: set_real_ip_from and "
			"real_ip_header; "
			"lighttpd: mod_extforward; each for that proxy's address alone",
			"another proxy stands before the web server: all clients count "
			"as %s",
			address);
}

static void check_place(struct echo *e)
{
	const char *public_url = e->d->config->public_url;
	size_t https, scheme, infos, port;
	const char *on = seen(e, "HTTPS", &https),
		   *named = seen(e, "REQUEST_SCHEME", &scheme);

	seen(e, "PATH_INFO", &infos);
	if (!infos || !seen(e, "PATH_INFO", &infos)[0])
		doctor_note(e->d, DOCTOR_RISK, "path_info_missing",
			    "nginx: fastcgi_split_path_info and fastcgi_param PATH_INFO; "
			    "Apache: "
			    "ScriptAlias or SetHandler as in apache-example.conf",
			    "there is no PATH_INFO: paths of two segments, such as "
			    "/sessions/ID, do "
			    "not work");
	if (strcmp(e->d->url, public_url) != 0)
		doctor_note(e->d, DOCTOR_RISK, "url_other_name",
			    DOCTOR_TEXT(e->d, "ask with --url %s, or set public_url",
					public_url),
			    "public_url is %s, and this was asked at %s", public_url,
			    e->d->url);
	else if (e->d->config->https && strcmp(on, "on") != 0 && strcmp(on, "1") != 0 &&
		 strcmp(named, "https") != 0 &&
		 strcmp(seen(e, "SERVER_PORT", &port), "443") != 0)
		doctor_note(
			e->d, DOCTOR_RISK, "https_unknown",
			"if TLS ends at a proxy before this web server, see that the way "
			"between them cannot be listened to",
			"public_url is https, but the request reached the web server "
			"without "
			"TLS");
}

static bool read_echo(struct echo *e)
{
	if (*e->answer.fault) {
		note_fault(e);
		return false;
	}
	if (e->answer.status != 200 ||
	    !json_member(e->answer.body, "variables", &e->variables)) {
		note_status(e);
		return false;
	}
	return true;
}

/* A body as large as may be: the limits of the web server must not be smaller than ours. */
static void check_body(struct echo *e, const char *body)
{
	const size_t limit = e->d->config->body_limit;
	const struct json *value;
	double bytes = 0;

	if (!ask(e, "POST", "/doctor", body, limit))
		return;
	if (json_member(e->answer.body, "body_bytes", &value) &&
	    json_number(value, &bytes) && (size_t)bytes == limit)
		return;
	doctor_note(e->d, DOCTOR_WRONG, "body_limited",
		    "Apache: LimitRequestBody, FcgidMaxRequestLen; nginx: "
		    "client_max_body_size; "
		    "lighttpd: server.max-request-size; each at least body_limit",
		    "a body of %zu bytes, which body_limit allows, does not arrive "
		    "(status %d%s%s)",
		    limit, e->answer.status, *e->answer.fault ? ", " : "",
		    *e->answer.fault ? e->answer.detail : "");
}

/* Only who is not signed in: nothing is ended. */
static void check_methods(struct echo *e)
{
	if (ask(e, "DELETE", "/sessions/0", NULL, 0) &&
	    !(is_ours(e) && e->answer.status != 404 && e->answer.status != 405))
		doctor_note(e->d, DOCTOR_RISK, "method_dropped",
			    "let GET, HEAD, POST, DELETE and OPTIONS through: no "
			    "<Limit>, no rule "
			    "of a firewall",
			    "DELETE does not arrive (status %d): people cannot end their "
			    "other "
			    "sessions",
			    e->answer.status);
}

static void examine(struct echo *e)
{
	const char *body = DOCTOR_TEXT(e->d, "{\"secret\":\"%s\"}", e->secret);

	if (!ask(e, "POST", "/doctor", body, 0) || !read_echo(e))
		return;
	check_credentials(e);
	check_address(e);
	check_place(e);
	check_body(e, body);
	check_methods(e);
}

void doctor_url(struct doctor *d)
{
	struct echo e = { .d = d };
	struct problem p = { 0 };
	size_t len = strlen(d->url);

	while (len && d->url[len - 1] == '/')
		len--;
	d->url = DOCTOR_TEXT(d, "%.*s", (int)len, d->url);
	if (!pass_open(d->config->state_dir, e.secret, &p)) {
		doctor_note(d, DOCTOR_WRONG, "pass_not_written",
			    "see the findings about state_dir; run this as root or "
			    "Pintle's account",
			    "the web server cannot be asked: %s", p.detail);
		return;
	}
	examine(&e);
	pass_close(d->config->state_dir);
}
