/* A directory of a test's own, with a configuration and whatever else it needs. */
#ifndef PINTLE_SCRATCH_H
#define PINTLE_SCRATCH_H

#include "arena.h"
#include "config.h"

/* Makes the directory, readable by its owner alone; there is one at a time. Its path. */
const char *scratch_open(void);

/* Removes it with all that is in it. */
void scratch_close(void);

/* The path of NAME in it. */
const char *scratch_path(struct arena *a, const char *name);

bool scratch_exists(const char *name);

/* Writes a file, mode 0600, whole or not at all: it is a new file each time. */
void scratch_write(const char *name, struct text content);

/* The content of a file; fails the test if there is none. */
struct text scratch_read(struct arena *a, const char *name);

/*
 * Writes TEXT to pintle.conf and loads it, "@" in it standing for the directory. Fails
 * the test if it cannot be loaded. To be ended with config_free.
 */
struct config *scratch_config(const char *text);

#endif
