/*
 * Starts pintle-fetch for one provider, and waits for it.
 *
 * In a directory shared by all workers: a lock is held while a fetch runs, and the time
 * when one was begun is kept, so that invented kids lead to one fetch per cool-down over
 * all processes. libcurl is in pintle-fetch only.
 */
#ifndef PINTLE_FETCHER_H
#define PINTLE_FETCHER_H

#include <limits.h>

#include "config.h"

struct fetcher;

struct fetcher *fetcher_new(const struct config *config,
			    const struct config_provider *provider);
void fetcher_free(struct fetcher *fetcher);

/* pintle-fetch: beside our own program, in the build tree, or where it is installed. */
const char *fetcher_program(char path[PATH_MAX]);

/* Is URL where this fetcher gets the set from (the discovery document's, for discovery)? */
bool fetcher_url_is(const struct fetcher *fetcher, struct text url);

/* Was a fetch begun at WHEN or later, by any process? */
bool fetcher_has_tried(const struct fetcher *fetcher, int64_t when);

/* Begins a fetch unless one runs or was begun within the cool-down. Does not wait. */
void fetcher_start(struct fetcher *fetcher);

/*
 * The same, and waits for its end, or for the end of the one that runs already, here or in
 * another process; a second at most where enough threads wait already, for whichever
 * provider. False when none was begun, within the cool-down.
 */
bool fetcher_wait(struct fetcher *fetcher);

/* Does a fetch run, here or in another process? */
bool fetcher_is_busy(struct fetcher *fetcher);

/* On SIGCHLD: lets go of fetches that have ended, whoever began them. */
void fetcher_reap(void);

/* Begins one whatever the cool-down says and waits: did it succeed? For pintlectl. */
bool fetcher_force(struct fetcher *fetcher);

#endif
