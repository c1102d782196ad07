/* The doors by which requests come in. */
#ifndef PINTLE_SERVE_H
#define PINTLE_SERVE_H

#include "app.h"
#include "sandbox.h"

/* One request from ENVIRON and stdin; the answer on stdout (RFC 3875). The exit status. */
int serve_cgi(struct app *app, char *const *environ_);

/*
 * Serves FastCGI requests from the listening socket with config->threads threads until
 * SIGTERM, SIGINT or SIGUSR1; then finishes those in hand. On SIGHUP reads CONFIG_FILE again,
 * and keeps the old one if the new one needs more than SANDBOX, the one entered at the start
 * (NULL: none), allows. Takes APP over. The exit status. The caller has blocked these signals
 * before any thread was started.
 */
int serve_fcgi(struct app *app, int listener, const char *config_file,
	       const struct sandbox *sandbox);

#endif
