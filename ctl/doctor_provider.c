/* Each provider as the network has it: reachable, who it says it is, its keys, its clock. */
#include <stdio.h>

#include "doctor.h"
#include "jwk.h"
#include "fetch_probe.h"

#define CLOCK_SLACK_S                                                                    \
	2 /* a Date header has whole seconds, and the answer took its time */

static const struct {
	const char *fault, *code, *cure;
	enum doctor_grade grade;
} faults[] = {
	{ "dns", "provider_dns",
	  "correct the host's name in the configuration, or the name servers in "
	  "/etc/resolv.conf",
	  DOCTOR_AWAY },
	{ "connect", "provider_connect",
	  "let this machine out to that port (firewall), or correct the URL; behind a "
	  "proxy keys "
	  "have to be pinned with jwks_file",
	  DOCTOR_AWAY },
	{ "timeout", "provider_timeout",
	  "let this machine out to that port (firewall), or raise fetch_timeout",
	  DOCTOR_AWAY },
	{ "tls_untrusted", "provider_untrusted",
	  "apt-get install ca-certificates; with an issuer of your own, set ca_file to "
	  "its CA",
	  DOCTOR_WRONG },
	{ "tls_name", "provider_certificate_name",
	  "use the name that is in the certificate, or get one for this name",
	  DOCTOR_WRONG },
	{ "tls_date", "provider_certificate_date",
	  "set this machine's clock (timedatectl); if it is right, the provider has to "
	  "renew its "
	  "certificate",
	  DOCTOR_WRONG },
	{ "tls", "provider_tls", "the server must speak TLS 1.2 or newer on that port",
	  DOCTOR_WRONG },
	{ "ca_file", "provider_ca_file", "set ca_file to a readable file of certificates",
	  DOCTOR_WRONG },
	{ "too_large", "provider_too_large",
	  "correct the URL: a key set is hardly ever larger than a few KiB",
	  DOCTOR_WRONG },
};

static void note_fault(struct doctor *d, const struct config_provider *p, const char *url,
		       const struct probed *answer)
{
	for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++)
		if (strcmp(faults[i].fault, answer->fault) == 0) {
			doctor_note(d, faults[i].grade, faults[i].code, faults[i].cure,
				    "provider %s: %s: %s", p->name, url, answer->detail);
			return;
		}
	doctor_note(d, DOCTOR_AWAY, "provider_fault", "try again; the message is curl's",
		    "provider %s: %s: %s", p->name, url, answer->detail);
}

/* False when there is nothing to go on with. */
static bool ask(struct doctor *d, const char *url, struct probed *answer)
{
	const struct probe probe = { .url = url,
				     .ca_file = d->config->ca_file,
				     .timeout_s = d->config->fetch_timeout_s };
	struct problem problem_ = { 0 };

	if (!probe_ask(d->arena, &probe, answer, &problem_)) {
		doctor_note(d, DOCTOR_WRONG, "fetch_broken", "install pintle-fetch again",
			    "%s", problem_.detail);
		return false;
	}
	return true;
}

static bool is_answer(struct doctor *d, const struct config_provider *p, const char *url,
		      const struct probed *answer)
{
	if (*answer->fault) {
		note_fault(d, p, url, answer);
		return false;
	}
	if (answer->status >= 300 && answer->status < 400)
		doctor_note(d, DOCTOR_WRONG, "provider_redirect",
			    DOCTOR_TEXT(d,
					"set the URL to where it leads, if that is the "
					"provider's: %.200s",
					answer->location),
			    "provider %s: %s leads elsewhere (status %d), and is not "
			    "followed",
			    p->name, url, answer->status);
	else if (answer->status >= 500 || answer->status == 429)
		doctor_note(d, DOCTOR_AWAY, "provider_error",
			    "try again; the provider's status page may know more",
			    "provider %s: %s answers with status %d", p->name, url,
			    answer->status);
	else if (answer->status != 200)
		doctor_note(d, DOCTOR_WRONG, "provider_status",
			    "correct the URL: the provider's documentation names it",
			    "provider %s: %s answers with status %d", p->name, url,
			    answer->status);
	else if (!answer->body)
		doctor_note(d, DOCTOR_WRONG, "provider_not_json",
			    "correct the URL: what is there is no key set, perhaps a "
			    "page for "
			    "people",
			    "provider %s: %s is no JSON but %s", p->name, url,
			    *answer->type ? answer->type : "nothing");
	else
		return true;
	return false;
}

/* Between asking and answering the issuer's clock showed DATE: how far is ours off? */
static void check_clock(struct doctor *d, const struct config_provider *p,
			const struct probed *answer)
{
	const int64_t early = answer->asked_at - CLOCK_SLACK_S - answer->date;
	const int64_t late = answer->date - answer->answered_at - CLOCK_SLACK_S;
	const int64_t off = early > 0 ? early : late;

	if (!answer->date || off <= 0)
		return;
	if (off * 2 > p->leeway_s)
		doctor_note(d, off > p->leeway_s ? DOCTOR_WRONG : DOCTOR_RISK,
			    off > p->leeway_s ? "clock_wrong" : "clock_off",
			    "set this machine's clock: apt-get install chrony, or "
			    "timedatectl "
			    "set-ntp true",
			    "this clock is %lld s %s that of provider %s, whose leeway "
			    "is %d s: its "
			    "tokens are taken for %s",
			    (long long)off, early > 0 ? "ahead of" : "behind", p->name,
			    p->leeway_s, early > 0 ? "expired" : "issued in the future");
}

/* ---- the key set */

static void check_set(struct doctor *d, const struct config_provider *p, const char *url,
		      const struct probed *answer)
{
	struct problem problem_ = { 0 };
	jws_algorithm_set fits = 0;
	struct jwk_set set;

	if (!jwk_set_parse(d->arena, json_print(d->arena, answer->body), &set,
			   &problem_)) {
		doctor_note(
			d, DOCTOR_WRONG, "provider_no_key_set",
			"correct the URL: the provider's documentation names it; or use "
			"discovery = yes",
			"provider %s: what is at %s is no key set: %s", p->name, url,
			problem_.detail);
		return;
	}
	for (size_t i = 0; i < set.count; i++)
		fits |= set.keys[i].fits;
	if (!set.count)
		doctor_note(d, DOCTOR_WRONG, "provider_no_key",
			    "ask the provider, or correct the URL: it has no public key "
			    "to check "
			    "signatures with",
			    "provider %s: none of the %zu keys at %s can be used%s%s",
			    p->name, set.skipped, url, *set.skipped_why ? ": " : "",
			    set.skipped_why);
	else if (!(fits & p->algorithms))
		doctor_note(
			d, DOCTOR_WRONG, "provider_algorithms",
			"set algorithms to what the provider signs with: RSA keys are "
			"for "
			"RS256, EC keys with P-256 for ES256, OKP keys for EdDSA",
			"provider %s: none of its %zu keys fits any of the configured "
			"algorithms",
			p->name, set.count);
	jwk_set_close(&set);
}

/* Can a login have them, too? By the way that logins use. */
static void check_refresh(struct doctor *d, const struct provider *provider)
{
	struct problem p = { 0 };

	if (!jwks_refresh(provider->jwks, d->context->now, &p))
		doctor_note(
			d, DOCTOR_WRONG, "keys_not_kept",
			"see the findings about state_dir; pintlectl provider refresh "
			"says "
			"more",
			"provider %s: the keys can be fetched, but not kept in state_dir",
			provider->config->name);
}

/* ---- discovery */

static const char *member(struct doctor *d, const struct json *document, const char *name)
{
	const struct json *value;
	struct text text;

	return json_member(document, name, &value) && json_string(value, &text)
		       ? arena_copy(d->arena, text).data
		       : "";
}

static void check_signing(struct doctor *d, const struct config_provider *p,
			  const struct json *document)
{
	const struct json *list;
	struct text name;
	enum jws_algorithm algorithm;

	if (!json_member(document, "id_token_signing_alg_values_supported", &list) ||
	    !json_array_length(list))
		return;
	for (size_t i = 0; i < json_array_length(list); i++)
		if (json_string(json_array_at(list, i), &name) &&
		    jws_algorithm_find(name, &algorithm) &&
		    (p->algorithms & 1u << algorithm))
			return;
	doctor_note(
		d, DOCTOR_WRONG, "discovery_algorithms",
		DOCTOR_TEXT(d, "set algorithms = %.*s",
			    TEXT_ARG(json_print(d->arena, list))),
		"provider %s says that it signs with none of the configured algorithms",
		p->name);
}

static const char *well_known(struct doctor *d, const char *issuer)
{
	const size_t len = strlen(issuer);

	return DOCTOR_TEXT(d, "%s%s.well-known/openid-configuration", issuer,
			   len && issuer[len - 1] == '/' ? "" : "/");
}

/* The URL of the keys; NULL when a finding says why there is none. */
static const char *check_discovery(struct doctor *d, const struct config_provider *p)
{
	const char *issuer = p->issuers.items[0], *url = well_known(d, issuer), *named,
		   *keys;
	struct probed answer;

	if (!ask(d, url, &answer) || !is_answer(d, p, url, &answer))
		return NULL;
	named = member(d, answer.body, "issuer");
	keys = member(d, answer.body, "jwks_uri");
	if (strcmp(named, issuer) != 0) {
		doctor_note(
			d, DOCTOR_WRONG, "discovery_issuer",
			DOCTOR_TEXT(d,
				    "set issuer = \"%.200s\", if that is your provider: "
				    "every letter and the slash at the end count",
				    named),
			"provider %s: the issuer is configured as %s, and calls itself "
			"%.200s",
			p->name, issuer, *named ? named : "nothing");
		return NULL;
	}
	check_signing(d, p, answer.body);
	if (*keys)
		return keys;
	doctor_note(d, DOCTOR_WRONG, "discovery_no_keys",
		    "set jwks_url instead of discovery: the provider's documentation "
		    "names it",
		    "provider %s: its discovery document has no jwks_uri", p->name);
	return NULL;
}

/* Not asked for by the configuration: it may be absent, but must not say otherwise. */
static void compare_discovery(struct doctor *d, const struct config_provider *p)
{
	const char *issuer = p->issuers.items[0], *named, *keys;
	const size_t len = strlen(issuer);
	struct probed answer;

	/* Only where the keys are at the issuer's own place: of others nobody need know. */
	if (p->issuers.count != 1 || strncmp(p->jwks_url, issuer, len) != 0 ||
	    !ask(d, well_known(d, issuer), &answer) || *answer.fault ||
	    answer.status != 200 || !answer.body)
		return;
	named = member(d, answer.body, "issuer");
	keys = member(d, answer.body, "jwks_uri");
	if (*named && strcmp(named, issuer) != 0)
		doctor_note(
			d, DOCTOR_WRONG, "discovery_issuer",
			DOCTOR_TEXT(d,
				    "set issuer = \"%.200s\", if that is your provider: "
				    "every letter and the slash at the end count",
				    named),
			"provider %s: the issuer is configured as %s, and calls itself "
			"%.200s",
			p->name, issuer, named);
	else if (*keys && strcmp(keys, p->jwks_url) != 0)
		doctor_note(d, DOCTOR_RISK, "discovery_other_keys",
			    DOCTOR_TEXT(d,
					"set jwks_url = \"%.200s\", or discovery = yes",
					keys),
			    "provider %s: jwks_url is %s, but the issuer's discovery "
			    "document "
			    "names another",
			    p->name, p->jwks_url);
	if (*named)
		check_signing(d, p, answer.body);
}

static void check_provider(struct doctor *d, const struct provider *provider)
{
	const struct config_provider *p = provider->config;
	const char *url = p->discovery ? check_discovery(d, p) : p->jwks_url;
	const size_t before = d->count;
	struct probed answer;

	if (!url || !ask(d, url, &answer))
		return;
	if (!*answer.fault)
		check_clock(d, p, &answer);
	if (!is_answer(d, p, url, &answer))
		return;
	check_set(d, p, url, &answer);
	if (!p->discovery)
		compare_discovery(d, p);
	if (d->count == before)
		check_refresh(d, provider);
}

void doctor_provider(struct doctor *d)
{
	const struct providers *providers = d->context->app->rules.providers;

	for (size_t i = 0; i < providers->count; i++)
		if (!providers->all[i].config->jwks_file)
			check_provider(d, &providers->all[i]);
}
