#include "sandbox_worker.h"

#include <arpa/inet.h>
#include <limits.h>

#include "fetcher.h"

static bool is_address(const char *host)
{
	unsigned char bytes[16];

	return inet_pton(AF_INET, host, bytes) == 1 ||
	       inet_pton(AF_INET6, host, bytes) == 1;
}

static void add_database(struct sandbox *s, const struct config *config)
{
	const struct config_database *db = &config->database;

	for (size_t i = 0; i < db->hosts.count; i++) {
		const char *host = db->hosts.items[i];

		/* That is the Unix socket; "": whatever the defaults_file says. */
		if (strcmp(host, "localhost") == 0)
			continue;
		sandbox_may_connect(s, (unsigned)db->port);
		if (!is_address(host))
			sandbox_may_resolve(s);
	}
	/* Read at each connection, and so are the certificates. */
	if (db->defaults_file)
		sandbox_may_reread(s, db->defaults_file);
	if (db->tls != CONFIG_TLS_OFF || db->defaults_file)
		sandbox_may_verify(s, config->ca_file);
}

/*
 * pintle-fetch is in the sandbox of whoever starts it, so what it needs is allowed here as
 * well; it then gives up the database's port and all but its own.
 */
static void add_provider(struct sandbox *s, const struct config *config,
			 const struct config_provider *provider)
{
	char program[PATH_MAX];

	if (provider->jwks_file) {
		sandbox_may_reread(s, provider->jwks_file);
		return;
	}
	sandbox_may_execute(s, fetcher_program(program));
	sandbox_may_resolve(s);
	sandbox_may_verify(s, config->ca_file);
	if (provider->discovery)
		sandbox_may_connect(s, 443);
	sandbox_may_connect_url(s, provider->discovery ? provider->issuers.items[0]
						       : provider->jwks_url);
}

struct sandbox *sandbox_worker_new(const struct config *config, const char *config_file)
{
	struct sandbox *s = sandbox_new();

	sandbox_may_write(s, config->state_dir);
	if (config->session.keys_dir)
		sandbox_may_read(s, config->session.keys_dir);
	add_database(s, config);
	for (size_t i = 0; i < config->provider_count; i++)
		add_provider(s, config, &config->providers[i]);
	if (config_file) {
		sandbox_may_reread(s, config_file);
		if (config->database.password_file)
			sandbox_may_reread(s, config->database.password_file);
	}
	return s;
}
